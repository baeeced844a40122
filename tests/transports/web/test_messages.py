"""Messages over HTTP, as conversations with a running server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bridge.server import Server
from tests.support.peers import BrowserPeer, LinePeer, ask, entries, texts

TYPES = [
    None,
    "application/x-www-form-urlencoded",
    "text/plain",
    "text/plain; charset=latin-1",
    "application/json",
    "application/octet-stream",
    "image/png",
    "nonsense",
]


@pytest.mark.parametrize("content_type", TYPES)
async def test_the_raw_body_is_the_message_whatever_its_type_says(
    server: Server, session: aiohttp.ClientSession, content_type: str | None
) -> None:
    """`curl -d` calls everything a form."""
    headers = {"Content-Type": content_type} if content_type else {}
    text = 'a=b&c=%20d+é "你好" {"text":"x"}'
    async with session.post(
        f"{server.url}r/lobby", data=text.encode(), headers=headers, skip_auto_headers=["Content-Type"]
    ) as response:
        assert response.status == 201
        assert response.content_type == "application/json"
        entry = await response.json()
    assert entry["text"] == text
    assert [entry] == await entries(session, server.url)


async def test_the_answer_is_the_entry_in_the_one_json_form(server: Server, session: aiohttp.ClientSession) -> None:
    before = int(time.time() * 1000)
    headers = {"X-Name": "bob", "X-Key": "k1", "X-Client": "secret"}
    async with session.post(f"{server.url}r/厨房", data="hi", headers=headers) as response:
        entry = await response.json()
    assert entry.keys() == {"type", "seq", "at", "room", "key", "from", "text"}
    assert (entry["type"], entry["room"], entry["key"], entry["text"]) == ("text", "厨房", "k1", "hi")
    assert entry["seq"] > 0 and before <= entry["at"] <= int(time.time() * 1000)


BODIES = {
    "a newline at the end": (b"hi\n", "hi"),
    "CRLF at the end": (b"hi\r\n", "hi"),
    "only one is dropped": (b"hi\n\n", "hi\n"),
    "lines": (b"one\r\ntwo\nthree", "one\ntwo\nthree"),
    "a byte order mark": (b"\xef\xbb\xbfhi", "hi"),
    "GB18030": ("你好".encode("gb18030"), "你好"),
    "a slash is no command here": (b"/who", "/who"),
    "the longest text": (b"x" * 16 * 1024, "x" * 16 * 1024),
    "the longest text with mark and newline": (b"\xef\xbb\xbf" + b"x" * 16 * 1024 + b"\r\n", "x" * 16 * 1024),
}


@pytest.mark.parametrize(("sent", "text"), BODIES.values(), ids=BODIES.keys())
async def test_a_body_is_a_text_as_from_any_socket(
    server: Server, session: aiohttp.ClientSession, sent: bytes, text: str
) -> None:
    async with session.post(f"{server.url}r/lobby", data=sent) as response:
        assert (response.status, (await response.json())["text"]) == (201, text)


async def test_a_body_may_come_in_chunks_of_unknown_length(server: Server, session: aiohttp.ClientSession) -> None:
    async def chunks() -> Any:
        yield "你".encode()[:2]
        yield "你".encode()[2:] + b"\n"

    async with session.post(f"{server.url}r/lobby", data=chunks()) as response:
        assert (response.status, (await response.json())["text"]) == (201, "你")

    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1000

    async with session.post(f"{server.url}r/lobby", data=endless()) as response:
        assert response.status == 413
    assert await texts(session, server.url) == ["你"]


async def test_posting_to_the_root_is_posting_to_the_default_room(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(room="客厅")
    async with session.post(server.url, data="hi") as response:
        assert (response.status, (await response.json())["room"]) == (201, "客厅")


async def test_what_is_posted_reaches_everybody(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)

    def sit() -> LinePeer:
        peer = LinePeer(server.address)
        peer.say("/time")
        assert peer.read().startswith("* ") and peer.read().startswith("* ")
        return peer

    with await asyncio.to_thread(sit) as alice:
        async with session.post(server.url, data="hi", headers={"X-Name": "bob"}) as response:
            entry = await response.json()
        assert await browser.entry() == entry
        assert await asyncio.to_thread(alice.read) == "[bob] hi"


async def test_a_room_is_made_by_its_first_entry(server: Server, session: aiohttp.ClientSession) -> None:
    async def rooms() -> list[str]:
        async with session.get(f"{server.url}rooms") as response:
            return [room["name"] for room in await response.json()]

    assert await rooms() == []
    await entries(session, server.url, "waiting")
    sitting = await BrowserPeer.join(session, server.url, "waiting")
    assert await rooms() == []
    await sitting.say("k", "first")
    await sitting.entry()
    assert await rooms() == ["waiting"]


async def test_rooms_tell_name_newest_number_and_seats(server: Server, session: aiohttp.ClientSession) -> None:
    numbers = {}
    for name in ("b", "a", "厨房", "a"):
        async with session.post(f"{server.url}r/{name}", data="hi") as response:
            numbers[name] = (await response.json())["seq"]
    tabs = [await BrowserPeer.join(session, server.url, "a", client="same") for _ in range(2)]
    tabs.append(await BrowserPeer.join(session, server.url, "a"))
    async with session.get(f"{server.url}rooms") as response:
        assert response.content_type == "application/json"
        assert await response.json() == [
            {"name": "a", "last_seq": numbers["a"], "seats": len(tabs)},
            {"name": "b", "last_seq": numbers["b"], "seats": 0},
            {"name": "厨房", "last_seq": numbers["厨房"], "seats": 0},
        ]


@pytest.fixture
async def numbered(server: Server, session: aiohttp.ClientSession) -> list[int]:
    """The numbers of 600 entries that say `0`, `1`, ...; another room's stand between them."""
    peer = await BrowserPeer.join(session, server.url, after=-1)
    other = await BrowserPeer.join(session, server.url, "other", after=-1)
    seqs = []
    for start in range(0, 600, 100):
        await peer.send(*({"type": "say", "key": str(n), "text": str(n)} for n in range(start, start + 100)))
        seqs += [(await peer.entry())["seq"] for _ in range(100)]
        await other.say(str(start), "between")
        await other.entry()
    return seqs


