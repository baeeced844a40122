"""The room as a stream over HTTP: Server-Sent Events for browsers and curl, or one JSON object a line.

Both are sent in the chunks of HTTP/1.1, framed here so that all readers at one place share the bytes.
(`docs/protocols/events.md`)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from bridge.model import Entry, Refused, Signal

_encode = msgspec.json.Encoder().encode

COMMENT: Final = b":\n\n"
"""What keeps a quiet stream of events alive through proxies."""


class EventsForm(msgspec.Struct, frozen=True):
    """`epoch` is part of every event's id; `chunked` is false for HTTP/1.0."""

    epoch: str
    chunked: bool
    echo = True
    signals = True

    def encode(self, said: Entry | Signal) -> bytes:
        """One event. Only an entry bears an id: a signal is no place to resume from."""
        head = f"id: {self.epoch}:{said.seq}\n".encode() if isinstance(said, Entry) else b""
        return b"%sdata: %s\n\n" % (head, _encode(said))

    def frame(self, encoded: Sequence[bytes]) -> bytes:
        return chunk(b"".join(encoded), self.chunked)


class LinesForm(msgspec.Struct, frozen=True):
    """NDJSON: one object a line."""

    chunked: bool
    echo = True
    signals = True

    def encode(self, said: Entry | Signal) -> bytes:
        return _encode(said) + b"\n"

    def frame(self, encoded: Sequence[bytes]) -> bytes:
        return chunk(b"".join(encoded), self.chunked)


def chunk(data: bytes, chunked: bool = True) -> bytes:
    """`data` as one chunk (RFC 9112 section 7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data) if chunked else data


def last_event_id(value: str) -> tuple[str, str]:
    """The epoch and the number in a `Last-Event-ID`. Raises `Refused` for an id that is none of ours."""
    epoch, colon, seq = value.strip().rpartition(":")
    if not colon or not epoch:
        raise Refused("bad_request", f"Last-Event-ID {value[:64]!r}, expected EPOCH:SEQ")
    return epoch, seq
