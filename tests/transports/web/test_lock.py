"""A room with a PIN: nothing of it is given to who does not show it, whatever is asked."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.pins import WRONG_MAX
from bridge.server import Server
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer, UploadPeer

PIN = "geheim-中"
JSON = {"Accept": "application/json"}


@pytest.fixture
async def host(server: Server, tmp_path: Path, session: aiohttp.ClientSession) -> dict[str, str]:
    """What a host sends along; she has said something in the lab and set its PIN."""
    headers = {"Authorization": f"Bearer {(tmp_path / 'data' / 'host-token').read_text().strip()}"}
    async with session.post(f"{server.url}r/lab", data="a secret of ours", headers=headers) as response:
        assert response.status == 201
    await pin(session, server, headers, PIN)
    return headers


async def pin(session: aiohttp.ClientSession, server: Server, host: dict[str, str], pin: str, status: int = 201) -> Any:
    async with session.post(f"{server.url}r/lab/rules", json={"pin": pin}, headers={**host, **JSON}) as response:
        assert response.status == status
        return await response.json(content_type=None)


ASKED = [
    ("GET", "entries"),
    ("GET", "rules"),
    ("POST", "rules"),
    ("GET", "events"),
    ("GET", "ws"),
    ("GET", "search?q=secret"),
    ("GET", "files.zip"),
    ("POST", "uploads"),
    ("PUT", "a.txt"),
    ("DELETE", "entries/1"),
]


async def test_it_is_asked_whatever_is_wanted(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str]
) -> None:
    for method, path in ASKED:
        async with session.request(method, f"{server.url}r/lab/{path}", headers=JSON) as response:
            answer = await response.json(content_type=None)
            assert (response.status, answer["code"], answer["detail"]) == (403, "forbidden", "room lab asks for a PIN")
    for method, how in (("POST", {"data": "hi"}), ("GET", {})):
        async with session.request(method, f"{server.url}r/lab", headers=JSON, **how) as response:
            assert response.status == 403
    async with session.get(f"{server.url}r/lab", headers={"Accept": "text/html"}) as response:
        page = await response.text()
        assert response.status == 200 and "data-locked" in page and "a secret of ours" not in page
    async with session.get(f"{server.url}r/lobby/entries") as response:
        assert response.status == 200


async def test_who_shows_it_is_in_and_need_not_show_it_again(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str]
) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        shown = {**JSON, "X-Pin": "geheim-%E4%B8%AD"}
        async with browser.get(f"{server.url}r/lab/rules", headers=shown) as response:
            assert (response.status, (await response.json())["pin"]) == (200, True)
            assert PIN not in str(response.cookies) and "HttpOnly" in str(response.cookies)
            (earned,) = response.cookies.values()
        for forged in (PIN, "", "é", "0" * 32):
            cookie = {"Cookie": f"{earned.key}={forged}"}
            async with session.get(f"{server.url}r/lab/entries", headers=cookie) as response:
                assert response.status == 403
        peer = await BrowserPeer.join(browser, server.url, "lab", after=0)
        assert (await peer.entry())["text"] == "a secret of ours"
        async with browser.get(f"{server.url}r/lab", headers={"Accept": "text/html"}) as response:
            assert "a secret of ours" in await response.text()
        # Another PIN, and the cookie is worth nothing; who sits there stays.
        assert (await pin(session, server, host, "another"))["rule"] == {"pin": True}
        async with browser.get(f"{server.url}r/lab/entries") as response:
            assert response.status == 403
        assert (await peer.until(type="rule", seq=3))["rule"] == {"pin": True}
    assert (await BrowserPeer.join(session, server.url, "lab", pin="another")).hello["rules"]["pin"] is True
    await pin(session, server, host, "")
    async with session.get(f"{server.url}r/lab/entries") as response:
        assert response.status == 200


async def test_the_pin_is_in_no_entry_and_in_no_file(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str], tmp_path: Path
) -> None:
    async with session.get(f"{server.url}r/lab/entries", headers=host) as response:
        assert PIN not in await response.text()
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or PIN.encode() not in path.read_bytes()


async def test_guessing_has_an_end_also_at_once(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str]
) -> None:
    async def guess(number: int) -> int:
        async with session.get(f"{server.url}r/lab/entries", headers={"X-Pin": f"{number:04}"}) as response:
            return response.status

    statuses = await asyncio.gather(*(guess(number) for number in range(3 * WRONG_MAX)))
    assert sorted(statuses) == [403] * WRONG_MAX + [429] * 2 * WRONG_MAX
    async with session.get(f"{server.url}r/lab/entries", params={"pin": PIN}) as response:
        assert response.status == 429
        assert "too many wrong PINs; wait 10 min" in await response.text()
    async with session.get(f"{server.url}r/lab/entries", headers=host) as response:
        assert response.status == 200


@pytest.mark.parametrize("wish", ["123", "x" * 33, "12 34", "12\x0034"])
async def test_what_is_no_pin_is_refused(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str], wish: str
) -> None:
    assert (await pin(session, server, host, wish, 400))["code"] == "bad_request"


async def test_sockets_show_it_too(server: Server, session: aiohttp.ClientSession, host: dict[str, str]) -> None:
    def lines() -> list[str]:
        with LinePeer(server.address) as peer:
            for words in ("", "/join lab", "/join lab 0000", f"/join lab {PIN}"):
                peer.say(words)
            return [peer.read() for _ in range(4)][1:]

    told = ["* room lab asks for a PIN", "* this is not the PIN of room lab"]
    heard = await asyncio.to_thread(lines)
    assert heard[:2] == told and heard[2].startswith("* you are in lab as tcp-")

    def push(**more: str) -> dict[str, Any]:
        with UploadPeer(server.address) as sender:
            sender.push("a.txt", b"abc", room="lab", reply=True, **more)
            return sender.reply()

    assert (await asyncio.to_thread(push))["error"]["code"] == "forbidden"
    assert (await asyncio.to_thread(push, pin=PIN))["url"].endswith("/a.txt")
    async with session.put(f"{server.url}r/lab/b.txt", data=io.BytesIO(b"b"), params={"pin": PIN}) as response:
        assert response.status == 201


async def test_the_default_room_too(server: Server, session: aiohttp.ClientSession, host: dict[str, str]) -> None:
    async with session.post(f"{server.url}r/lobby/rules", json={"pin": PIN}, headers=host) as response:
        assert response.status == 201
    for method, path in (("POST", ""), ("PUT", ""), ("PUT", "a.txt")):
        async with session.request(method, server.url + path, data=b"x") as response:
            assert response.status == 403

    def sockets() -> str:
        with LinePeer(server.address) as line, DatagramPeer(server.address) as device:
            device.say("let me in")
            line.say("and me")
            return line.read()

    assert await asyncio.to_thread(sockets) == "* bye: room lobby asks for a PIN: by TCP, begin with /join lobby PIN"
    async with session.get(f"{server.url}r/lobby/entries", headers=host) as response:
        assert [one["type"] for one in (await response.json())["entries"]] == ["rule"]
