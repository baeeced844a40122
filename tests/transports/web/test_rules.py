"""Ruling a room over HTTP and over a WebSocket: what a host may, and nobody else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.server import Server
from tests.support.peers import BrowserPeer, entries

BOB = {"X-Client": "bob's secret", "X-Name": "bob"}
JSON = {"Accept": "application/json"}
FREE = {"topic": "", "read_only": False, "pin": False, "muted": []}


@pytest.fixture
def host(server: Server, tmp_path: Path) -> dict[str, str]:
    """What a host's program sends along."""
    token = (tmp_path / "data" / "host-token").read_text().strip()
    return {"Authorization": f"Bearer {token}", "X-Name": "alice", "X-Client": "alice's secret"}


async def ask(
    session: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str], **more: Any
) -> tuple[int, Any]:
    """The status and the answer; of a problem its code."""
    async with session.request(method, url, headers={**JSON, **headers}, **more) as response:
        answer = await response.json(content_type=None)
        return response.status, answer if response.ok else answer["code"]


async def rule(session: aiohttp.ClientSession, server: Server, headers: dict[str, str], **wish: Any) -> tuple[int, Any]:
    return await ask(session, "POST", f"{server.url}r/lobby/rules", headers, json=wish)


async def test_a_rule_is_an_entry_and_what_holds_is_told_to_who_asks_and_who_comes(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str]
) -> None:
    bob = await BrowserPeer.join(session, server.url, name="bob", client=BOB["X-Client"])
    id = bob.hello["you"]["id"]
    assert bob.hello["rules"] == FREE and bob.hello["host"] is False
    status, entry = await rule(session, server, {**host, "X-Key": "r"}, topic="数学")
    assert status == 201
    assert entry.keys() == {"type", "seq", "at", "room", "key", "from", "rule"}
    assert entry.items() >= {"type": "rule", "key": "r", "rule": {"topic": "数学"}}.items()
    assert await bob.entry() == entry
    assert await rule(session, server, {**host, "X-Key": "r"}, topic="数学") == (200, entry)
    assert (await rule(session, server, host, mute=id))[1]["rule"] == {"mute": bob.hello["you"]}
    held = {**FREE, "topic": "数学", "muted": [id]}
    assert await ask(session, "GET", f"{server.url}r/lobby/rules", {}) == (200, held)
    assert (await ask(session, "GET", f"{server.url}r/lobby", {}))[1]["rules"] == held
    assert (await BrowserPeer.join(session, server.url)).hello["rules"] == held
    for wish in ({"topic": ""}, {"unmute": id}):
        assert (await rule(session, server, host, **wish))[0] == 201
    assert (await BrowserPeer.join(session, server.url)).hello["rules"] == FREE
    assert [one["type"] for one in await entries(session, server.url)] == ["rule"] * 4


REFUSED = [
    ({"topic": "x"}, {}, 403, "forbidden"),
    ({"topic": "x"}, {"Authorization": "Bearer wrong"}, 403, "forbidden"),
    ({"topik": "x"}, None, 400, "bad_request"),
    ({"topic": 1}, None, 400, "bad_request"),
    ({"mute": "nobody"}, None, 404, "not_found"),
    ({"topic": "x" * 5000}, None, 413, "too_long"),
]


@pytest.mark.parametrize(("wish", "headers", "status", "code"), REFUSED)
async def test_what_is_refused_changes_nothing(
    server: Server,
    session: aiohttp.ClientSession,
    host: dict[str, str],
    wish: dict[str, Any],
    headers: dict[str, str] | None,
    status: int,
    code: str,
) -> None:
    assert await rule(session, server, host if headers is None else headers, **wish) == (status, code)
    assert await ask(session, "GET", f"{server.url}r/lobby/rules", {}) == (200, FREE)
    assert await entries(session, server.url) == []


async def test_who_is_muted_sends_nothing_by_any_way_and_may_take_back(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str]
) -> None:
    url = f"{server.url}r/lobby"
    _status, said = await ask(session, "POST", url, BOB, data="rude")
    await rule(session, server, host, mute=said["from"]["id"])
    form = aiohttp.FormData({"text": "words"})
    tus = {**BOB, "Tus-Resumable": "1.0.0", "Upload-Length": "3"}
    for method, path, more in (
        ("POST", url, {"headers": BOB, "data": "more"}),
        ("POST", url, {"headers": BOB, "data": form}),
        ("PUT", f"{url}/a.txt", {"headers": BOB, "data": io.BytesIO(b"abc")}),
        ("POST", f"{url}/uploads", {"headers": tus}),
    ):
        assert await ask(session, method, path, **more) == (403, "forbidden")
    status, taken = await ask(session, "DELETE", f"{url}/entries/{said['seq']}", BOB)
    assert (status, taken["withdraws"]) == (200, said["seq"])
    assert (await ask(session, "POST", url, {"X-Client": "eve"}, data="I am not bob"))[0] == 201


