"""TCP lines, as conversations with a running server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from bridge.config import Config
from bridge.server import Server
from bridge.transports import line
from bridge.wire.line import LINE_MAX_BYTES
from tests.support.peers import BrowserPeer, LinePeer, entries, texts


def seat(server: Server) -> LinePeer:
    """A line client that has been welcomed."""
    peer = LinePeer(server.address)
    peer.say("/time")  # long enough to be recognised at once, unlike an empty line
    assert peer.read().startswith("* welcome to lobby")
    assert peer.read().startswith("* ")
    return peer


async def test_the_first_line_seats_and_the_room_comes_back(server: Server) -> None:
    def conversation() -> None:
        with LinePeer(server.address) as alice, LinePeer(server.address) as bob:
            alice.say("")
            assert alice.read() == f"* welcome to lobby, you are tcp-{alice.port}; /help lists commands"
            bob.say("hello")
            assert bob.read().startswith("* welcome to lobby")
            assert alice.read() == f"[tcp-{bob.port}] hello"

    await asyncio.to_thread(conversation)


@pytest.mark.parametrize("first", [b"\n", b"\r\n"])
async def test_an_empty_first_line_is_enough_to_sit_down_and_says_nothing(
    server: Server, session: aiohttp.ClientSession, first: bytes
) -> None:
    def conversation() -> None:
        with LinePeer(server.address) as alice:
            alice.socket.sendall(first)
            assert alice.read().startswith("* welcome to lobby")

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == []


async def test_nothing_is_sent_before_the_first_line(server: Server, session: aiohttp.ClientSession) -> None:
    """Whatever had been sent earlier would stand before the welcome."""

    def conversation() -> None:
        with LinePeer(server.address) as silent, seat(server) as alice, seat(server) as bob:
            silent.socket.sendall(b"half a li")
            alice.say("is anybody there?")
            assert bob.read() == f"[tcp-{alice.port}] is anybody there?"
            silent.say("ne")
            assert silent.read().startswith("* welcome")
            assert bob.read() == f"[tcp-{silent.port}] half a line"
            alice.say("hello")
            assert silent.read() == f"[tcp-{alice.port}] hello"

    await asyncio.to_thread(conversation)


async def test_history_does_not_come_unasked(server: Server, session: aiohttp.ClientSession) -> None:
    await session.post(server.url, data="long ago")

    def conversation() -> None:
        with seat(server) as alice, seat(server) as bob:
            bob.say("now")
            assert alice.read() == f"[tcp-{bob.port}] now"

    await asyncio.to_thread(conversation)


LINES = {
    "newline": (b"hello\n", "hello"),
    "CRLF": (b"hello\r\n", "hello"),
    "one letter and a wait": (b"y\n", "y"),
    "a word that opens a request line": (b"GET the milk\n", "GET the milk"),
    "UTF-8": ("你好，世界\n".encode(), "你好，世界"),
    "a byte order mark": (b"\xef\xbb\xbfhello\n", "hello"),
    "GB18030, as Chinese Windows sends it": ("你好，世界\r\n".encode("gb18030"), "你好，世界"),
    "a tab": (b"a\tb\n", "a\tb"),
    "spaces at its ends": (b"  hello  \n", "  hello  "),
    "the longest line": (b"x" * LINE_MAX_BYTES + b"\n", "x" * LINE_MAX_BYTES),
    "the longest line with CRLF": (b"x" * LINE_MAX_BYTES + b"\r\n", "x" * LINE_MAX_BYTES),
    "telnet's negotiation before the words": (b"\xff\xfd\x03\xff\xfb\x18hello\r\n", "hello"),
    "telnet's subnegotiation between the words": (b"hel\xff\xfa\x18\x00xterm\xff\xf0lo\r\n", "hello"),
    "telnet's two-byte command": (b"hello\xff\xf1\r\n", "hello"),
    "no newline at the end of the stream": (b"hello", "hello"),
    "a letter and the end of the stream": (b"y", "y"),
}


@pytest.mark.parametrize(("sent", "text"), LINES.values(), ids=LINES.keys())
async def test_a_line_is_a_message(server: Server, session: aiohttp.ClientSession, sent: bytes, text: str) -> None:
    def conversation() -> int:
        with LinePeer(server.address) as alice:
            alice.socket.sendall(sent)
            alice.socket.shutdown(socket.SHUT_WR)
            assert alice.read().startswith("* welcome")
            assert alice.read() == ""
            return alice.port

    port = await asyncio.to_thread(conversation)
    (entry,) = await entries(session, server.url)
    assert entry["text"] == text
    assert (entry["type"], entry["room"]) == ("text", "lobby")
    assert entry["from"].items() >= {"name": f"tcp-{port}", "via": "tcp", "addr": f"127.0.0.1:{port}"}.items()


async def test_a_line_is_one_message_however_it_was_cut(server: Server, session: aiohttp.ClientSession) -> None:
    """Byte by byte, each sent at once; then three lines in one piece."""

    def conversation() -> None:
        with LinePeer(server.address) as alice:
            alice.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in "你好\r\nbob\r\n".encode():
                alice.socket.sendall(bytes((byte,)))
            alice.socket.sendall(b"one\ntwo\r\nthree\n")
            alice.socket.shutdown(socket.SHUT_WR)
            alice.read_until("/help lists commands")
            assert alice.read() == ""

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["你好", "bob", "one", "two", "three"]


async def test_a_line_about_a_protocol_is_chat(server: Server, session: aiohttp.ClientSession) -> None:
    """Only as the very first line it would be taken for HTTP, and answered so."""

    def conversation() -> None:
        with seat(server) as alice:
            alice.say("I love HTTP/1.1")
            alice.say("GET the milk")
            alice.socket.shutdown(socket.SHUT_WR)
            assert alice.read() == ""

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["I love HTTP/1.1", "GET the milk"]


async def test_the_same_line_twice_is_two_messages(server: Server, session: aiohttp.ClientSession) -> None:
    def conversation() -> None:
        with seat(server) as alice:
            alice.say("again")
            alice.say("again")
            alice.socket.shutdown(socket.SHUT_WR)
            assert alice.read() == ""

    await asyncio.to_thread(conversation)
    first, second = await entries(session, server.url)
    assert first["text"] == second["text"] == "again"
    assert first["key"] != second["key"] and first["seq"] < second["seq"]


async def test_a_half_closed_client_still_has_its_lines_stored(server: Server, session: aiohttp.ClientSession) -> None:
    """`printf 'one\\ntwo' | nc -N HOST PORT`, all of it there before the server reads the first byte."""

    def conversation() -> None:
        with LinePeer(server.address) as alice:
            alice.socket.sendall(b"".join(b"line %d\n" % number for number in range(500)) + b"the last")
            alice.socket.shutdown(socket.SHUT_WR)
            assert alice.read().startswith("* welcome")
            assert alice.read() == ""

    await asyncio.to_thread(conversation)
    said = await texts(session, server.url)
    assert said == [f"line {number}" for number in range(1, 500)] + ["the last"]


async def test_nobody_gets_own_words_back(server: Server) -> None:
    def conversation() -> None:
        with seat(server) as alice, seat(server) as bob:
            alice.say("one")
            assert bob.read() == f"[tcp-{alice.port}] one"
            alice.say("two")
            assert bob.read() == f"[tcp-{alice.port}] two"
            bob.say("three")
            assert alice.read() == f"[tcp-{bob.port}] three"

    await asyncio.to_thread(conversation)


REFUSED = {
    "one byte too long": (b"x" * (LINE_MAX_BYTES + 1) + b"\n", "more than 16384 bytes"),
    "far too long": (b"x" * 300_000 + b"\n", "more than 16384 bytes"),
    "bytes that are no text": (b"abcd\x80\xff\xfe\xfe\n", "neither UTF-8 nor GB18030"),
    "an escape sequence": (b"red: \x1b[31m\n", "U+001B"),
    "a bell": (b"ding\x07\n", "U+0007"),
    "an 8-bit control sequence": ("red: \u009b31m\n".encode(), "U+009B"),
    "a carriage return inside": (b"a\rb\n", "U+000D"),
}


@pytest.mark.parametrize(("sent", "why"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_line_that_breaks_a_rule_is_answered_and_not_posted(
    server: Server, session: aiohttp.ClientSession, sent: bytes, why: str
) -> None:
    def conversation() -> None:
        with LinePeer(server.address) as alice:
            alice.socket.sendall(sent)
            assert alice.read().startswith("* welcome")
            notice = alice.read()
            assert notice.startswith("* ") and why in notice
            alice.say("I am still here")
            alice.socket.shutdown(socket.SHUT_WR)
            assert alice.read() == ""

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["I am still here"]


@pytest.mark.parametrize("said", ["", "hello\n"])
async def test_a_file_sent_as_it_is_is_told_how_files_are_sent(
    server: Server, session: aiohttp.ClientSession, said: str
) -> None:
    """Read away first, or its sender would be reset before it reads why."""
    film = b"ID3\x03\0" + b"\n".join(b"a line that would be text" for _ in range(100_000))

    def conversation() -> list[str]:
        with LinePeer(server.address) as alice:
            alice.socket.sendall(said.encode() + film)
            alice.socket.shutdown(socket.SHUT_WR)
            lines = [alice.read()]
            while lines[-1]:
                lines.append(alice.read())
            return lines

    *welcome, told, end = await asyncio.to_thread(conversation)
    assert told == f"* this is no text: send a file with curl -T FILE {server.url}"
    assert end == ""
    assert len(welcome) == bool(said)
    assert await texts(session, server.url) == said.split()


async def test_a_file_whose_sender_never_says_that_it_is_done_is_told_and_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "AWAY_S", 0.2)

    def conversation() -> None:
        with LinePeer(server.address) as alice:
            alice.socket.sendall(b"\x7fELF\x02\x01\x01\0")
            assert alice.read().startswith("* this is no text")
            assert alice.read() == ""

    await asyncio.to_thread(conversation)


async def test_no_more_than_enough_of_it_is_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "AWAY_MAX_BYTES", 1_000_000)

    def conversation() -> None:
        with LinePeer(server.address) as alice:
            alice.socket.sendall(b"\x7fELF\x02\x01\x01\0")
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                for _ in range(1000):
                    alice.socket.sendall(b"x" * 100_000)

    await asyncio.to_thread(conversation)


REQUESTS = (
    b"GET / HTTP/1.1\r\nHost: x\r\nCookie: secret=1\r\n\r\n",
    b"POST /r/lobby HTTP/1.0\r\n\r\nsecret",
    b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\nCookie: secret\n\n",
    b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nCookie: secret\r\n\r\n",
)


@pytest.mark.parametrize("request_bytes", REQUESTS, ids=lambda raw: raw[:24].decode().strip())
async def test_a_request_line_among_lines_closes_and_stores_nothing_of_it(
    server: Server, session: aiohttp.ClientSession, request_bytes: bytes
) -> None:
    """A proxy that reuses a connection must not put somebody's cookies into the room."""

    def conversation() -> None:
        with seat(server) as mallory:
            mallory.say("hello")
            mallory.socket.sendall(request_bytes)
            with pytest.raises(ConnectionResetError):
                while mallory.read():
                    pass
                raise ConnectionResetError  # an orderly end is as good

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["hello"]