async def test_entries_are_a_stretch_of_the_room(
    server: Server, session: aiohttp.ClientSession, numbered: list[int]
) -> None:
    seqs = numbered
    table: list[tuple[dict[str, int], range]] = [
        ({}, range(550, 600)),
        ({"limit": 3}, range(597, 600)),
        ({"limit": 500}, range(100, 600)),
        ({"limit": 501}, range(100, 600)),
        ({"limit": 10**9}, range(100, 600)),
        ({"after": 0}, range(0, 50)),
        ({"after": 0, "limit": 2}, range(0, 2)),
        ({"after": 0, "limit": 10**6}, range(0, 500)),
        ({"after": seqs[9]}, range(10, 60)),
        ({"after": seqs[9], "limit": 1}, range(10, 11)),
        ({"after": seqs[597]}, range(598, 600)),
        ({"after": seqs[599]}, range(0)),
        ({"after": 2**63 - 1}, range(0)),
        ({"before": seqs[100]}, range(50, 100)),
        ({"before": seqs[100], "limit": 2}, range(98, 100)),
        ({"before": seqs[2]}, range(0, 2)),
        ({"before": seqs[0]}, range(0)),
        ({"before": 0}, range(0)),
        ({"before": 2**63 - 1, "limit": 1}, range(599, 600)),
        ({"after": seqs[9], "before": seqs[13]}, range(10, 13)),
        ({"after": seqs[9], "before": seqs[500], "limit": 4}, range(10, 14)),
        ({"after": seqs[9], "before": seqs[9]}, range(0)),
    ]
    for query, wanted in table:
        async with session.get(f"{server.url}r/lobby/entries", params=query) as response:
            assert response.status == 200 and response.content_type == "application/json"
            page = await response.json()
        assert page.keys() == {"epoch", "last_seq", "entries"}
        assert [entry["text"] for entry in page["entries"]] == [str(number) for number in wanted], query
        assert [entry["seq"] for entry in page["entries"]] == [seqs[number] for number in wanted]
        assert page["last_seq"] == seqs[-1]


async def test_paging_back_and_forth_meets_every_entry_once(
    server: Server, session: aiohttp.ClientSession, numbered: list[int]
) -> None:
    back: list[int] = []
    before = 2**62
    while page := await entries(session, server.url, limit=70, before=before):
        back = [entry["seq"] for entry in page] + back
        before = page[0]["seq"]
    forth: list[int] = []
    while page := await entries(session, server.url, limit=70, after=forth[-1] if forth else 0):
        forth += [entry["seq"] for entry in page]
    assert back == forth == numbered


async def test_a_room_nobody_spoke_in_is_empty(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    async with session.get(f"{server.url}r/nobody/entries") as response:
        assert await response.json() == {"epoch": browser.hello["epoch"], "last_seq": 0, "entries": []}


async def test_entries_hold_files_too(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.put(f"{server.url}a.txt", data=b"x", headers={"Accept": "application/json"}) as response:
        file = await response.json()
    async with session.post(server.url, data="hi") as response:
        text = await response.json()
    assert await entries(session, server.url) == [file, text]


async def test_a_lying_length_is_refused_before_the_body(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\nConnection: close\r\n\r\n"
    answer = await asyncio.to_thread(ask, server.address, head)
    assert answer.status == 413
