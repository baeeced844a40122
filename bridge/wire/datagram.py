"""Chat over UDP: one datagram is one message, and the room comes back in datagrams of at most 1,024 bytes.

(`docs/protocols/datagram.md`)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from bridge.model import Entry, Gap, Refused
from bridge.wire import plain

DATAGRAM_IN_MAX_BYTES: Final = 16 * 1024
# The tutorial's clients, and most others, call recvfrom(1024): what is beyond would be cut off.
DATAGRAM_OUT_MAX_BYTES: Final = 1024

# What the tutorial's "QQ" clients put before each message, with either colon.
_NAMED = re.compile(r"来自(?P<name>.{1,64}?)的消息[:：](?P<text>.*)", re.DOTALL)


class Said(msgspec.Struct, frozen=True):
    """What a datagram says: `text`, "" for "still here", under `name` if it brings one."""

    text: str
    name: str | None = None


def decode(data: bytes) -> Said:
    """The meaning of one datagram. Raises `Refused` for bytes that are no text, or too many."""
    if len(data) > DATAGRAM_IN_MAX_BYTES:
        raise Refused("too_long", f"datagram of {len(data)} bytes, at most {DATAGRAM_IN_MAX_BYTES}")
    text = plain.decode(data.rstrip(b"\0"))
    text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
    if named := _NAMED.fullmatch(text):
        return Said(named["text"], named["name"])
    return Said(text)


class DatagramForm(msgspec.Struct, frozen=True):
    """How the room reads to a datagram peer that reaches us at `base`. A frame is a tuple of datagrams."""

    base: str
    echo = False
    signals = False

    def encode(self, said: Entry | Gap) -> tuple[bytes, ...]:
        if isinstance(said, Gap):
            return (notice(plain.LOST),)
        return tuple(split(plain.speaker(said), plain.words(said, self.base)))

    def frame(self, encoded: Sequence[tuple[bytes, ...]]) -> tuple[bytes, ...]:
        return tuple(piece for pieces in encoded for piece in pieces)


def split(opening: str, text: str, limit: int = DATAGRAM_OUT_MAX_BYTES) -> Iterator[bytes]:
    """`text` in datagrams of at most `limit` bytes, each beginning with `opening` and ending in one newline.

    Cut between characters only, and no piece is empty; `limit` leaves room for at least one character of 4 bytes.
    """
    head = opening.encode()
    room = limit - len(head) - 1
    body = text.encode()
    while True:
        end = min(len(body), room)
        while end < len(body) and body[end] & 0xC0 == 0x80:  # a continuation byte: inside a character
            end -= 1
        if 1 < end < len(body) and body[end - 1] == 0x0A:  # the piece ends in a newline of its own
            end -= 1
        yield head + body[:end] + b"\n"
        body = body[end:]
        if not body:
            return


def notice(text: str) -> bytes:
    """A word from the server, cut to one datagram."""
    return next(split("", plain.notice(text)))


def bare(text: str) -> tuple[bytes, ...]:
    """An answer with no mark before it."""
    return tuple(split("", plain.indented(text)))