async def test_a_line_break_within_a_text_is_indented(server: Server, session: aiohttp.ClientSession) -> None:
    """So that no text can pass for the line of another, or for a notice."""
    text = "hi\n[bob] pay me\r\n* bye\u2028end"
    with await asyncio.to_thread(seat, server) as alice:
        await session.post(server.url, data=text.encode(), headers={"X-Name": "mallory"})
        lines = await asyncio.to_thread(lambda: [alice.read() for _ in range(4)])
    assert lines == ["[mallory] hi", "    [bob] pay me", "    * bye", "    end"]


async def test_a_long_entry_is_one_line(server: Server, session: aiohttp.ClientSession) -> None:
    with await asyncio.to_thread(seat, server) as alice:
        await session.post(server.url, data="长" * 5000, headers={"X-Name": "bob"})
        assert await asyncio.to_thread(alice.read) == f"[bob] {'长' * 5000}"


async def test_what_steers_a_terminal_is_left_out(server: Server, session: aiohttp.ClientSession) -> None:
    """Bidirectional controls could show a line as another (CVE-2021-42574)."""
    with await asyncio.to_thread(seat, server) as alice:
        await session.post(server.url, data="ab\u202ecd\u2066e".encode(), headers={"X-Name": "bob"})
        assert await asyncio.to_thread(alice.read) == "[bob] abcde"
    assert await texts(session, server.url) == ["ab\u202ecd\u2066e"]


