"""Raw files over TCP: a packed length, a JSON header, then the bytes, as often as the sender likes.

`Decoder.feed` takes what arrived and yields a `Header` for each file, its bytes as `Body` pieces, and an `End` at its
declared size, wherever the stream was cut. It raises `BadHeader` for what is no header: there is nobody to ask then;
`Unusable` if it is a JSON object all the same, which may say that its sender reads.
The length is 4 bytes, little-endian as `struct.pack("i", n)` makes it, big-endian recognised.
(`docs/protocols/upload.md`)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from bridge.model import Code, Entry

LENGTH_BYTES: Final = 4
HEADER_MIN_BYTES: Final = 2
HEADER_MAX_BYTES: Final = 65_535
_SIZE_MAX: Final = 2**63 - 1
_BYTE_ORDERS: Final[tuple[Literal["little", "big"], ...]] = ("little", "big")


class BadHeader(Exception):
    """What stood where a header should be."""


class Unusable(BadHeader):
    """A JSON object that describes no file. `reply`: whether its sender waits to be told so."""

    def __init__(self, message: str, reply: bool) -> None:
        super().__init__(message)
        self.reply = reply


class Header(msgspec.Struct, frozen=True):
    """A file to come: `file_size` bytes called `file_name`. What else the sender wrote is passed over.

    With `resume` and `reply` it waits to be told from where to go on.
    """

    file_name: str
    file_size: int
    room: str | None = None
    sender: str | None = None
    sha256: str | None = None
    token: str | None = None
    reply: bool = False
    resume: bool = False
    pin: str | None = None


class Body(msgspec.Struct, frozen=True):
    """The next bytes of the file."""

    data: memoryview


class End(msgspec.Struct, frozen=True):
    """The file is complete at its declared size."""


Event = Header | Body | End


class Decoder:
    """Bytes in, files out. Holds at most one header; bodies pass through uncopied."""

    def __init__(self) -> None:
        self._held = b""
        self._left = 0

    @property
    def cut(self) -> bool:
        """Whether the stream, if it ended here, would have cut something off."""
        return bool(self._held or self._left)

    @property
    def left(self) -> int:
        """How many bytes of this file are still to come."""
        return self._left

    def skip(self, size: int) -> None:
        """So many bytes of this file will not be fed: they are here already, or are received by somebody else."""
        self._left -= size

    def feed(self, data: bytes | memoryview) -> Iterator[Event]:
        view = memoryview(data)
        while len(view) or self._ready():
            if self._left:
                piece, view = view[: self._left], view[self._left :]
                self._left -= len(piece)
                yield Body(piece)
                if not self._left:
                    yield End()
                continue
            wanted = self._wanted() - len(self._held)
            self._held += bytes(view[:wanted])
            view = view[wanted:]
            if self._ready():
                header = parse(self._held[LENGTH_BYTES:])
                self._held, self._left = b"", header.file_size
                yield header
                if not self._left:
                    yield End()

    def _wanted(self) -> int:
        if len(self._held) < LENGTH_BYTES:
            return LENGTH_BYTES
        length = header_length(self._held)
        if length is None:
            raise BadHeader(f"{self._held[:LENGTH_BYTES].hex(' ')} is no header length")
        return LENGTH_BYTES + length

    def _ready(self) -> bool:
        return len(self._held) >= LENGTH_BYTES and len(self._held) == self._wanted()


def header_length(opening: bytes) -> int | None:
    """The length that the first four bytes announce, in either byte order; None if they announce none."""
    for order in _BYTE_ORDERS:
        length = int.from_bytes(opening[:LENGTH_BYTES], order, signed=True)
        if HEADER_MIN_BYTES <= length <= HEADER_MAX_BYTES:
            return length
    return None


def parse(raw: bytes) -> Header:
    """The header in its JSON. Raises `BadHeader`."""
    if not raw.startswith(b"{"):
        raise BadHeader("a header that does not start with {")
    try:
        text = raw.decode()  # strict also in what msgspec would pass over
        asked = msgspec.json.decode(text, type=_Asked)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as fault:
        raise BadHeader(str(fault)) from fault
    try:
        header = msgspec.json.decode(text, type=Header)
    except msgspec.ValidationError as fault:
        raise Unusable(f"the header: {fault}", asked.reply is True) from fault
    if not 0 <= header.file_size <= _SIZE_MAX:
        raise Unusable(f"the header: file_size {header.file_size}, expected 0 to {_SIZE_MAX}", header.reply)
    return header


class _Asked(msgspec.Struct):
    """What can be known of any JSON object: whether it asks for a reply."""

    reply: Any = None


def receipt(entry: Entry) -> bytes:
    """The line for a sender that asked for a reply."""
    file = entry.file
    return _line({"seq": entry.seq, "url": file.url, "sha256": file.sha256} if file else {"seq": entry.seq})


def offset(place: int) -> bytes:
    """The line for a sender that asked from where to go on."""
    return _line({"offset": place})


def refusal(code: Code, message: str) -> bytes:
    """The line for a sender whose file was not taken."""
    return _line({"error": {"code": code, "message": message}})


def _line(answer: dict[str, Any]) -> bytes:
    return msgspec.json.encode(answer) + b"\n"
