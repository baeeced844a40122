"""The room over HTTP as a stream: `curl -N`, EventSource, programs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.config import Config
from bridge.server import Server
from bridge.transports.web import events
from tests.support.peers import PATIENCE_S, BrowserPeer, ask

SSE = {"Accept": "text/event-stream"}


async def lines(response: aiohttp.ClientResponse, count: int) -> list[str]:
    """The next `count` lines that are not empty."""
    found: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            line = (await response.content.readline()).decode().rstrip("\n")
            assert line or not response.content.at_eof()
            if line:
                found.append(line)
    return found


async def objects(response: aiohttp.ClientResponse, count: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in await lines(response, count)]


async def say(session: aiohttp.ClientSession, server: Server, *texts: str) -> list[int]:
    seqs = []
    for text in texts:
        async with session.post(server.url, data=text) as response:
            seqs.append((await response.json())["seq"])
    return seqs


async def test_without_a_place_only_what_comes_is_told(server: Server, session: aiohttp.ClientSession) -> None:
    await say(session, server, "before")
    async with session.get(f"{server.url}r/lobby/events") as stream:
        assert stream.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
        (hello,) = await objects(stream, 1)
        assert hello["type"] == "hello" and hello["room"] == "lobby"
        await say(session, server, "after")
        (entry,) = await objects(stream, 1)
        assert entry["text"] == "after"


async def test_after_0_tells_everything_in_order_and_goes_on(server: Server, session: aiohttp.ClientSession) -> None:
    await say(session, server, "one", "two")
    async with session.get(f"{server.url}r/lobby/events?after=0") as stream:
        assert [entry.get("text") for entry in await objects(stream, 3)] == [None, "one", "two"]
        await say(session, server, "three")
        assert [entry["text"] for entry in await objects(stream, 1)] == ["three"]


async def test_an_event_stream_resumes_by_its_last_id(server: Server, session: aiohttp.ClientSession) -> None:
    first, _second, third = await say(session, server, "one", "two", "three")
    async with session.get(f"{server.url}r/lobby/events?after={first}", headers=SSE) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        hello, id, data = await lines(stream, 3)
        epoch = json.loads(hello.removeprefix("data: "))["epoch"]
        assert id == f"id: {epoch}:{_second}"
        assert json.loads(data.removeprefix("data: "))["text"] == "two"
    again = {**SSE, "Last-Event-ID": f"{epoch}:{_second}"}
    async with session.get(f"{server.url}r/lobby/events", headers=again) as stream:
        _hello, id, data = await lines(stream, 3)
        assert id == f"id: {epoch}:{third}"
        assert json.loads(data.removeprefix("data: "))["text"] == "three"


async def test_an_id_of_another_epoch_is_a_gap_and_the_newest(server: Server, session: aiohttp.ClientSession) -> None:
    await say(session, server, "one")
    async with session.get(f"{server.url}r/lobby/events", headers={**SSE, "Last-Event-ID": "other:1"}) as stream:
        _hello, gap, _id, data = await lines(stream, 4)
        assert json.loads(gap.removeprefix("data: ")) == {"type": "gap", "from": None, "to": None}
        assert json.loads(data.removeprefix("data: "))["text"] == "one"


async def test_lines_resume_by_number_and_epoch(server: Server, session: aiohttp.ClientSession) -> None:
    first, second = await say(session, server, "one", "two")
    async with session.get(f"{server.url}r/lobby/events") as stream:
        (hello,) = await objects(stream, 1)
    place = f"{server.url}r/lobby/events?after={first}&epoch="
    async with session.get(place + hello["epoch"]) as stream:
        assert [one.get("seq") for one in await objects(stream, 2)] == [None, second]
    async with session.get(place + "another") as stream:
        assert [one.get("seq", one["type"]) for one in await objects(stream, 4)] == ["hello", "gap", first, second]


async def test_a_reader_is_present_until_it_goes(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    async with session.get(f"{server.url}r/lobby/events", headers={"X-Name": "watcher"}):
        (joined,) = (await browser.until(type="presence", count=2))["joined"]
        assert joined["name"] == "watcher" and joined["via"] == "http"
    assert (await browser.until(type="presence", count=1))["left"] == [joined["id"]]


async def test_http_1_0_gets_the_bare_stream(server: Server, session: aiohttp.ClientSession) -> None:
    await say(session, server, "one")
    request = b"GET /r/lobby/events?after=0 HTTP/1.0\r\nHost: localhost\r\n\r\n"
    asking = asyncio.create_task(asyncio.to_thread(ask_until, server.address, request, b'"one"}\n'))
    stream = await asking
    assert [json.loads(line)["type"] for line in stream.splitlines()] == ["hello", "text"]


def ask_until(address: tuple[str, int], request: bytes, end: bytes) -> bytes:
    import socket

    with socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall(request)
        held = b""
        while not held.endswith(end):
            piece = connection.recv(4096)
            assert piece, held
            held += piece
        return held.partition(b"\r\n\r\n")[2]


async def test_a_place_that_is_no_number_is_refused(server: Server) -> None:
    request = b"GET /r/lobby/events?after=x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = await asyncio.to_thread(ask, server.address, request)
    assert answer.status == 400
    assert answer.body.startswith(b"bad_request: after='x'")


async def test_only_entries_bear_an_id_and_a_text_of_many_lines_is_one_event(
    server: Server, session: aiohttp.ClientSession
) -> None:
    async with session.get(f"{server.url}r/lobby/events", headers=SSE) as stream:
        await lines(stream, 1)
        browser = await BrowserPeer.join(session, server.url)
        (presence,) = await lines(stream, 1)
        assert json.loads(presence.removeprefix("data: "))["type"] == "presence"
        await browser.send({"type": "typing"})
        (typing,) = await lines(stream, 1)
        assert json.loads(typing.removeprefix("data: "))["type"] == "typing"
        (seq,) = await say(session, server, "one\n\ndata: two\nid: 0")
        id, data = await lines(stream, 2)
        assert id.startswith("id: ") and id.endswith(f":{seq}")
        assert json.loads(data.removeprefix("data: "))["text"] == "one\n\ndata: two\nid: 0"


async def test_a_quiet_stream_is_kept_alive_by_comments(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "COMMENT_S", 0.1)
    monkeypatch.setattr(events, "LOOK_S", 0.02)
    async with session.get(f"{server.url}r/lobby/events", headers=SSE) as stream:
        assert (await lines(stream, 4))[1:] == [":", ":", ":"]


async def test_a_reader_hears_its_own_words(server: Server, session: aiohttp.ClientSession) -> None:
    """As every browser does: the entry is the acknowledgement."""
    me = {"X-Client": "secret", "X-Name": "me"}
    async with session.get(f"{server.url}r/lobby/events", headers=me) as stream:
        (hello,) = await objects(stream, 1)
        assert hello["client"] == "secret" and hello["you"]["name"] == "me"
        async with session.post(server.url, data="hi", headers=me) as response:
            assert await objects(stream, 1) == [await response.json()]


async def test_what_cannot_be_is_refused_before_the_stream_begins(
    server: Server, session: aiohttp.ClientSession
) -> None:
    for room, query, headers, code in (
        ("a%20b", "", {}, "bad_room"),
        ("lobby", "?after=-2", {}, "bad_request"),
        ("lobby", "", {"Last-Event-ID": "x"}, "bad_request"),
        ("lobby", "", {"Last-Event-ID": ":1"}, "bad_request"),
        ("lobby", "", {"Last-Event-ID": "epoch:x"}, "bad_request"),
        ("lobby", "", {"X-Name": "[x]"}, "bad_name"),
        ("lobby", "", {"X-Client": "x" * 65}, "bad_request"),
    ):
        url = f"{server.url}r/{room}/events{query}"
        async with session.get(url, headers={"Accept": "application/json", **headers}) as response:
            assert (response.status, (await response.json(content_type=None))["code"]) == (400, code)


async def test_a_stream_ends_with_the_server(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with Server(Config(port=0, data=tmp_path / "data")) as server:
        stream = await session.get(f"{server.url}r/lobby/events")
        await lines(stream, 1)
    async with stream, asyncio.timeout(PATIENCE_S):
        assert await stream.content.read() == b""