async def test_a_file_is_a_line_with_an_address_that_works(server: Server, session: aiohttp.ClientSession) -> None:
    with await asyncio.to_thread(seat, server) as alice:
        await session.put(f"{server.url}报告.pdf", data=b"x" * 123, headers={"X-Name": "bob"})
        line = await asyncio.to_thread(alice.read)
        opening, _, url = line.rpartition(" ")
        assert opening == "[bob] sent 报告.pdf (123 bytes)"
        assert url.startswith(f"{server.url}files/")
        async with session.get(url) as response:
            assert await response.read() == b"x" * 123
        await session.put(f"{server.url}one", data=b"x", headers={"X-Name": "bob"})
        assert (await asyncio.to_thread(alice.read)).startswith("[bob] sent one (1 byte) http://")


async def test_a_files_address_is_the_one_this_peer_reached_us_at(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]
    server = await serve(listen=(f"127.0.0.2:{port}",))

    def sit() -> LinePeer:
        peer = LinePeer(("127.0.0.2", port))
        peer.say("/time")
        assert peer.read().startswith("* welcome") and peer.read()
        return peer

    with await asyncio.to_thread(sit) as alice:
        await session.put(f"{server.url}a.txt", data=b"abc")
        url = (await asyncio.to_thread(alice.read)).rpartition(" ")[2]
        assert url.startswith(f"http://127.0.0.2:{port}/files/")
        async with session.get(url) as response:
            assert await response.read() == b"abc"


