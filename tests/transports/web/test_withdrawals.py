"""Taking back over HTTP, as conversations with a running server."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bridge.server import Server
from tests.support.peers import BrowserPeer, LinePeer, entries, eventually, texts

ALICE = {"X-Client": "alice's secret", "X-Name": "alice"}
BOB = {"X-Client": "bob's secret", "X-Name": "bob"}


async def post(session: aiohttp.ClientSession, server: Server, text: str, room: str = "lobby") -> dict[str, Any]:
    async with session.post(f"{server.url}r/{room}", data=text, headers=ALICE) as response:
        assert response.status == 201
        return await response.json()


async def put(session: aiohttp.ClientSession, server: Server, content: bytes) -> dict[str, Any]:
    headers = {**ALICE, "Accept": "application/json"}
    async with session.put(f"{server.url}r/lobby/报告.txt", data=io.BytesIO(content), headers=headers) as response:
        assert response.status == 201
        return await response.json()


async def delete(session: aiohttp.ClientSession, server: Server, path: str, **headers: str) -> tuple[int, Any]:
    """The status and the answer: JSON, or a problem's code."""
    asked = {"Accept": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with session.delete(URL(f"{server.url}{path}", encoded=True), headers=asked) as response:
        answer = await response.json(content_type=None)
        return response.status, answer if response.ok else answer["code"]


async def test_its_author_takes_a_message_back_and_is_answered_with_the_entry(
    server: Server, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    oops, kept = await post(session, server, "oops"), await post(session, server, "kept")
    status, taken = await delete(session, server, f"r/lobby/entries/{oops['seq']}", **ALICE, X_Key="w")
    assert status == 200
    assert taken.keys() == {"type", "seq", "at", "room", "key", "from", "withdraws"}
    assert taken.items() >= {"type": "withdraw", "key": "w", "withdraws": oops["seq"]}.items()
    assert taken["from"].items() >= {"id": oops["from"]["id"], "name": "alice", "via": "http"}.items()
    assert await entries(session, server.url) == [kept, taken]
    assert [await browser.entry() for _ in range(3)][-1] == taken


async def test_a_lost_answer_is_asked_for_again_with_the_key(server: Server, session: aiohttp.ClientSession) -> None:
    path = f"r/lobby/entries/{(await post(session, server, 'oops'))['seq']}"
    first = await delete(session, server, path, **ALICE, X_Key="w")
    assert await delete(session, server, path, **ALICE, X_Key="w") == first
    assert await delete(session, server, path, **ALICE) == (404, "not_found")
    async with session.post(f"{server.url}r/lobby", data="oops", headers={**ALICE, "X-Key": "w"}) as response:
        assert (response.status, await response.json()) == (200, first[1])


async def test_words_that_were_withdrawn_are_not_said_again_by_their_key(
    server: Server, session: aiohttp.ClientSession
) -> None:
    for status in (201, 404):
        async with session.post(server.url, data="oops", headers={**ALICE, "X-Key": "k"}) as response:
            assert response.status == status
        if status == 201:
            await delete(session, server, "r/lobby/entries/1", **ALICE)
    assert await texts(session, server.url) == [None]


NOT_YOURS = {
    "another author": (BOB, "r/lobby/entries/{seq}", 403, "forbidden"),
    "no author": ({}, "r/lobby/entries/{seq}", 403, "forbidden"),
    "an author who cannot be": ({"X-Client": "x" * 65}, "r/lobby/entries/{seq}", 400, "bad_request"),
    "another room": (ALICE, "r/lab/entries/{seq}", 404, "not_found"),
    "a room that cannot be": (ALICE, "r/no%20room/entries/{seq}", 400, "bad_room"),
    "a number that is none": (ALICE, "r/lobby/entries/first", 400, "bad_request"),
    "nought": (ALICE, "r/lobby/entries/0", 400, "bad_request"),
    "a number beyond counting": (ALICE, "r/lobby/entries/9223372036854775808", 400, "bad_request"),
    "a number yet to come": (ALICE, "r/lobby/entries/99", 404, "not_found"),
    "a page of another site": ({**ALICE, "Sec-Fetch-Site": "cross-site"}, "r/lobby/entries/{seq}", 403, "forbidden"),
    "another's file": (BOB, "files/{id}/x", 403, "forbidden"),
    "nobody's file": ({}, "files/{id}/x", 403, "forbidden"),
    "no file": (ALICE, "files/none/x", 404, "not_found"),
}


@pytest.mark.parametrize(("headers", "path", "status", "code"), NOT_YOURS.values(), ids=NOT_YOURS.keys())
async def test_what_is_not_there_or_not_yours_stays(
    server: Server, session: aiohttp.ClientSession, headers: dict[str, str], path: str, status: int, code: str
) -> None:
    said, sent = await post(session, server, "stays"), await put(session, server, b"stays")
    path = path.format(seq=said["seq"], id=sent["file"]["id"])
    assert await delete(session, server, path, **headers) == (status, code)
    assert await entries(session, server.url) == [said, sent]
    async with session.get(f"{server.url}rooms") as response:
        assert [room["name"] for room in await response.json()] == ["lobby"]


async def test_a_file_that_is_taken_back_is_gone_with_its_bytes(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    sent = await put(session, server, b"x" * 1000)
    url = URL(f"{server.url.rstrip('/')}{sent['file']['url']}", encoded=True)
    status, taken = await delete(session, server, f"files/{sent['file']['id']}/anything", **ALICE)
    assert (status, taken["type"], taken["withdraws"]) == (200, "withdraw", sent["seq"])
    for method in ("GET", "HEAD", "DELETE"):
        async with session.request(method, url, headers=ALICE) as response:
            assert response.status == 404
    assert await entries(session, server.url) == [taken]
    await eventually(lambda: not [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()])


async def test_a_file_is_an_entry_and_can_be_taken_back_as_one(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    browser = await BrowserPeer.join(session, server.url, client=ALICE["X-Client"])
    sent = await put(session, server, b"x" * 1000)
    await browser.send({"type": "withdraw", "key": "w", "seq": sent["seq"]})
    assert (await browser.until(type="withdraw"))["withdraws"] == sent["seq"]
    await eventually(lambda: not [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()])


async def test_a_download_under_way_may_finish(server: Server, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    content = bytes(range(256)) * 64 * 1024  # 16 MiB: more than the sockets between them hold
    sent = await put(session, server, content)
    url = f"{server.url.rstrip('/')}{sent['file']['url']}"
    async with session.get(URL(url, encoded=True)) as response:
        begun = await response.content.readexactly(1000)
        assert (await delete(session, server, f"files/{sent['file']['id']}/x", **ALICE))[0] == 200
        await eventually(lambda: not [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()])
        assert begun + await response.read() == content
    async with session.get(URL(url, encoded=True)) as response:
        assert response.status == 404


async def test_who_sits_in_the_room_takes_back_under_the_name_that_is_seen(
    server: Server, session: aiohttp.ClientSession
) -> None:
    desk = await BrowserPeer.join(session, server.url, name="alice", client="one secret")
    await desk.say("k1", "oops")
    seq = (await desk.entry())["seq"]

    def sit() -> LinePeer:
        peer = LinePeer(server.address)
        peer.say("")
        assert peer.read().startswith("* welcome")
        return peer

    with await asyncio.to_thread(sit) as bob:
        _status, taken = await delete(session, server, f"r/lobby/entries/{seq}", X_Client="one secret")
        assert taken["from"] == desk.hello["you"]
        assert await asyncio.to_thread(bob.read) == "* [alice] withdrew a message"
