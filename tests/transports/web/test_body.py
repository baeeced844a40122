"""A body is taken when it is wanted: `Expect` is answered late, silence ends it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from bridge.server import Server
from bridge.transports.web import body
from tests.support.peers import PATIENCE_S

PUT = (
    b"PUT /r/lobby/a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\nExpect: %s\r\n%s\r\n"
)


def answers(address: tuple[str, int], head: bytes, content: bytes) -> tuple[bytes, bytes]:
    """What the server says to the head alone, and after the content was sent too."""
    with socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall(head)
        first = connection.recv(65536)
        if not first.startswith(b"HTTP/1.1 100"):
            return first, b""
        connection.sendall(content)
        rest = b""
        while piece := connection.recv(65536):
            rest += piece
        return first, rest


async def test_a_wanted_body_is_asked_for(server: Server) -> None:
    first, rest = await asyncio.to_thread(answers, server.address, PUT % (3, b"100-continue", b""), b"abc")
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert rest.startswith(b"HTTP/1.1 201 Created\r\n")


@pytest.mark.parametrize(
    ("length", "more", "status"),
    [
        (10**15, b"", b"413"),
        (3, b"Origin: http://evil.example\r\n", b"403"),
        (3, b"X-Name: [x]\r\n", b"400"),
        (3, b"Content-Encoding: gzip\r\n", b"415"),
    ],
)
async def test_a_body_that_is_refused_is_never_asked_for(
    server: Server, length: int, more: bytes, status: bytes
) -> None:
    first, _rest = await asyncio.to_thread(answers, server.address, PUT % (length, b"100-continue", more), b"abc")
    assert first.startswith(b"HTTP/1.1 " + status)


async def test_an_unknown_expectation_fails(server: Server) -> None:
    first, _rest = await asyncio.to_thread(answers, server.address, PUT % (3, b"miracles", b""), b"abc")
    assert first.startswith(b"HTTP/1.1 417")


async def test_a_body_that_falls_silent_is_over(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "SILENCE_S", 0.1)

    def conversation() -> bytes:
        with socket.create_connection(server.address, PATIENCE_S) as connection:
            connection.sendall(b"PUT /r/lobby/a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
            return connection.recv(65536)

    answer = await asyncio.to_thread(conversation)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"\r\nConnection: close\r\n" in answer


SLOWLY = b"PUT /r/lobby/a.txt HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: %s\r\nContent-Length: 10\r\n\r\n"


async def test_from_elsewhere_a_body_must_come_at_a_rate(
    serve: Callable[..., Awaitable[Server]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve(proxy=("127.0.0.1",), open=True)
    monkeypatch.setattr(body, "GRACE_S", 0.1)
    monkeypatch.setattr(body, "RATE_BYTES_S", 100)

    def conversation(ip: bytes, last: bytes) -> bytes:
        """Nine bytes, one at a time, each when it is a tenth of a second late, then the last."""
        with socket.create_connection(server.address, PATIENCE_S) as connection:
            connection.sendall(SLOWLY % ip)
            connection.settimeout(0.2)
            for _ in range(9):
                try:
                    return connection.recv(65536)
                except TimeoutError:
                    connection.sendall(b"x")
            connection.sendall(last)
            connection.settimeout(PATIENCE_S)
            return connection.recv(65536)

    assert (await asyncio.to_thread(conversation, b"127.0.0.1", b"x")).startswith(b"HTTP/1.1 201 ")
    answer = await asyncio.to_thread(conversation, b"203.0.113.5", b"")
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"less than 100 bytes a second" in answer
