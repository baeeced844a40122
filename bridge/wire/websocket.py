"""WebSocket, RFC 6455, as its receiving server reads it: bytes in, words and wishes out, wherever they were cut.

`Decoder.feed` takes what arrived and yields what it means. A `Text` is a whole message, however many frames carried it;
control frames between them come out in their place. What breaks the protocol is `Broken`, with the code to close with:
it and `Closed` are the last events of a stream. UTF-8 is judged byte by byte, so a bad one is told as soon as it is
here, not when its message ends. A message that comes in one piece, as nearly all do, leaves nothing behind.
(`docs/protocols/browser.md`)
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

import msgspec

# Opcodes, RFC 6455 section 5.2; all others are reserved
_CONTINUATION: Final = 0x0
_TEXT: Final = 0x1
_BINARY: Final = 0x2
_CLOSE: Final = 0x8
_PING: Final = 0x9
_PONG: Final = 0xA
_OPCODES: Final = frozenset({_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG})

_FIN: Final = 0x80
_RESERVED_BITS: Final = 0x70
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4
_SHORT_MAX: Final = 125
"""The longest payload whose length fits the second byte, and the longest of a control frame (section 5.5)."""
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127

GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED: Final = 1003
NO_CODE: Final = 1005
BAD_TEXT: Final = 1007
BROKE_A_RULE: Final = 1008
TOO_BIG: Final = 1009
OUR_FAULT: Final = 1011
TOO_SLOW: Final = 1013
"""The registry's Try Again Later."""
# What an endpoint may send (section 7.4): the registered ones, those of libraries, those of applications.
_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})

PING: Final = bytes((_FIN | _PING, 0))

_utf8 = codecs.getincrementaldecoder("utf-8")


class Text(msgspec.Struct, frozen=True, gc=False):
    """A whole message."""

    text: str


class Ping(msgspec.Struct, frozen=True, gc=False):
    """To be answered with the same data."""

    data: bytes


class Pong(msgspec.Struct, frozen=True, gc=False):
    """Still there."""


class Closed(msgspec.Struct, frozen=True, gc=False):
    """The other side ends it; to be answered with the same code, if there was one."""

    code: int


class Broken(msgspec.Struct, frozen=True, gc=False):
    """The stream cannot be read on: close with this code and reason."""

    code: int
    reason: str


Event = Text | Ping | Pong | Closed | Broken


class _Fault(Exception):
    def __init__(self, code: int, reason: str) -> None:
        self.event = Broken(code, reason)