async def test_a_client_that_hangs_up_leaves_the_room(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    alice = await asyncio.to_thread(seat, server)
    joined = await browser.until(type="presence", count=2)
    (peer,) = joined["joined"]
    assert peer.items() >= {"name": f"tcp-{alice.port}", "via": "tcp", "addr": f"127.0.0.1:{alice.port}"}.items()
    alice.close()
    assert (await browser.until(type="presence", count=1))["left"] == [peer["id"]]


async def test_a_client_that_is_reset_leaves_the_room(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    alice = await asyncio.to_thread(seat, server)
    await browser.until(type="presence", count=2)
    alice.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    alice.close()
    await browser.until(type="presence", count=1)


async def test_a_client_that_does_not_read_holds_nobody_up_and_misses_nothing(
    server: Server, session: aiohttp.ClientSession
) -> None:
    """More than sockets, tail and high-water mark hold together, so that it is fed from the log in the end."""
    slow, quick = await asyncio.to_thread(seat, server), await asyncio.to_thread(seat, server)
    words = "x" * 16_000
    with slow, quick:
        writer = await BrowserPeer.join(session, server.url, name="writer", after=-1)

        async def write() -> None:
            for number in range(900):
                await writer.say(f"k{number}", f"{number} {words}")

        async def listen() -> None:
            for _ in range(900):
                await writer.entry()

        def read(peer: LinePeer) -> list[str]:
            return [peer.read() for _ in range(900)]

        expected = [f"[writer] {number} {words}" for number in range(900)]
        writing = asyncio.gather(write(), listen())
        assert await asyncio.to_thread(read, quick) == expected  # while the other reads nothing
        await writing
        assert await asyncio.to_thread(read, slow) == expected


async def test_a_client_is_told_when_the_server_goes(tmp_path: Path) -> None:
    async with Server(Config(port=0, data=tmp_path / "data")) as server:
        alice = await asyncio.to_thread(seat, server)
    with alice:
        assert alice.read() == "* bye: the server is shutting down"
        assert alice.read() == ""
