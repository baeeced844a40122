"""What a TLS client says in the open, before anything is sealed: which languages it means to speak inside. (ALPN)

In go the bytes of its first flight, out come the names it offers, or None: not all of it has come. Python's `ssl` does
not tell a client that offers none of ours from one that offers nothing, and goes on with both; yet the first must be
turned away, or a browser that means another server could be made to speak to this one (alpaca-attack.com).
"""

from __future__ import annotations

from typing import Final

HTTP: Final = b"http/1.1"
HELLO_MAX_BYTES: Final = 16 * 1024
"""Of a whole first flight. Those of browsers have about 2 KiB, with room for keys that withstand quantum computers."""
NO_LANGUAGE: Final = b"\x15\x03\x03\0\2\2\x78"
"""The fatal alert `no_application_protocol` (RFC 7301 section 3.2) in its record."""

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_ALPN: Final = 16


class BadHello(Exception):
    """This is no first flight of a TLS client."""


def offered(opening: bytes) -> tuple[bytes, ...] | None:
    """The names of a ClientHello's ALPN extension, none if it has none. Raises `BadHello`."""
    message = _unpacked(opening)
    if len(message) < 4:
        return None
    if message[0] != _CLIENT_HELLO:
        raise BadHello("not a ClientHello")
    body = message[4 : 4 + int.from_bytes(message[1:4], "big")]
    if len(body) < int.from_bytes(message[1:4], "big"):
        return None
    return _names(body)


def _unpacked(opening: bytes) -> bytes:
    """What the records carry (RFC 8446 section 5.1); they may cut the message anywhere."""
    if len(opening) > HELLO_MAX_BYTES:
        raise BadHello(f"a first flight of more than {HELLO_MAX_BYTES} bytes")
    message, place = b"", 0
    while len(opening) - place >= 5:
        if opening[place] != _HANDSHAKE:
            raise BadHello("a record that is no handshake")
        size = int.from_bytes(opening[place + 3 : place + 5], "big")
        if not size:
            raise BadHello("an empty record")
        message += opening[place + 5 : place + 5 + size]
        place += 5 + size
    return message


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
