"""What is no HTTP, too much of it, or too slow: answered in our words, and closed."""

from __future__ import annotations

import asyncio
import socket
import time

import aiohttp
import pytest
from aiohttp import web_protocol
from aiohttp.http_parser import HttpRequestParserC
from aiohttp.web_protocol import RequestHandler

from bridge.server import Server
from bridge.transports.web import body, connection
from tests.support.peers import PATIENCE_S, Answer, BrowserPeer, ask, entries
from tests.support.streams import everything

HOST = b"Host: localhost\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"

# After the advisories against aiohttp and other servers: what two readers might read as two different requests.
SMUGGLED = {
    "a length and chunks": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nhello",
    "chunks and a length": CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\nhello",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "one length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a signed length": POST + b"Content-Length: +5\r\n\r\nhello",
    "a negative length": POST + b"Content-Length: -5\r\n\r\nhello",
    "a length as Python writes it": POST + b"Content-Length: 1_0\r\n\r\nhello",
    "chunks twice": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "an encoding that does not end in chunks": POST + b"Transfer-Encoding: gzip\r\n\r\nhello",
    "a control character before chunked": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": CHUNKED + b"\r\nzz\r\nhello\r\n0\r\n\r\n",
    "a chunk extension that ends in LF": CHUNKED + b"\r\n5;a\nhello\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 5\r\n\r\nhello",
    "a folded header": b"GET /rooms HTTP/1.1\r\n" + HOST + b"X-A: b\r\n c\r\n\r\n",
    "a bare CR": b"GET /rooms HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
    "a bare LF": b"GET /rooms HTTP/1.1\nHost: localhost\n\n",
    "a NUL": b"GET /rooms HTTP/1.1\r\n" + HOST + b"X-A: a\0b\r\n\r\n",
    "no host": b"GET /rooms HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /rooms HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "a method of no name": b"FROB / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a version to come": b"GET /rooms HTTP/1.9\r\n" + HOST + b"\r\n",
    "a path that is not ASCII": "GET /r/厨房/entries HTTP/1.1\r\n".encode() + HOST + b"\r\n",
}


@pytest.mark.parametrize("request_", SMUGGLED.values(), ids=SMUGGLED.keys())
async def test_what_may_be_read_in_two_ways_is_refused_and_closed(
    server: Server, session: aiohttp.ClientSession, request_: bytes
) -> None:
    def conversation() -> bytes:
        with socket.create_connection(server.address, PATIENCE_S) as client:
            client.sendall(request_)
            return everything(client)  # to its end: nothing that follows is taken for another request

    said = await asyncio.to_thread(conversation)
    head, _, line = said.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0].endswith(b" 400 Bad Request")
    assert line.startswith(b"bad_request: ") and line.count(b"\n") == 1
    assert b"Server: roombridge" in head and b"aiohttp" not in said
    assert b"X-Content-Type-Options: nosniff" in head
    assert await entries(session, server.url) == []
    assert server_refusals(await metrics(session, server)) == 1


async def metrics(session: aiohttp.ClientSession, server: Server) -> str:
    async with session.get(f"{server.url}metrics") as response:
        return await response.text()


def server_refusals(text: str) -> float:
    (count,) = [
        line.split()[-1] for line in text.splitlines() if 'refused_total{code="bad_request",via="http"}' in line
    ]
    return float(count)


def test_the_parser_is_the_one_that_others_test() -> None:
    """aiohttp's own in Python is slower, and lenient where llhttp is strict."""
    assert web_protocol.HttpRequestParser is HttpRequestParserC


