"""Searching over HTTP: entries with their hits, a page at a time."""

from __future__ import annotations

from urllib.parse import quote

import aiohttp
import pytest

from bridge.server import Server


async def say(session: aiohttp.ClientSession, server: Server, *texts: str) -> None:
    for text in texts:
        async with session.post(f"{server.url}r/lobby", data=text.encode()) as response:
            assert response.status == 201


async def test_entries_come_with_their_hits(server: Server, session: aiohttp.ClientSession) -> None:
    await say(session, server, "今日温度 23", "nothing", "Température: 温度 25")
    async with session.get(f"{server.url}r/lobby/search", params={"q": "温度 temp"}) as response:
        found = await response.json()
    assert found["epoch"]
    (entry,) = found["entries"]
    assert (entry["type"], entry["text"], entry["hits"]) == ("text", "Température: 温度 25", ["温度", "Temp"])
    assert entry["from"]["via"] == "http"


async def test_older_hits_come_by_pages(server: Server, session: aiohttp.ClientSession) -> None:
    await say(session, server, *(f"word {number}" for number in range(5)))
    found: list[str] = []
    before = ""
    while True:
        url = f"{server.url}r/lobby/search?q=word&limit=2{before}"
        async with session.get(url) as response:
            entries = (await response.json())["entries"]
        if not entries:
            break
        found[:0] = [entry["text"] for entry in entries]
        before = f"&before={entries[0]['seq']}"
    assert found == [f"word {number}" for number in range(5)]


async def test_files_are_listed_by_type(server: Server, session: aiohttp.ClientSession) -> None:
    await say(session, server, "a text")
    async with session.put(f"{server.url}r/lobby/{quote('报告.pdf')}", data=b"123") as response:
        assert response.status == 201
    for query in ("type=file", f"type=file&q={quote('报')}"):
        async with session.get(f"{server.url}r/lobby/search?{query}") as response:
            (entry,) = (await response.json())["entries"]
        assert entry["file"]["name"] == "报告.pdf"
        assert entry["hits"] == (["报"] if "q=" in query else [])


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "empty"),
        ("q=***", 400, "empty"),
        (f"q={'a' * 201}", 413, "too_long"),
        ("q=a&limit=0", 400, "bad_request"),
        ("q=a&before=x", 400, "bad_request"),
        ("q=a&type=text", 400, "bad_request"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    server: Server, session: aiohttp.ClientSession, query: str, status: int, code: str
) -> None:
    async with session.get(f"{server.url}r/lobby/search?{query}") as response:
        assert response.status == status
        assert (await response.text()).startswith(f"{code}: ")
