"""What a TLS client says in the open, before anything is sealed: which languages it means to speak inside. (ALPN)

In go the bytes of its first flight, out come the names it offers, or None: not all of it has come. Python's `ssl` does
not tell a client that offers none of ours from one that offers nothing, and goes on with both; yet the first must be
turned away, or a browser that means another server could be made to speak to this one (alpaca-attack.com).
"""

from __future__ import annotations

from typing import Final

HTTP: Final = b"http/1.1"
HELLO_MAX_BYTES: Final = 16 * 1024
"""Of a whole ClientHello. Those of browsers have about 2 KiB, with keys that withstand quantum computers."""
NO_LANGUAGE: Final = b"\x15\x03\x03\0\2\2\x78"
"""The fatal alert `no_application_protocol` (RFC 7301 section 3.2) in its record."""

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_ALPN: Final = 16


class BadHello(Exception):
    """This is no first flight of a TLS client."""


def offered(opening: bytes) -> tuple[bytes, ...] | None:
    """The names of a ClientHello's ALPN extension, none if it has none. Raises `BadHello`."""
    message, place = b"", 0
    while (body := _body(message)) is None:  # records (RFC 8446 section 5.1) may cut it anywhere
        head = opening[place : place + 5]
        if head and head[0] != _HANDSHAKE:
            raise BadHello("a record that is no handshake")
        if len(head) < 5:
            return None
        size = int.from_bytes(head[3:], "big")
        if not size:
            raise BadHello("an empty record")
        message += opening[place + 5 : place + 5 + size]
        place += 5 + size
    return _names(body)


def _body(message: bytes) -> bytes | None:
    """What a ClientHello holds, None while not all of it is there."""
    if message and message[0] != _CLIENT_HELLO:
        raise BadHello("a handshake that does not begin with a ClientHello")
    size = int.from_bytes(message[1:4], "big")
    if len(message) >= 4 and size > HELLO_MAX_BYTES:
        raise BadHello(f"a ClientHello of {size} bytes, at most {HELLO_MAX_BYTES}")
    return message[4 : 4 + size] if len(message) >= 4 and len(message) >= 4 + size else None


def _names(hello: bytes) -> tuple[bytes, ...]:
    """RFC 8446 section 4.1.2: a version, a random, a session id, suites, compressions, extensions."""
    rest = hello[2 + 32 :]
    for width in (1, 2, 1):
        _skipped, rest = _vector(rest, width)
    if not rest:  # a client of before extensions
        return ()
    extensions, _nothing = _vector(rest, 2)
    while extensions:
        kind = int.from_bytes(extensions[:2], "big")
        content, extensions = _vector(extensions[2:], 2)
        if kind == _ALPN:
            return tuple(_each(_vector(content, 2)[0]))
    return ()


def _each(listed: bytes) -> list[bytes]:
    names = []
    while listed:
        name, listed = _vector(listed, 1)
        names.append(name)
    return names


def _vector(data: bytes, width: int) -> tuple[bytes, bytes]:
    """What a length of `width` bytes announces, and what follows it."""
    end = width + int.from_bytes(data[:width], "big")
    if len(data) < max(end, width):
        raise BadHello("a length that leads beyond the end")
    return data[width:end], data[end:]
