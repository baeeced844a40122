"""Knocking, as strangers and hosts see it. With `--token` the sockets of this machine are strangers too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.server import Server
from bridge.transports import line, upload
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer, UploadPeer

KNOCKED = "* you knocked: wait, or send /pass SECRET"
Serve = Callable[..., Awaitable[Server]]


class House:
    """A server, its secrets, and a host who watches the room."""

    def __init__(self, server: Server, folder: Path, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.address = server.address
        self.token, self.host_token = ((folder / name).read_text().strip() for name in ("token", "host-token"))
        self._session = session

    async def join(self, token: str, room: str = "lobby") -> BrowserPeer:
        return await BrowserPeer.join(self._session, self.server.url, room, token=token)

    async def texts(self) -> list[Any]:
        async with self._session.get(f"{self.server.url}r/lobby/entries?token={self.token}") as response:
            return [entry.get("text") for entry in (await response.json())["entries"]]


@pytest.fixture
async def house(serve: Serve, tmp_path: Path, session: aiohttp.ClientSession) -> House:
    return House(await serve(token=True), tmp_path / "data", session)


async def knock(host: BrowserPeer) -> dict[str, Any]:
    """The next card."""
    card = await host.until(type="knock")
    assert "answered" not in card, card
    return card


async def test_hosts_in_any_room_are_asked_and_members_are_not(house: House) -> None:
    host, member = await house.join(house.host_token), await house.join(house.token)
    elsewhere = await house.join(house.host_token, "another-room")
    with LinePeer(house.address) as peer:
        peer.say("hello")
        card = await knock(host)
        told = {"via": "tcp", "addr": f"127.0.0.1:{peer.port}", "text": "hello"}
        assert card.items() >= told.items()
        assert await knock(elsewhere) == card
        late = await house.join(house.host_token)
        assert await knock(late) == card

        await member.send({"type": "admit", "id": card["id"]}, {"type": "refuse", "id": card["id"]})
        for _ in range(2):
            assert (await member.until(type="error"))["code"] == "forbidden"
        await elsewhere.send({"type": "admit", "id": card["id"]})
        for one in (host, elsewhere, late):
            assert await one.until(type="knock") == {"type": "knock", "id": card["id"], "answered": "admitted"}
        assert (await member.entry())["text"] == "hello"
        await host.send({"type": "refuse", "id": card["id"]})
        assert (await host.until(type="error"))["code"] == "not_found"


async def test_a_line_client_is_held_and_then_all_it_said_is_said(house: House) -> None:
    host = await house.join(house.host_token)
    with LinePeer(house.address) as peer:
        peer.say("\none\ntwo")
        card = await knock(host)
        peer.say("three")
        assert card["text"] == "one" and await house.texts() == []
        await host.send({"type": "admit", "id": card["id"]})
        outside = await asyncio.to_thread(peer.read)
        assert outside == "* you are outside: send /pass SECRET"  # to the empty line, and no more than that
        assert (
            await asyncio.to_thread(peer.read) == f"* welcome to lobby, you are tcp-{peer.port}; /help lists commands"
        )
        assert [(await host.entry())["text"] for _ in range(3)] == ["one", "two", "three"]


async def test_a_line_client_that_has_said_its_last_still_waits(house: House) -> None:
    """As `echo hello | nc -N` does."""
    host = await house.join(house.host_token)
    with LinePeer(house.address) as peer:
        peer.socket.sendall(b"hello")
        peer.socket.shutdown(1)
        await host.send({"type": "admit", "id": (await knock(host))["id"]})
        assert (await host.entry())["text"] == "hello"


async def test_one_that_is_refused_is_closed_without_another_word(house: House) -> None:
    host = await house.join(house.host_token)
    with LinePeer(house.address) as peer, UploadPeer(house.address) as sender:
        peer.say("hello")
        await host.send({"type": "refuse", "id": (await knock(host))["id"]})
        assert [await asyncio.to_thread(peer.read) for _ in range(2)] == [KNOCKED, ""]
        # For a minute nobody is asked about this address again, so a file is turned away at once.
        sender.push("a.txt", b"hello", reply=True)
        assert (await asyncio.to_thread(sender.reply))["error"]["code"] == "forbidden"
    assert await house.texts() == []


async def test_one_that_nobody_answers_is_let_go(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    host = await house.join(house.host_token)
    monkeypatch.setattr(line, "KNOCK_S", 0.2)
    with LinePeer(house.address) as peer:
        peer.say("hello")
        card = await knock(host)
        assert [await asyncio.to_thread(peer.read) for _ in range(2)] == [KNOCKED, ""]
        assert await host.until(type="knock") == {"type": "knock", "id": card["id"], "answered": "gone"}


async def test_the_secret_seats_a_line_client_and_what_follows_it_is_said(house: House) -> None:
    host = await house.join(house.host_token)
    roles = {
        house.token: ("* you are in; the host's token would make you a host", "* only a host may do this"),
        house.host_token: ("* you are a host now: /help lists what hosts do", "* you set the topic: mine"),
    }
    for secret, told in roles.items():
        with LinePeer(house.address) as peer:
            peer.say(f"/pass {secret}\nafter it\n/topic mine\n/pass {secret}")
            assert (await asyncio.to_thread(peer.read)).startswith("* welcome to lobby")
            assert [await asyncio.to_thread(peer.read) for _ in range(2)] == [*reversed(told)]
            assert (await host.entry())["text"] == "after it"
    with LinePeer(house.address) as peer:
        peer.say("before it")
        card = await knock(host)
        peer.say(f"/pass {house.token}")
        assert [(await asyncio.to_thread(peer.read))[:9] for _ in range(2)] == [KNOCKED[:9], "* welcome"]
        assert await host.until(type="knock") == {"type": "knock", "id": card["id"], "answered": "gone"}
        assert (await host.entry())["text"] == "before it" == card["text"]


async def test_a_wrong_secret_ends_it_and_no_secret_is_ever_shown(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    host = await house.join(house.host_token)
    with caplog.at_level(logging.DEBUG):
        for wrong in ("/pass wrong-secret", " /PASS wrong-secret", "/pass wrong-secret\nand more"):
            with LinePeer(house.address) as peer:
                peer.say(wrong)
                assert [await asyncio.to_thread(peer.read) for _ in range(2)] == ["* that is not the secret", ""]
        with DatagramPeer(house.address) as peer:
            peer.say("/pass wrong-secret")
            assert await asyncio.to_thread(peer.read) == "* that is not the secret\n"
            peer.say(f"/pass {house.token}")
            code = (await asyncio.to_thread(peer.read)).removeprefix("* send: ").strip()
            peer.say(code)
            assert (await asyncio.to_thread(peer.read)).startswith("* welcome")
            for again in (code, f"/pass {house.token}"):
                peer.say(again)
                assert (await asyncio.to_thread(peer.read)).startswith("* you are in")
        with UploadPeer(house.address) as sender:
            sender.push("a.txt", b"hello", token="wrong-secret", reply=True)
            assert (await asyncio.to_thread(sender.reply))["error"]["code"] == "forbidden"
    assert await house.texts() == []
    assert not any(secret in caplog.text for secret in ("wrong-secret", house.token, house.host_token))
    await host.send({"type": "say", "key": "k", "text": "nobody knocked"})
    while (told := await host.read()).get("key") != "k":
        assert told["type"] != "knock", told


async def test_what_is_no_text_or_a_request_ends_it_without_a_word(house: House) -> None:
    for opening in (b"hello\n\x00\x00\x00\n", b"hello\nGET / HTTP/1.1\n", b"/quit\n"):
        with LinePeer(house.address) as peer:
            peer.socket.sendall(opening)
            assert await asyncio.to_thread(_to_the_end, peer) in ([], [KNOCKED])
    assert await house.texts() == []


def _to_the_end(peer: LinePeer) -> list[str]:
    lines = []
    try:
        while line := peer.read():
            lines.append(line)
    except ConnectionError:
        pass
    return lines


async def test_a_file_waits_in_its_socket_until_a_host_admits_it(house: House) -> None:
    host = await house.join(house.host_token)
    with UploadPeer(house.address) as sender:
        content = b"x" * (16 * 1024 * 1024)
        pushing = asyncio.create_task(asyncio.to_thread(sender.push, "../报告.pdf", content, reply=True))
        card = await knock(host)
        assert (card["via"], card["text"]) == ("tcp", f"报告.pdf ({len(content)} bytes)")
        assert not pushing.done(), "nobody reads it"
        await host.send({"type": "admit", "id": card["id"]})
        await pushing
        assert (await asyncio.to_thread(sender.reply))["seq"] == 1
        sender.push("another.txt", b"hello", reply=True)  # the connection is in
        assert (await asyncio.to_thread(sender.reply))["seq"] == 2


async def test_a_token_in_its_header_lets_a_file_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "KNOCK_S", 0.2)
    with UploadPeer(house.address) as sender:
        sender.push("a.txt", b"hello", token=house.token)
        sender.push("b.txt", b"hello", reply=True)
        assert (await asyncio.to_thread(sender.reply))["seq"] == 2


async def test_a_datagram_is_held_and_said_when_it_is_admitted(house: House) -> None:
    host = await house.join(house.host_token)
    with DatagramPeer(house.address) as peer:
        peer.say("来自小明的消息:你好")
        peer.say("again")
        card = await knock(host)
        assert (card["via"], card["text"]) == ("udp", "你好")
        await host.send({"type": "admit", "id": card["id"]})
        assert (await host.entry())["text"] == "你好"
        assert await asyncio.to_thread(peer.read) == f"{KNOCKED}\n"
        assert (await asyncio.to_thread(peer.read)).startswith("* welcome to lobby, you are 小明")
        peer.say("and now")
        assert (await host.entry())["text"] == "and now"
        await host.send({"type": "say", "key": "k", "text": "welcome"})
        assert (await asyncio.to_thread(peer.read)).endswith("] welcome\n")


async def test_always_lets_in_who_comes_from_there_by_the_same_way(house: House, tmp_path: Path) -> None:
    host = await house.join(house.host_token)
    with LinePeer(house.address) as peer:
        peer.say("hello")
        await host.send({"type": "admit", "id": (await knock(host))["id"], "always": True})
        assert await asyncio.to_thread(peer.read) == KNOCKED
        assert (await asyncio.to_thread(peer.read)).startswith("* welcome")
    with LinePeer(house.address) as peer, DatagramPeer(house.address) as other:
        peer.say("again")
        assert (await asyncio.to_thread(peer.read)).startswith("* welcome")
        other.say("by another way")
        assert await asyncio.to_thread(other.read) == f"{KNOCKED}\n"
    assert (tmp_path / "data" / "admitted").read_text() == "tcp 127.0.0.1\n"


async def test_and_the_next_server_knows_it(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "admitted").write_text("udp 127.0.0.1\n")
    server = await serve(token=True)
    with LinePeer(server.address) as peer, DatagramPeer(server.address) as other:
        peer.say("hello")
        assert await asyncio.to_thread(peer.read) == KNOCKED
        other.say("hello")
        assert (await asyncio.to_thread(other.read)).startswith("* welcome")
