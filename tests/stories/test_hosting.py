"""A lesson with a troublemaker: what a host does reaches who came by browser, by line, by datagram, by a stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest

from bridge.server import Server
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer, UploadPeer, entries, texts


@pytest.fixture
async def alice(server: Server, tmp_path: Path) -> AsyncIterator[BrowserPeer]:
    """A host at her page."""
    token = (tmp_path / "data" / "host-token").read_text().strip()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        yield await BrowserPeer.join(session, server.url, name="alice")


async def rule(alice: BrowserPeer, **wish: object) -> None:
    """Lay it down, and wait until it holds."""
    key = f"key of {wish}"[:64]
    await alice.send({"type": "rule", "key": key, "rule": wish})
    await alice.until(type="rule", key=key)


async def id_of(alice: BrowserPeer, name: str) -> str:
    while True:
        for peer in (await alice.until(type="presence")).get("joined", []):
            if peer["name"].startswith(name):
                return peer["id"]


async def in_thread(peer: LinePeer | DatagramPeer, said: str | None = None) -> str:
    if said is not None:
        peer.say(said)
    return (await asyncio.to_thread(peer.read)).removesuffix("\n")


async def test_sockets_read_what_hosts_do_as_notices(
    server: Server, session: aiohttp.ClientSession, alice: BrowserPeer
) -> None:
    with LinePeer(server.address) as line, DatagramPeer(server.address) as device:
        for peer in (line, device):
            assert (await in_thread(peer, "")).startswith("* welcome")
        line.say("/nick bob")
        assert await in_thread(line) == "* you are now bob"
        assert await in_thread(line, "/topic") == "* no topic is set"
        assert await in_thread(line, "/topic mine") == "* only a host may do this"
        assert await in_thread(line, "/mute alice") == "* only a host may do this"
        assert await in_thread(line, "/mute nobody") == "* nobody here is called nobody; /who names some"
        assert await in_thread(line, "/mute") == "* /mute wants more: /mute NAME"
        id = await id_of(alice, "udp-")
        for wish, told in (
            ({"topic": "Maths: \u202esums"}, "set the topic: Maths: sums"),
            ({"read_only": True}, "made the room read-only: only hosts speak"),
            ({"read_only": False}, "let everybody speak again"),
            ({"rename": id, "name": "sensor"}, f"renamed udp-{device.port} to sensor"),
            ({"mute": id}, "muted sensor"),
        ):
            await rule(alice, **wish)
            assert await in_thread(line) == await in_thread(device) == f"* [alice] {told}"
        assert await in_thread(line, "/topic") == "* the topic: Maths: sums"
        assert await in_thread(device, "t=23") == "* a host has muted you here"
        assert await in_thread(device, "/nick other") == "* a host named you, and may let you choose again"
        assert await in_thread(device, "/as other t=23") == "* a host has muted you here"
        await rule(alice, unmute=id)
        assert await in_thread(device) == "* [alice] let sensor speak again"
        device.say("/as sensor t=23")
        assert await in_thread(line) == "* [alice] let sensor speak again"
        assert await in_thread(line) == "[sensor] t=23"
    assert await texts(session, server.url) == [None] * 6 + ["t=23"]


async def test_a_raw_file_of_one_who_may_not_speak_is_refused_and_leaves_nothing(
    server: Server, session: aiohttp.ClientSession, alice: BrowserPeer
) -> None:
    await rule(alice, read_only=True)

    def push(**more: object) -> dict[str, object]:
        with UploadPeer(server.address) as sender:
            sender.push("a.txt", b"abc", reply=True, **more)
            return sender.reply()

    for more in ({}, {"resume": True, "sha256": "a" * 64}):
        answer = await asyncio.to_thread(push, **more)
        assert answer == {"error": {"code": "forbidden", "message": "only hosts speak here just now"}}
    assert [one["type"] for one in await entries(session, server.url)] == ["rule"]


@pytest.mark.parametrize("more", [{}, {"resume": True, "sha256": sha256(b"abc").hexdigest()}], ids=["plain", "resumed"])
async def test_a_raw_file_with_the_hosts_token_is_a_hosts(
    server: Server, session: aiohttp.ClientSession, alice: BrowserPeer, tmp_path: Path, more: dict[str, object]
) -> None:
    await rule(alice, read_only=True)
    await rule(alice, pin="4711")
    token = (tmp_path / "data" / "host-token").read_text().strip()

    def push(token: str) -> dict[str, object]:
        with UploadPeer(server.address) as sender:
            sender.header(file_name="a.txt", file_size=3, reply=True, token=token, **more)
            first = sender.reply() if "resume" in more else {}
            if "error" in first:
                return first
            sender.socket.sendall(b"abc")
            return sender.reply()

    assert "PIN" in (await asyncio.to_thread(push, "guessed"))["error"]["message"]
    assert (await asyncio.to_thread(push, token))["seq"] == 3


async def test_a_line_client_shows_the_pin_of_the_room_where_it_lands(server: Server, alice: BrowserPeer) -> None:
    await rule(alice, pin="4711")
    asked = "* bye: room lobby asks for a PIN: by TCP, begin with /join lobby PIN"
    for first, answer in (
        ("hello", asked),
        ("/join lobby", asked),
        ("/join lab 4711", asked),
        ("/join lobby 0000", "* bye: this is not the PIN of room lobby"),
    ):
        with LinePeer(server.address) as line:
            assert await in_thread(line, first) == answer
    with LinePeer(server.address) as line, DatagramPeer(server.address) as device:
        assert (await in_thread(line, "/join lobby 4711")).startswith("* welcome to lobby")
        assert (await in_thread(line)).startswith("* you are in lobby")
        assert (await in_thread(device, "hello")).startswith("* room lobby asks for a PIN")


async def test_who_is_removed_goes_by_whatever_way_and_stays_away(
    server: Server, session: aiohttp.ClientSession, alice: BrowserPeer
) -> None:
    why = "a host removed you; you may come back in 10 min"
    with LinePeer(server.address) as line, DatagramPeer(server.address) as device:
        assert (await in_thread(line, "/nick liner")).startswith("* welcome")
        assert await in_thread(line) == "* you are now liner"
        assert (await in_thread(device, "")).startswith("* welcome")
        device_id = await id_of(alice, "udp-")
        bob = await BrowserPeer.join(session, server.url, name="bob", client="bob's")
        ids = {peer["name"]: peer["id"] for peer in bob.hello["peers"]}

        await rule(alice, remove=ids["liner"])
        assert await in_thread(line) == f"* bye: {why}"
        assert await in_thread(line) == ""
        await rule(alice, remove=device_id)
        assert await in_thread(device) == "* [alice] removed liner"
        assert await in_thread(device) == f"* bye: {why}"
        device.say("let me in")

        async with session.get(f"{server.url}r/lobby/events", headers={"X-Client": "bob's"}) as stream:
            assert json.loads(await stream.content.readline())["type"] == "hello"
            await rule(alice, remove=bob.hello["you"]["id"])
            *_before, last = (await stream.content.read()).splitlines()
        assert json.loads(last) == {"type": "error", "code": "forbidden", "message": why}
        assert await bob.until(type="error") == {"type": "error", "code": "forbidden", "message": why}
        ended = await bob.ws.receive()
        assert (ended.type, ended.data, ended.extra) == (aiohttp.WSMsgType.CLOSE, 1008, "removed")

    again = await session.ws_connect(f"{server.url}r/lobby/ws?client=bob%27s")
    assert json.loads(await again.receive_str()) == {"type": "error", "code": "forbidden", "message": why}
    assert (await again.receive()).data == 1008
    for path in ("r/lobby", "r/lobby/events"):
        async with session.request(
            "POST" if path == "r/lobby" else "GET", server.url + path, data="x", headers={"X-Client": "bob's"}
        ) as response:
            assert (response.status, await response.text()) == (403, f"forbidden: {why}\n")

    # The name is free again, and the room next door is open to him.
    carol = await BrowserPeer.join(session, server.url, name="bob", client="carol's")
    assert carol.hello["you"]["name"] == "bob"
    assert {peer["name"] for peer in carol.hello["peers"]} == {"alice", "bob"}
    assert (await BrowserPeer.join(session, server.url, "lab", client="bob's")).hello["type"] == "hello"
    assert await texts(session, server.url) == [None] * 3


async def test_the_host_rules_from_nc_and_nobody_does_by_datagram(server: Server, tmp_path: Path) -> None:
    token = (tmp_path / "data" / "host-token").read_text().strip()
    with LinePeer(server.address) as line, LinePeer(server.address) as other, DatagramPeer(server.address) as device:
        for peer in (line, other, device):
            assert (await in_thread(peer, "")).startswith("* welcome")
        assert await in_thread(line, "/pass guessed") == "* that is not the secret"
        assert await in_thread(line, "/topic mine") == "* only a host may do this"
        assert await in_thread(line, f" /PASS {token}") == "* you are a host now: /help lists what hosts do"
        assert await in_thread(device, f"/pass {token}") == (
            "* you are in; hosts rule by TCP lines or in the page: datagrams may be forged"
        )
        assert await in_thread(device, "/topic mine") == "* only a host may do this"

        line.say(f"/remove tcp-{other.port}")
        assert await in_thread(other) == "* bye: a host removed you; you may come back in 10 min"
        assert await in_thread(device) == f"* [tcp-{line.port}] removed tcp-{other.port}"
        assert await in_thread(line) == f"* you removed tcp-{other.port}"
        assert await in_thread(line, "/join lab") == f"* you are in lab as tcp-{line.port}"
        assert await in_thread(line, "/topic labs") == "* you set the topic: labs", "a host in every room"
