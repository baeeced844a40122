"""JSON over WebSocket: one frame carries one or more objects, separated by newlines, both ways.

`decode` yields what a frame asks for, object by object; a bad one becomes a `Fault` and spares the others. Out go
entries and signals as bytes, and `BrowserForm.frame` makes one frame of a stretch of them. The frames themselves are
`wire/websocket.py`'s.
(`docs/protocols/browser.md`)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from bridge.model import Entry, Error, Refused, Signal
from bridge.wire import websocket
from bridge.wire.rule import Wish

FRAME_IN_MAX_BYTES: Final = 64 * 1024


class Say(msgspec.Struct, frozen=True, tag_field="type", tag="say"):
    """Append `text` under the sender's own `key`."""

    key: str
    text: str


class Rename(msgspec.Struct, frozen=True, tag_field="type", tag="name"):
    """Be called `name` from now on."""

    name: str


class Withdraw(msgspec.Struct, frozen=True, tag_field="type", tag="withdraw"):
    """Take entry `seq` back, under a `key` of its own."""

    key: str
    seq: int


class Rule(msgspec.Struct, frozen=True, tag_field="type", tag="rule"):
    """A host's wish, under a `key` of its own."""

    key: str
    rule: Wish


class Typing(msgspec.Struct, frozen=True, tag_field="type", tag="typing"):
    """Somebody is writing."""


class Admit(msgspec.Struct, frozen=True, tag_field="type", tag="admit"):
    """Let in who knocks under `id`; `always`: and from then on whoever comes from there."""

    id: str
    always: bool = False


class Refuse(msgspec.Struct, frozen=True, tag_field="type", tag="refuse"):
    """Let who knocks under `id` stay outside."""

    id: str


class Fault(msgspec.Struct, frozen=True):
    """One object of a frame that could not be taken."""

    error: Error


Heard = Say | Rename | Withdraw | Rule | Typing | Admit | Refuse | Fault


class _Any(msgspec.Struct, frozen=True):
    """What every object has, and the key by which its sender knows it."""

    type: str
    key: Any = None  # in what we do not know, it may be anything


_any = msgspec.json.Decoder(_Any)
_known: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "say": msgspec.json.Decoder(Say),
    "name": msgspec.json.Decoder(Rename),
    "withdraw": msgspec.json.Decoder(Withdraw),
    "rule": msgspec.json.Decoder(Rule),
    "typing": msgspec.json.Decoder(Typing),
    "admit": msgspec.json.Decoder(Admit),
    "refuse": msgspec.json.Decoder(Refuse),
}
_encoder = msgspec.json.Encoder()


def decode(frame: str) -> Iterator[Heard]:
    """What a text frame asks for, in order. Unknown types and fields are passed over in silence."""
    for line in frame.split("\n"):
        if not line or line.isspace():
            continue
        key = None
        try:
            spoken = _any.decode(line)
            key = spoken.key if isinstance(spoken.key, str) else None
            if decoder := _known.get(spoken.type):
                yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as fault:
            yield Fault(Error("bad_request", f"not an object we understand: {fault}"[:500], key))


def encode(said: Entry | Signal) -> bytes:
    """The one JSON form, without a newline."""
    return _encoder.encode(said)


def refusal(refused: Refused, key: str | None = None) -> Error:
    return Error(refused.code, refused.message, key)


class BrowserForm(msgspec.Struct, frozen=True):
    """How the room reads to a browser."""

    echo = True
    signals = True

    def encode(self, said: Entry | Signal) -> bytes:
        return encode(said)

    def frame(self, encoded: Sequence[bytes]) -> bytes:
        return websocket.text(b"\n".join(encoded))