async def test_a_read_only_room_is_for_hosts(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str]
) -> None:
    url = f"{server.url}r/lobby"
    await rule(session, server, host, read_only=True)
    assert await ask(session, "POST", url, BOB, data="hi") == (403, "forbidden")
    assert (await ask(session, "POST", url, host, data="hi"))[0] == 201
    assert (await ask(session, "POST", url, host, data=aiohttp.FormData({"text": "hi"})))[0] == 201
    assert (await ask(session, "PUT", f"{url}/a.txt", host, data=io.BytesIO(b"abc")))[0] == 201
    tus = {**host, "Tus-Resumable": "1.0.0", "Upload-Length": "0"}
    async with session.post(f"{url}/uploads", headers=tus) as response:
        assert response.status == 201
    assert (await ask(session, "POST", f"{server.url}r/lab", BOB, data="another room"))[0] == 201


async def test_a_host_takes_back_what_others_sent(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str]
) -> None:
    url = f"{server.url}r/lobby"
    _status, said = await ask(session, "POST", url, BOB, data="rude")
    _status, sent = await ask(session, "PUT", f"{url}/a.txt", BOB, data=io.BytesIO(b"abc"))
    assert (await ask(session, "DELETE", f"{url}/entries/{said['seq']}", {"X-Client": "eve"})) == (403, "forbidden")
    for path in (f"r/lobby/entries/{said['seq']}", f"files/{sent['file']['id']}/a.txt"):
        status, taken = await ask(session, "DELETE", f"{server.url}{path}", host)
        assert (status, taken["from"]["name"]) == (200, "alice")
    assert [one["type"] for one in await entries(session, server.url)] == ["withdraw"] * 2


async def test_the_page_of_a_host_rules_by_its_socket(
    server: Server, session: aiohttp.ClientSession, host: dict[str, str]
) -> None:
    bob = await BrowserPeer.join(session, server.url, name="bob")
    id = bob.hello["you"]["id"]
    async with aiohttp.ClientSession(headers={"Authorization": host["Authorization"]}) as ours:
        alice = await BrowserPeer.join(ours, server.url, name="alice")
        assert alice.hello["host"] is True
        await bob.send({"type": "rule", "key": "b", "rule": {"topic": "bob's"}})
        refused = await bob.until(type="error")
        assert refused == {"type": "error", "code": "forbidden", "message": "only a host may do this", "key": "b"}
        await alice.send({"type": "rule", "key": "1", "rule": {"mute": id}})
        assert (await bob.until(type="rule"))["rule"]["mute"]["id"] == id
        await bob.say("b1", "can you hear me?")
        refused = await bob.until(type="error")
        assert (refused["code"], refused["key"]) == ("forbidden", "b1")
        await alice.send({"type": "rule", "key": "2", "rule": {}}, {"type": "rule", "key": "3", "rule": 5})
        assert [(await alice.until(type="error"))["key"] for _ in range(2)] == ["2", "3"]
        await alice.send({"type": "rule", "key": "4", "rule": {"rename": id, "name": "server"}})
        assert (await bob.until(type="presence"))["renamed"][0]["name"] == "server-2"
        await bob.send({"type": "name", "name": "bob"})
        assert (await bob.until(type="error"))["message"] == "a host named you, and may let you choose again"
        await alice.send({"type": "rule", "key": "5", "rule": {"rename": id, "name": ""}})
        await bob.until(type="rule", key="5")
        await bob.send({"type": "name", "name": "bob"})
        assert (await bob.until(type="presence"))["renamed"][0]["name"] == "bob"


async def test_a_link_with_the_hosts_token_makes_a_host_of_a_browser(server: Server, host: dict[str, str]) -> None:
    token = host["Authorization"].removeprefix("Bearer ")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{server.url}j/{token}", allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/")
        assert (await BrowserPeer.join(browser, server.url)).hello["host"] is True
