"""The first flight of a TLS client, read in the open: the languages that it offers, wherever it was cut."""

from __future__ import annotations

import ssl
from contextlib import suppress

import pytest

from bridge.wire.tls import HELLO_MAX_BYTES, HTTP, BadHello, offered


def hello(*alpn: str) -> bytes:
    """As OpenSSL writes it."""
    context = ssl.create_default_context()
    if alpn:
        context.set_alpn_protocols(alpn)
    out = ssl.MemoryBIO()
    talk = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        talk.do_handshake()
    return out.read()


def records(message: bytes, size: int) -> bytes:
    """The same handshake message in records of at most `size` bytes."""
    pieces = [message[place : place + size] for place in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in pieces)


def test_what_a_client_offers_is_known_once_all_has_come_and_not_before() -> None:
    for names in ((), ("http/1.1",), ("h2", "http/1.1"), ("h2",), ("x" * 255,)):
        whole = hello(*names)
        assert [offered(whole[:place]) for place in range(len(whole))] == [None] * len(whole)
        assert offered(whole) == tuple(name.encode() for name in names)
        assert offered(whole + b"what follows is sealed") == offered(whole)


def test_records_may_cut_it_anywhere() -> None:
    for size in (1, 3, 4, 100, 16384):
        assert offered(records(hello("h2", "http/1.1")[5:], size)) == (b"h2", HTTP)


MESSAGE = hello("h2")[5:]
BODY = MESSAGE[4:]


NO_HELLOS = {
    "an empty record": b"\x16\x03\x01\0\0",
    "an alert": b"\x15\x03\x01\0\2\2\x28",
    "a ServerHello": records(b"\2" + MESSAGE[1:], 9000),
    "a lying length": records(MESSAGE[:1] + (40).to_bytes(3, "big") + BODY[:34] + b"\xff" + BODY[35:40], 9000),
    "a byte too few": records(MESSAGE[:1] + (len(BODY) - 1).to_bytes(3, "big") + BODY[:-1], 9000),
    "too long": records(b"\1" + (HELLO_MAX_BYTES + 1).to_bytes(3, "big"), 9000),
}


def test_what_is_no_first_flight_is_told_so() -> None:
    for opening in NO_HELLOS.values():
        with pytest.raises(BadHello):
            offered(opening)


def test_a_client_of_before_extensions_offers_nothing() -> None:
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\xc0\x2b" + b"\1\0"
    assert offered(records(b"\1" + len(body).to_bytes(3, "big") + body, 9000)) == ()


def test_a_byte_that_is_another_leads_to_names_or_is_refused() -> None:
    """Nothing else is raised, whatever came."""
    for place in range(len(BODY)):
        body = BODY[:place] + bytes((BODY[place] ^ 0xFF,)) + BODY[place + 1 :]
        with suppress(BadHello):
            assert isinstance(offered(records(MESSAGE[:4] + body, 9000)), tuple)