async def test_a_transfer_encoding_that_is_more_than_chunks_is_not_taken(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    answer = await asyncio.to_thread(ask, server.address, head + b"5\r\nhello\r\n0\r\n\r\n")
    assert (answer.status, answer.body[:12]) == (415, b"unsupported:")


def test_what_a_half_closed_client_needs_of_aiohttp_is_there() -> None:
    slots = {name for kind in RequestHandler.__mro__ for name in getattr(kind, "__slots__", ())}
    assert {"_messages", "_request_count"} <= slots


async def half_closed(server: Server, sent: bytes) -> bytes:
    """What comes back to a client that says all it has to say and closes its own side, as `nc -N` does."""

    def conversation() -> bytes:
        with socket.create_connection(server.address, PATIENCE_S) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            return everything(client)

    return await asyncio.to_thread(conversation)


async def test_who_asks_and_closes_its_own_side_is_answered(server: Server, session: aiohttp.ClientSession) -> None:
    say = [POST + b"Content-Length: 2\r\n\r\n%d\n" % number for number in range(5)]
    assert (await half_closed(server, say[0])).startswith(b"HTTP/1.1 201 ")
    said = await half_closed(server, b"".join(say[1:]))
    assert said.count(b"HTTP/1.1 201 ") == 4
    assert [entry["text"].strip() for entry in await entries(session, server.url)] == list("01234")


async def test_half_a_request_of_a_half_closed_client_is_let_go(server: Server, session: aiohttp.ClientSession) -> None:
    for sent in (b"GET / HTTP/1.1\r\n", POST + b"Content-Length: 9\r\n\r\nhalf", CHUNKED + b"\r\n4\r\nhalf\r\n"):
        assert await half_closed(server, sent) == b""
    assert await entries(session, server.url) == []


async def test_a_half_closed_reader_of_events_has_what_there_was(
    server: Server, session: aiohttp.ClientSession
) -> None:
    async with session.post(server.url, data="before") as answer:
        assert answer.status == 201
    head = b"GET /r/lobby/events?after=0 HTTP/1.1\r\n" + HOST + b"Accept: text/event-stream\r\n\r\n"
    assert b'"text":"before"' in await half_closed(server, head)
    async with session.get(f"{server.url}rooms", headers={"Accept": "application/json"}) as answer:
        assert [room["seats"] for room in await answer.json()] == [0]


async def test_chunks_that_turn_bad_in_the_middle_leave_nothing(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiohttp's parser gives up without a word to who reads the body; the body's clock ends it."""
    monkeypatch.setattr(body, "SILENCE_S", 0.5)
    browser = await BrowserPeer.join(session, server.url)
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(b"PUT /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    await browser.until(type="transfer", received=5)
    writer.write(b"zz\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")
    await browser.until(type="transfer", state="failed")
    assert await entries(session, server.url) == []
    writer.close()


async def test_who_goes_while_a_file_is_opened_is_no_fault_of_ours(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    send = loop.sendfile

    async def gone(transport: asyncio.WriteTransport, *what: object) -> object:
        transport.abort()
        return await send(transport, *what)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "sendfile", gone)
    with pytest.raises(aiohttp.ClientError):
        async with session.get(f"{server.url}static/main.js") as answer:
            await answer.read()
    assert await entries(session, server.url) == []  # a request later: what was to be logged is logged
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


LINE = connection.LINE_MAX_BYTES


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (b"/rooms?" + b"x" * (LINE - 7), b"", 200),
        (b"/rooms?" + b"x" * (LINE - 6), b"", 400),
        (b"/rooms?" + b"x" * 100_000, b"", 400),
        (b"/rooms", b"X: " + b"x" * (LINE - 1) + b"\r\n", 200),
        (b"/rooms", b"X: " + b"x" * (LINE + 1) + b"\r\n", 400),
        (b"/rooms", b"".join(b"X-%d: a\r\n" % number for number in range(62)), 200),
        (b"/rooms", b"".join(b"X-%d: a\r\n" % number for number in range(63)), 400),
    ],
    ids=["line", "line + 1", "a long line", "header", "header + 1", "64 headers", "65 headers"],
)
async def test_a_request_is_so_large_and_no_larger(server: Server, target: bytes, headers: bytes, status: int) -> None:
    request = b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n" + headers + b"\r\n"
    answer: Answer = await asyncio.to_thread(ask, server.address, request)
    assert answer.status == status


@pytest.mark.parametrize("begun", [b"GET /rooms HTTP/1.1\r\nX: ", b""], ids=["headers that dribble", "silence"])
async def test_a_connection_does_not_wait_for_ever(
    server: Server, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE_S", 0.5)

    def conversation() -> tuple[bytes, float]:
        with socket.create_connection(server.address, PATIENCE_S) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
            answer = client.recv(65536)
            started = time.monotonic()
            client.settimeout(0.05)
            client.sendall(begun)
            while time.monotonic() - started < PATIENCE_S:
                try:
                    if begun:
                        client.sendall(b"x")
                    if not client.recv(1):
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            return answer, time.monotonic() - started

    answer, lasted = await asyncio.to_thread(conversation)
    assert answer.endswith(b"ok\n")
    assert lasted < PATIENCE_S


async def test_headers_that_dribble_from_the_first_byte_on_end_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE_S", 0.5)

    def conversation() -> bytes:
        with socket.create_connection(server.address, PATIENCE_S) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST)
            return everything(client)

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.to_thread(conversation)