class Decoder:
    """One client's side of a connection. Between feeds it holds less than a header with a control frame, and what has
    come of a text."""

    __slots__ = ("_fin", "_held", "_inside", "_left", "_mask", "_max_bytes", "_over", "_pieces", "_size", "_utf8")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held = b""
        self._over = False
        self._inside = False  # a data frame of which not all has come
        self._fin = False
        self._left = 0
        self._mask = b""
        self._size = 0  # of the message that is coming, all frames so far
        self._pieces: list[str] | None = None  # of the message that is coming, once it has more than one
        self._utf8: codecs.IncrementalDecoder | None = None

    def feed(self, data: bytes) -> Iterator[Event]:
        """What the next bytes mean; to be used up before the next call. After `Closed` or `Broken` nothing is heard."""
        if self._over:
            return
        data, at = self._held + data, 0
        try:
            while not self._over:
                if not self._inside:
                    head = self._start(data, at)
                    if head is None:
                        break
                    opcode, length, mask, at = head
                    if opcode >= _CLOSE:
                        yield self._control(opcode, unmask(data[at : at + length], mask))
                        at += length
                        continue
                piece = data[at : at + self._left]
                at += len(piece)
                if (text := self._take(piece)) is not None:
                    yield Text(text)
                if self._inside:
                    break
        except _Fault as fault:
            self._over = True
            yield fault.event
        self._held = b"" if self._over else data[at:]

    def _start(self, data: bytes, at: int) -> tuple[int, int, bytes, int] | None:
        """The frame that starts at `at`: opcode, length, mask, where its payload is; None while that cannot be told,
        or while a control frame is not whole. A data frame is entered."""
        if len(data) < at + 2:
            return None
        first, second = data[at], data[at + 1]
        opcode, length = first & 0x0F, second & ~_MASKED
        self._check(first, second)
        body = at + 2 + _MASK_BYTES
        if length > _SHORT_MAX:
            wide = 2 if length == _LENGTH_16 else 8
            body += wide
            length = int.from_bytes(data[at + 2 : at + 2 + wide], "big")
        if len(data) < body:
            return None
        mask = data[body - _MASK_BYTES : body]
        if opcode >= _CLOSE:
            return (opcode, length, mask, body) if len(data) >= body + length else None
        self._enter(bool(first & _FIN), length, mask, body - at)
        return opcode, length, mask, body

    def _check(self, first: int, second: int) -> None:
        """What two bytes can break."""
        opcode = first & 0x0F
        if first & _RESERVED_BITS:
            raise _Fault(PROTOCOL_ERROR, "a reserved bit, and no extension was agreed on")
        if opcode not in _OPCODES:
            raise _Fault(PROTOCOL_ERROR, f"reserved opcode {opcode}")
        if not second & _MASKED:
            raise _Fault(PROTOCOL_ERROR, "a frame that is not masked")
        if opcode >= _CLOSE and (not first & _FIN or second & ~_MASKED > _SHORT_MAX):
            raise _Fault(PROTOCOL_ERROR, "a control frame in pieces or longer than 125 bytes")
        if opcode == _BINARY:
            raise _Fault(UNSUPPORTED, "text frames only")
        if opcode == _CONTINUATION and self._pieces is None:
            raise _Fault(PROTOCOL_ERROR, "a continuation of nothing")
        if opcode == _TEXT and self._pieces is not None:
            raise _Fault(PROTOCOL_ERROR, "a new message inside another")

    def _enter(self, fin: bool, length: int, mask: bytes, head_bytes: int) -> None:
        self._size += length
        if self._size > self._max_bytes:
            raise _Fault(TOO_BIG, f"a message of {self._size} bytes or more, at most {self._max_bytes}")
        shortest = 2 if length <= _SHORT_MAX else 4 if length < 1 << 16 else 10
        if head_bytes != shortest + _MASK_BYTES:
            raise _Fault(PROTOCOL_ERROR, f"length {length} is not written the shortest way")
        self._inside, self._fin, self._left, self._mask = True, fin, length, mask

    def _take(self, piece: bytes) -> str | None:
        """The next bytes of the frame; the message, if it ends with them."""
        self._left -= len(piece)
        self._inside = self._left > 0
        ends = self._fin and not self._inside
        data = unmask(piece, self._mask)
        try:
            if ends and self._pieces is None:
                self._size = 0
                return data.decode()
            if self._pieces is None or self._utf8 is None:
                self._pieces, self._utf8 = [], _utf8()
            self._pieces.append(self._utf8.decode(data, ends))
        except UnicodeDecodeError:
            raise _Fault(BAD_TEXT, "a text that is not UTF-8") from None
        turn = len(piece) % _MASK_BYTES
        self._mask = self._mask[turn:] + self._mask[:turn]
        if not ends:
            return None
        text = "".join(self._pieces)
        self._size, self._pieces, self._utf8 = 0, None, None
        return text

    def _control(self, opcode: int, data: bytes) -> Event:
        if opcode == _PING:
            return Ping(data)
        if opcode == _PONG:
            return Pong()
        self._over = True
        return _closed(data)


def _closed(data: bytes) -> Event:
    """What a close frame says (section 5.5.1)."""
    if not data:
        return Closed(NO_CODE)
    code = int.from_bytes(data[:2], "big")
    if len(data) < 2 or code not in _CODES:
        return Broken(PROTOCOL_ERROR, f"close code {data[:2].hex(' ')}")
    try:
        data[2:].decode()
    except UnicodeDecodeError:
        return Broken(BAD_TEXT, "a close reason that is not UTF-8")
    return Closed(code)


def unmask(data: bytes, mask: bytes) -> bytes:
    """Each byte with that of the mask in its place (section 5.3), as one long number: the loop is the interpreter's."""
    size = len(data)
    key = (mask * (size // _MASK_BYTES + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def text(payload: bytes) -> bytes:
    """One unmasked text frame."""
    length = len(payload)
    if length <= _SHORT_MAX:
        return bytes((_FIN | _TEXT, length)) + payload
    if length < 1 << 16:
        return bytes((_FIN | _TEXT, _LENGTH_16)) + length.to_bytes(2, "big") + payload
    return bytes((_FIN | _TEXT, _LENGTH_64)) + length.to_bytes(8, "big") + payload


def pong(data: bytes) -> bytes:
    """The answer to a ping; control frames carry at most 125 bytes."""
    return bytes((_FIN | _PONG, len(data))) + data


def close(code: int, reason: str = "") -> bytes:
    """Why the connection ends; `NO_CODE` is said by saying nothing (section 7.4.1)."""
    payload = b"" if code == NO_CODE else code.to_bytes(2, "big") + reason.encode()
    return bytes((_FIN | _CLOSE, len(payload))) + payload
