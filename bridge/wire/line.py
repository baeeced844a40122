"""Text lines over TCP: bytes to lines and back, however they were cut.

`Decoder.feed` takes bytes and yields a `Line`, or a `Fault` for a line that is too long or no text. `end` yields the
last line if it had no newline. A line that is an HTTP request line raises `NotLines`: nothing after it is to be read,
because the rest of a browser's request (cookies, tokens) must never become a message. A NUL raises `NotText`: these are
the bytes of a file. (`docs/protocols/line.md`)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from bridge.model import Entry, Gap, Refused
from bridge.wire import plain

LINE_MAX_BYTES: Final = 16 * 1024

_REQUEST_LINE_END = re.compile(rb" HTTP/[12]\.[0-9]\s*\Z")
# A method, then one of the four forms of a target (RFC 9112 section 3.2); "I love HTTP/1.1" has none of them.
_REQUEST_LINE = re.compile(rb"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+\s+(?:[/*]\S*|[^\s:]+:\S*)\s+HTTP/[12]\.[0-9]\s*\Z")
# Telnet commands, RFC 854: IAC and a verb; WILL/WONT/DO/DONT carry an option; SB runs to IAC SE. One that does not end
# takes the rest of its line with it: looking for its end again from every byte would take seconds.
_TELNET = re.compile(
    rb"\xff(?:[\xfb-\xfe].|\xfa(?:[^\xff]|\xff[^\xf0])*(?:\xff\xf0|\xff?\Z)|[^\xfa-\xfe]|[\xfb-\xfe]?\Z)", re.DOTALL
)
_END_BYTES: Final = 64
"""Enough to recognise the end of a request line."""


class Line(msgspec.Struct, frozen=True):
    """One line without its ending: one message, or a command."""

    text: str


class Fault(msgspec.Struct, frozen=True):
    """A line that could not be taken; the connection goes on with the next."""

    refused: Refused


class NotLines(Exception):
    """An HTTP request turned up where lines were spoken: close, and keep none of it."""


class NotText(Exception):
    """A NUL, which no text has: somebody sends a file as it is. It may still be told how files are sent."""


class Decoder:
    """Bytes in, lines out. Holds at most one line of 16 KiB; of a longer one, only its last bytes."""

    def __init__(self) -> None:
        self._held = b""
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[Line | Fault]:
        *ended, rest = (self._held + data).split(b"\n")
        self._held = b""
        for raw in ended:
            yield self._line(raw)
        self._look_at(rest)
        if len(rest) > LINE_MAX_BYTES + 1:  # one more for the \r of a line that is just long enough
            self._skipping = True
            rest = rest[-_END_BYTES:]
        self._held = rest

    def end(self) -> Iterator[Line | Fault]:
        """The stream is over; a last line without a newline counts."""
        raw, self._held = self._held, b""
        if raw or self._skipping:
            yield self._line(raw)

    def _look_at(self, raw: bytes) -> None:
        """As much of a line as could be one, so that it is the same however it was cut."""
        start = raw[: LINE_MAX_BYTES + 1]
        if 0 in start and not self._skipping and 0 in _TELNET.sub(b"", start):
            raise NotText

    def _line(self, raw: bytes) -> Line | Fault:
        self._look_at(raw)
        too_long = self._skipping or len(raw.removesuffix(b"\r")) > LINE_MAX_BYTES
        self._skipping = False
        # Of a line that is too long only the end may be left, so it is judged by that, however it was cut.
        if _REQUEST_LINE_END.search(raw[-_END_BYTES:]) if too_long else _REQUEST_LINE.match(raw):
            raise NotLines
        if too_long:
            return Fault(Refused("too_long", f"a line of more than {LINE_MAX_BYTES} bytes was dropped"))
        try:
            return Line(plain.decode(_TELNET.sub(b"", raw).removesuffix(b"\r")))
        except Refused as refused:
            return Fault(refused)


class LineForm(msgspec.Struct, frozen=True):
    """How the room reads to a line client that reaches us at `base`."""

    base: str
    echo = False
    signals = False

    def encode(self, said: Entry | Gap) -> bytes:
        if isinstance(said, Gap):
            return notice(plain.LOST)
        return f"{plain.speaker(said)}{plain.words(said, self.base)}\n".encode()

    def frame(self, encoded: Sequence[bytes]) -> bytes:
        return b"".join(encoded)


def notice(text: str) -> bytes:
    return f"{plain.notice(text)}\n".encode()


def bare(text: str) -> bytes:
    """An answer with no mark before it."""
    return f"{plain.indented(text)}\n".encode()
