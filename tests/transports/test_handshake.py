"""The hand-over: aiohttp shakes hands, a protocol of ours goes on, and no byte is lost between them."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from typing import Any

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from bridge.transports.handshake import Handshake
from tests.support import observe
from tests.support.peers import PATIENCE_S
from tests.support.process import Running
from tests.support.streams import WS_KEY, RawBrowser, everything, masked, request

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Key: {WS_KEY.decode()}")


def test_what_the_hand_over_needs_of_aiohttp_is_there() -> None:
    """Its request protocol has these and no others: a new aiohttp that renames them fails here, not in a browser."""
    slots = {name for kind in RequestHandler.__mro__ for name in getattr(kind, "__slots__", ())}
    assert {"_message_tail", "transport"} <= slots


async def test_aiohttp_lets_go_of_the_connection() -> None:
    """Nothing of it is left, and it can be shut down while the connection goes on."""
    taken: list[tuple[asyncio.Transport, bytes]] = []
    handlers: list[weakref.ref[Any]] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        handshake = Handshake()
        handlers.append(weakref.ref(request))
        both = await handshake.take_over(request)
        assert both
        both[0].set_protocol(asyncio.Protocol())
        taken.append(both)
        return handshake

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("GET / HTTP/1.1", *UPGRADE, "Sec-WebSocket-Version: 13") + b"ahead")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    async with asyncio.timeout(10):
        while runner.server.connections or handlers[0]() is not None:
            await asyncio.sleep(0)
            gc.collect()
    ((transport, ahead),) = taken
    assert ahead == b"ahead"
    await runner.cleanup()
    assert not transport.is_closing()
    transport.write(b"still here")
    assert await reader.readexactly(10) == b"still here"
    transport.abort()
    writer.close()


def test_words_sent_with_the_handshake_are_heard_once(running: Running) -> None:
    with RawBrowser(running.address, "after=-1") as reader:
        reader.read()
        with RawBrowser(running.address, "after=-1", ahead=masked('{"type":"say","key":"k","text":"hi"}')) as writer:
            for one in (writer, reader):
                assert [said["text"] for said in _entries(one, 1)] == ["hi"]
            writer.say("k2", "there")
            assert [said["text"] for said in _entries(reader, 1)] == ["there"]


def test_a_handshake_that_is_none_leaves_the_connection_to_http(running: Running) -> None:
    """Version 12 is refused, and what was sent after it is the next request."""
    with socket.create_connection(running.address, PATIENCE_S) as connection:
        connection.sendall(
            request("GET /r/lobby/ws HTTP/1.1", *UPGRADE, "Sec-WebSocket-Version: 12")
            + request("GET /healthz HTTP/1.1", "Connection: close")
        )
        answers = everything(connection)
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert b"HTTP/1.1 200 OK" in answers
    assert answers.endswith(b"ok\n")


BREAKS = {
    "a frame that is not masked": (b"\x81\x02hi", 1002),
    "a reserved bit": (b"\xc1\x80\0\0\0\0", 1002),
    "an opcode that is none": (b"\x83\x80\0\0\0\0", 1002),
    "a binary frame": (masked("x", opcode=2), 1003),
    "text that is no UTF-8": (b"\x81\x81\0\0\0\0\xff", 1007),
    "a message too large, with much of it on its way": (
        b"\x81\xff" + (1 << 20).to_bytes(8, "big") + bytes(1 << 20),
        1009,
    ),
}


@pytest.mark.parametrize(("sent", "code"), BREAKS.values(), ids=BREAKS.keys())
def test_what_breaks_the_protocol_is_closed_with_its_code(running: Running, sent: bytes, code: int) -> None:
    with RawBrowser(running.address, "after=-1") as browser:
        browser.read()
        browser.socket.sendall(sent)
        assert _last(browser) == code
        assert everything(browser.socket) == b""


@pytest.mark.parametrize(("sent", "code"), [(b"\x03\xe8", 1000), (b"\x0f\xa1bye", 4001), (b"", 0)])
def test_a_close_is_answered_with_its_own_code(running: Running, sent: bytes, code: int) -> None:
    with RawBrowser(running.address, "after=-1") as browser:
        browser.read()
        browser.socket.sendall(bytes((0x88, 0x80 | len(sent))) + bytes(4) + sent)
        assert _last(browser) == code
        assert everything(browser.socket) == b""


def test_a_message_in_pieces_with_a_ping_between_is_heard_whole(running: Running) -> None:
    said = '{"type":"say","key":"k","text":"你好"}'.encode()
    with RawBrowser(running.address, "after=-1") as browser:
        browser.read()
        for place in range(len(said)):  # every frame of a byte, so that characters are cut too
            head = bytes(((place == len(said) - 1) << 7 | (place == 0), 0x81, 0, 0, 0, 0))
            browser.socket.sendall(head + said[place : place + 1])
            if place == 20:
                browser.socket.sendall(masked("?", opcode=9))
        assert [entry["text"] for entry in _entries(browser, 1)] == ["你好"]


def test_who_asks_for_much_and_reads_nothing_is_left_waiting(running: Running) -> None:
    """A thousand pings of 125 bytes are answered as they are read; more wait in the socket, not in our memory."""
    ping = masked("x" * 125, opcode=9)
    with RawBrowser(running.address, "after=-1", receive_buffer=4096) as browser:
        browser.socket.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 << 20:
                sent += browser.socket.send(ping * 512)
        assert sent < 32 << 20
        browser.socket.settimeout(PATIENCE_S)
        assert observe.rss_bytes(running.process.pid) < 200 << 20


def _entries(browser: RawBrowser, count: int) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    while len(heard) < count:
        heard += [one for one in browser.read() if "seq" in one]
    return heard


def _last(browser: RawBrowser) -> int:
    """The code with which the server closes."""
    while True:
        for one in browser.read():
            if "close" in one:
                return int(one["close"])
