"""The page's WebSocket, as conversations with a running server."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from bridge import outlet, room
from bridge.config import Config
from bridge.model import Draft, Refused, StoreError
from bridge.server import Server
from bridge.store.sqlite import SqliteLog
from bridge.tail import TAIL_MAX_ENTRIES
from bridge.transports import browser
from bridge.transports.browser import TYPING_S
from bridge.wire.browser import FRAME_IN_MAX_BYTES
from tests.support.peers import PATIENCE_S, BrowserPeer, DatagramPeer, entries, texts

SECRET = "correct horse battery staple"


async def fill(session: aiohttp.ClientSession, server: Server, count: int, room: str = "lobby") -> list[int]:
    """Let somebody say `0`, `1`, ... and leave; the numbers the entries got."""
    peer = await BrowserPeer.join(session, server.url, room, name="filler", after=-1)
    for start in range(0, count, 500):
        await peer.send(
            *({"type": "say", "key": f"k{n}", "text": str(n)} for n in range(start, min(start + 500, count)))
        )
    seqs = [(await peer.entry())["seq"] for _ in range(count)]
    await peer.close()
    return seqs


async def said(peer: BrowserPeer, count: int) -> list[str]:
    return [(await peer.entry())["text"] for _ in range(count)]


async def refused(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    """The status and code with which a handshake fails."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as fault:
        await session.ws_connect(url)
    async with session.get(url, headers={"Accept": "application/json"}) as response:
        return fault.value.status, (await response.json(content_type=None))["code"]


# Hello


async def test_hello_says_where_and_who_one_is(server: Server, session: aiohttp.ClientSession) -> None:
    bob = await BrowserPeer.join(session, server.url, "厨房", name="bob")
    alice = await BrowserPeer.join(session, server.url, "厨房", name="alice", client=SECRET)
    hello = alice.hello
    said = {"type", "room", "epoch", "last_seq", "client", "you", "peers", "count", "transfers", "host", "rules"}
    assert hello.keys() == said
    assert (hello["room"], hello["last_seq"], hello["count"], hello["transfers"]) == ("厨房", 0, 2, [])
    assert hello["client"] == SECRET
    assert hello["you"].keys() == {"id", "name", "via", "addr"}
    assert (hello["you"]["name"], hello["you"]["via"]) == ("alice", "web")
    assert hello["you"]["addr"].startswith("127.0.0.1:")
    assert hello["peers"] == [bob.hello["you"], hello["you"]]
    await alice.say("k1", "hi")
    entry = await bob.entry()
    again = await BrowserPeer.join(session, server.url, "厨房")
    assert again.hello["last_seq"] == entry["seq"]
    assert again.hello["epoch"] == hello["epoch"]


async def test_an_entry_has_the_one_json_form(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url, name="alice")
    before = int(time.time() * 1000)
    await alice.say("k1", "hi")
    entry = await alice.entry()
    assert entry == {
        "type": "text",
        "seq": entry["seq"],
        "at": entry["at"],
        "room": "lobby",
        "key": "k1",
        "from": alice.hello["you"],
        "text": "hi",
    }
    assert before <= entry["at"] <= int(time.time() * 1000)
    assert [entry] == await entries(session, server.url)


async def test_a_browser_without_name_is_given_one(server: Server, session: aiohttp.ClientSession) -> None:
    for query in ({}, {"name": ""}):
        peer = await BrowserPeer.join(session, server.url, **query)
        you = peer.hello["you"]
        assert you["name"] == f"web-{you['addr'].rpartition(':')[2]}"


@pytest.mark.parametrize(
    ("room", "query", "code"),
    [
        ("a%20b", "", "bad_room"),
        ("a.b", "", "bad_room"),
        ("x" * 65, "", "bad_room"),
        ("%F0%9F%8D%B3", "", "bad_room"),
        ("lobby", "?after=-2", "bad_request"),
        ("lobby", "?after=x", "bad_request"),
        ("lobby", "?after=", "bad_request"),
        ("lobby", "?after=1.5", "bad_request"),
        ("lobby", "?after=9223372036854775808", "bad_request"),
        ("lobby", f"?client={'x' * 65}", "bad_request"),
    ],
)
async def test_a_handshake_that_breaks_a_rule_is_answered_in_http(
    server: Server, session: aiohttp.ClientSession, room: str, query: str, code: str
) -> None:
    assert await refused(session, f"{server.url}r/{room}/ws{query}") == (400, code)


@pytest.mark.parametrize(
    ("room", "name"), [("客厅", "客厅"), ("e\u0301", "é"), ("हिन्दी", "हिन्दी"), ("A-b_9", "A-b_9"), ("x" * 64, "x" * 64)]
)
async def test_a_room_may_be_of_any_script(
    server: Server, session: aiohttp.ClientSession, room: str, name: str
) -> None:
    peer = await BrowserPeer.join(session, server.url, room)
    assert peer.hello["room"] == name


# Where one starts


async def test_without_after_one_gets_the_newest_fifty_then_what_comes(
    server: Server, session: aiohttp.ClientSession
) -> None:
    await fill(session, server, 120)
    peer = await BrowserPeer.join(session, server.url, client=SECRET)
    assert await said(peer, 50) == [str(number) for number in range(70, 120)]
    await peer.say("k", "new")
    assert await said(peer, 1) == ["new"]


async def test_after_a_number_one_gets_all_that_follow_in_order(server: Server, session: aiohttp.ClientSession) -> None:
    seqs = await fill(session, server, 120)
    for place in (0, 7, 118):
        peer = await BrowserPeer.join(session, server.url, after=seqs[place])
        assert await said(peer, 119 - place) == [str(number) for number in range(place + 1, 120)]
    peer = await BrowserPeer.join(session, server.url, after=seqs[-1])
    await peer.say("k", "new")
    assert await said(peer, 1) == ["new"]


async def test_after_nought_one_gets_everything(server: Server, session: aiohttp.ClientSession) -> None:
    """More than the room keeps in memory."""
    count = TAIL_MAX_ENTRIES + 700
    await fill(session, server, count)
    peer = await BrowserPeer.join(session, server.url, after=0)
    assert await said(peer, count) == [str(number) for number in range(count)]
    await peer.say("k", "new")
    assert await said(peer, 1) == ["new"]


async def test_after_minus_one_one_gets_only_what_comes(server: Server, session: aiohttp.ClientSession) -> None:
    await fill(session, server, 3)
    peer = await BrowserPeer.join(session, server.url, after=-1)
    await peer.say("k", "new")
    assert await said(peer, 1) == ["new"]


@pytest.mark.parametrize("count", [3, 120])
async def test_another_epoch_is_a_gap_and_the_newest_fifty(
    server: Server, session: aiohttp.ClientSession, count: int
) -> None:
    seqs = await fill(session, server, count)
    for query in (
        {"after": seqs[1], "epoch": "another"},
        {"after": 0, "epoch": "another"},
        {"after": seqs[-1] + 1},
        {"after": 2**63 - 1},
    ):
        peer = await BrowserPeer.join(session, server.url, **query)
        assert await peer.read() == {"type": "gap", "from": None, "to": None}
        assert await said(peer, min(count, 50)) == [str(number) for number in range(max(0, count - 50), count)]


async def test_the_same_epoch_is_no_gap(server: Server, session: aiohttp.ClientSession) -> None:
    seqs = await fill(session, server, 3)
    here = await BrowserPeer.join(session, server.url, after=-1)
    peer = await BrowserPeer.join(session, server.url, after=seqs[1], epoch=here.hello["epoch"])
    assert (await peer.read())["text"] == "2"


async def test_an_empty_room_has_no_gap(server: Server, session: aiohttp.ClientSession) -> None:
    for after in (0, -1):
        peer = await BrowserPeer.join(session, server.url, f"empty{after}", after=after)
        await peer.say("k", "first")
        assert (await peer.read())["text"] == "first"


async def test_the_epoch_and_the_numbers_outlive_the_server(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    config = Config(port=0, data=tmp_path / "data")
    async with Server(config) as server:
        alice = await BrowserPeer.join(session, server.url, client=SECRET, name="alice")
        await alice.say("k1", "before")
        first = await alice.entry()
    async with Server(config) as server:
        again = await BrowserPeer.join(
            session, server.url, client=SECRET, after=first["seq"], epoch=alice.hello["epoch"]
        )
        assert again.hello["epoch"] == alice.hello["epoch"]
        assert again.hello["you"]["id"] == alice.hello["you"]["id"]
        assert again.hello["last_seq"] == first["seq"]
        await again.say("k1", "was it heard?")
        assert await again.read() == first
        await again.say("k2", "after")
        assert (await again.entry())["seq"] > first["seq"]


async def test_rooms_know_nothing_of_each_other(server: Server, session: aiohttp.ClientSession) -> None:
    here = await BrowserPeer.join(session, server.url, "here", client=SECRET)
    there = await BrowserPeer.join(session, server.url, "there", client=SECRET)
    await here.say("k1", "only here")
    await there.say("k1", "only there")
    assert (await here.entry())["text"] == "only here"
    assert (await there.read())["text"] == "only there"
    assert here.hello["count"] == there.hello["count"] == 1


# Frames


async def test_one_frame_carries_many_objects_both_ways(server: Server, session: aiohttp.ClientSession) -> None:
    reader = await session.ws_connect(f"{server.url}r/lobby/ws")
    await reader.receive_str()
    writer = await BrowserPeer.join(session, server.url)
    await writer.send(*({"type": "say", "key": f"k{n}", "text": str(n)} for n in range(500)))
    frames, got = 0, []
    while len(got) < 500:
        frame = await reader.receive_str(timeout=PATIENCE_S)
        objects = [json.loads(line) for line in frame.split("\n")]
        frames += any("seq" in one for one in objects)
        got += [one["text"] for one in objects if "seq" in one]
    assert got == [str(number) for number in range(500)]
    assert frames < 100


async def test_a_bad_object_errs_alone(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    frame = "\n".join(
        [
            '{"type":"say","key":"k1","text":"one"}',
            "{nonsense",
            "",
            '{"type":"say","key":"k2"}',
            '{"type":"say","key":"k3","text":"three"}\r',
            "   ",
        ]
    )
    await alice.ws.send_str(frame)
    got = [await alice.read() for _ in range(4)]
    assert {one["text"] for one in got if "seq" in one} == {"one", "three"}
    errors = [one for one in got if one["type"] == "error"]
    assert [(one["code"], one.get("key")) for one in errors] == [("bad_request", None), ("bad_request", "k2")]
    assert await texts(session, server.url) == ["one", "three"]


UNKNOWN = [
    {"type": "dance"},
    {"type": "dance", "key": 7},
    {"type": "dance", "key": {"deep": []}},
    {"type": "hello", "room": "x"},
    {"type": "text", "seq": 1, "text": "forged"},
    {"type": ""},
]


@pytest.mark.parametrize("unknown", UNKNOWN, ids=json.dumps)
async def test_an_unknown_type_is_passed_over(
    server: Server, session: aiohttp.ClientSession, unknown: dict[str, Any]
) -> None:
    alice = await BrowserPeer.join(session, server.url)
    await alice.send(unknown, {"type": "say", "key": "k1", "text": "hi"})
    assert (await alice.read())["text"] == "hi"


async def test_unknown_fields_are_passed_over(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url, future="yes")
    forged = {"from": {"name": "eve"}, "seq": 99, "room": "other", "at": 1, "color": "red"}
    await alice.send({"type": "say", "key": "k1", "text": "hi", **forged})
    entry = await alice.entry()
    assert entry["from"] == alice.hello["you"] and entry["room"] == "lobby" and entry["at"] > 1
    assert "color" not in entry


def say(text: Any, key: Any = "k1") -> str:
    return json.dumps({"type": "say", "key": key, "text": text})


ERRORS = {
    "nonsense": ("nonsense", "bad_request", None),
    "a list": ("[]", "bad_request", None),
    "a number": ("42", "bad_request", None),
    "null": ("null", "bad_request", None),
    "no type": ("{}", "bad_request", None),
    "a type that is no string": ('{"type":1}', "bad_request", None),
    "a bomb of lists": ("[" * 60_000, "bad_request", None),
    "a bomb of objects": ('{"type":"say","key":"k1","text":' + '{"a":' * 10_000, "bad_request", None),
    "no number": ('{"type":"say","key":"k1","text":NaN}', "bad_request", None),
    "no key": ('{"type":"say","text":"hi"}', "bad_request", None),
    "a key that is no string": (say("hi", 7), "bad_request", None),
    "an empty key": (say("hi", ""), "bad_request", ""),
    "a key that is too long": (say("hi", "k" * 65), "bad_request", "k" * 65),
    "no text": ('{"type":"say","key":"k1"}', "bad_request", "k1"),
    "a text that is no string": (say(7), "bad_request", "k1"),
    "an empty text": (say(""), "empty", "k1"),
    "only spaces": (say(" \n\t "), "empty", "k1"),
    "only a byte order mark": (say("\ufeff"), "empty", "k1"),
    "a text that is too long": (say("x" * (16 * 1024 + 1)), "too_long", "k1"),
    "a text of too many bytes": (say("长" * 5462), "too_long", "k1"),
    "an escape sequence": (say("\x1b[31m"), "bad_text", "k1"),
    "a NUL": (say("a\0b"), "bad_text", "k1"),
    "a carriage return alone": (say("a\rb"), "bad_text", "k1"),
    "an 8-bit control character": (say("a\u009bb"), "bad_text", "k1"),
    "no name": ('{"type":"name"}', "bad_request", None),
    "an empty name": ('{"type":"name","name":""}', "bad_name", None),
    "a name of spaces": ('{"type":"name","name":"  "}', "bad_name", None),
    "a name with a bracket": ('{"type":"name","name":"a]b"}', "bad_name", None),
    "a name of 33 characters": (json.dumps({"type": "name", "name": "x" * 33}), "bad_name", None),
    "a name with a line break": ('{"type":"name","name":"a\\nb"}', "bad_name", None),
    "a name that turns the line around": ('{"type":"name","name":"a\\u202eb"}', "bad_name", None),
    "a name with a zero-width space": ('{"type":"name","name":"a\\u200bb"}', "bad_name", None),
}


@pytest.mark.parametrize(("sent", "code", "key"), ERRORS.values(), ids=ERRORS.keys())
async def test_what_breaks_a_rule_gets_an_error_and_the_connection_lives_on(
    server: Server, session: aiohttp.ClientSession, sent: str, code: str, key: str | None
) -> None:
    alice = await BrowserPeer.join(session, server.url, name="alice")
    bob = await BrowserPeer.join(session, server.url, name="bob")
    await alice.until(type="presence", count=2)
    await alice.ws.send_str(sent)
    error = await alice.read()
    assert error["type"] == "error" and error["message"]
    assert (error["code"], error.get("key")) == (code, key)
    await alice.say("k2", "still here")
    assert (await alice.read())["text"] == "still here"
    entry = await bob.read()
    assert entry["text"] == "still here" and entry["from"] == alice.hello["you"]


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\udfffb"'])
async def test_a_lone_surrogate_is_no_text(server: Server, session: aiohttp.ClientSession, text: str) -> None:
    alice = await BrowserPeer.join(session, server.url)
    await alice.ws.send_str(f'{{"type":"say","key":"k1","text":{text}}}')
    error = await alice.read()
    assert error["type"] == "error" and error["code"] in ("bad_request", "bad_text")
    await alice.ws.send_str(f'{{"type":"say","key":{text},"text":"hi"}}\n{say("still here", "k2")}')
    assert (await alice.read())["type"] == "error"
    assert (await alice.read())["text"] == "still here"


TEXTS = {
    "CRLF becomes LF": ("a\r\nb\r\n", "a\nb\n"),
    "a byte order mark is dropped": ("\ufeffhi", "hi"),
    "tabs and newlines stay": ("\ta\n\n", "\ta\n\n"),
    "spaces stay": ("  hi  ", "  hi  "),
    "markup stays": ("<b>&amp;</b>", "<b>&amp;</b>"),
    "a slash is no command here": ("/who", "/who"),
    "unnormalised text stays": ("e\u0301", "e\u0301"),
    "bidirectional text stays": ("\u202eabc", "\u202eabc"),
    "emoji": ("👩‍👩‍👧", "👩‍👩‍👧"),
    "the longest text": ("x" * 16 * 1024, "x" * 16 * 1024),
    "the longest text with CRLF": ("x" * (16 * 1024 - 1) + "\r\n", "x" * (16 * 1024 - 1) + "\n"),
}


@pytest.mark.parametrize(("sent", "stored"), TEXTS.values(), ids=TEXTS.keys())
async def test_a_text_is_stored_as_it_is(
    server: Server, session: aiohttp.ClientSession, sent: str, stored: str
) -> None:
    alice = await BrowserPeer.join(session, server.url)
    await alice.say("k" * 64, sent)
    entry = await alice.entry()
    assert (entry["text"], entry["key"]) == (stored, "k" * 64)
    assert await texts(session, server.url) == [stored]


# Closing


async def closed(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    while True:
        message = await ws.receive(timeout=PATIENCE_S)
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
            return ws.close_code


async def test_a_binary_frame_closes_with_1003(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    await alice.ws.send_bytes(say("hi").encode())
    assert await closed(alice.ws) == 1003
    assert await texts(session, server.url) == []


async def test_a_frame_that_is_no_utf8_closes_with_1007(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    await alice.ws._writer.send_frame(b'{"type":"say","key":"k","text":"\xff"}', WSMsgType.TEXT)
    assert await closed(alice.ws) == 1007


async def test_a_frame_that_is_too_large_closes_with_1009(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    await alice.ws.send_str(" " * (FRAME_IN_MAX_BYTES - 100) + say("hi"))
    assert (await alice.entry())["text"] == "hi"
    await alice.ws.send_str(" " * FRAME_IN_MAX_BYTES + say("hi", "k2"))
    assert await closed(alice.ws) == 1009
    assert await texts(session, server.url) == ["hi"]


async def test_a_frame_of_too_many_objects_closes_with_1008(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    await alice.ws.send_str("\n".join(["{}"] * browser.OBJECTS_MAX))
    assert [(await alice.read())["code"] for _ in range(browser.OBJECTS_MAX)] == ["bad_request"] * browser.OBJECTS_MAX
    await alice.ws.send_str("\n".join(["{}"] * (browser.OBJECTS_MAX + 1)))
    assert await closed(alice.ws) == 1008


async def test_a_server_that_goes_closes_with_1001(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with Server(Config(port=0, data=tmp_path / "data")) as server:
        alice = await BrowserPeer.join(session, server.url)
        going = asyncio.create_task(closed(alice.ws))
    assert await going == 1001


async def test_a_browser_that_closes_leaves(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    bob = await BrowserPeer.join(session, server.url)
    await alice.until(type="presence", count=2)
    await bob.close()
    assert await alice.until(type="presence", count=1) == {
        "type": "presence",
        "count": 1,
        "left": [bob.hello["you"]["id"]],
    }


async def test_a_ping_is_answered(server: Server, session: aiohttp.ClientSession) -> None:
    ws = await session.ws_connect(f"{server.url}r/lobby/ws", autoping=False)
    assert (await ws.receive()).type is WSMsgType.TEXT
    for data in (b"", b"are you there?", b"x" * 125):
        await ws.ping(data)
        pong = await ws.receive(timeout=PATIENCE_S)
        assert (pong.type, pong.data) == (WSMsgType.PONG, data)


async def test_a_quiet_browser_is_pinged_and_a_dead_one_leaves(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "HEARTBEAT_S", 0.1)
    alive = await BrowserPeer.join(session, server.url)
    ws = await session.ws_connect(f"{server.url}r/lobby/ws", autoping=False)  # never answers a ping
    await alive.until(type="presence", count=2)
    await alive.until(type="presence", count=1)
    pings = 0
    while (message := await ws.receive(timeout=PATIENCE_S)).type is not WSMsgType.CLOSED:
        pings += message.type is WSMsgType.PING
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING):
            break
    assert pings == browser.BEATS_MISSED_MAX + 1
    await alive.say("k", "I do")
    assert (await alive.entry())["text"] == "I do"


# Keys


async def test_a_key_that_was_said_is_answered_to_that_seat_alone(
    server: Server, session: aiohttp.ClientSession
) -> None:
    """With the first entry, though its number lies far below the cursor."""
    tab = await BrowserPeer.join(session, server.url, client=SECRET)
    other_tab = await BrowserPeer.join(session, server.url, client=SECRET)
    bob = await BrowserPeer.join(session, server.url)
    await tab.say("k1", "first")
    await tab.say("k2", "second")
    first, _ = await tab.entry(), await tab.entry()
    await tab.say("k1", "first, or something else")
    assert await tab.entry() == first
    await tab.say("k3", "third")
    for peer in (other_tab, bob):
        assert await said(peer, 3) == ["first", "second", "third"]
    assert await texts(session, server.url) == ["first", "second", "third"]
    await other_tab.say("k1", "from the other tab")
    assert await other_tab.entry() == first
    assert (await tab.entry())["text"] == "third"


async def test_a_key_that_was_said_before_one_came_is_answered(server: Server, session: aiohttp.ClientSession) -> None:
    """After a reconnect that starts behind the entry, the acknowledgement still comes."""
    alice = await BrowserPeer.join(session, server.url, client=SECRET)
    await alice.say("k1", "was this heard?")
    first = await alice.entry()
    await alice.close()
    again = await BrowserPeer.join(session, server.url, client=SECRET, after=-1)
    await again.say("k1", "was this heard?")
    assert await again.read() == first


async def test_an_answer_that_lies_ahead_comes_in_its_order(
    tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes the highest number for the place it has reached must not lose what lies between."""
    config = Config(port=0, data=tmp_path / "data")
    async with Server(config) as server:
        await fill(session, server, 100)
        alice = await BrowserPeer.join(session, server.url, client=SECRET, after=-1)
        await alice.say("k1", "the answer to this is lost")
        last = await alice.entry()
    read, may_read, asked = SqliteLog.read, asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        asked.set()
        await may_read.wait()
        return await read(*arguments)

    monkeypatch.setattr(SqliteLog, "read", slow)
    async with Server(config) as server:
        again = await BrowserPeer.join(session, server.url, client=SECRET, after=0)
        async with asyncio.timeout(PATIENCE_S):
            await asked.wait()
        await again.say("k1", "was it stored?")
        await again.send({"type": "say", "key": "k2", "text": " "})  # which is refused behind it, without the disk
        assert (await again.until(type="error"))["key"] == "k2"
        async with session.post(server.url, data="so the key has been looked up by now"):
            may_read.set()
        heard = [await again.entry() for _ in range(102)]
    assert [entry["seq"] for entry in heard] == sorted({entry["seq"] for entry in heard})
    assert heard[100] == last


async def test_a_key_said_twice_in_one_frame_is_stored_once(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    await alice.ws.send_str("\n".join([say("one"), say("one"), say("two", "k2")]))
    got = [await alice.entry()]
    while got[-1]["key"] != "k2":
        got.append(await alice.entry())
    assert {entry["key"]: entry["seq"] for entry in got} == {"k1": got[0]["seq"], "k2": got[-1]["seq"]}
    assert await texts(session, server.url) == ["one", "two"]


async def test_a_withdrawal_comes_back_with_its_key_and_to_everybody(
    server: Server, session: aiohttp.ClientSession
) -> None:
    alice, bob = [await BrowserPeer.join(session, server.url, name=name) for name in ("alice", "bob")]
    await alice.say("k1", "oops")
    seq = (await alice.entry())["seq"]
    assert (await bob.entry())["text"] == "oops"
    await alice.send({"type": "withdraw", "key": "k2", "seq": seq})
    taken = await alice.entry()
    assert taken.keys() == {"type", "seq", "at", "room", "key", "from", "withdraws"}
    assert taken.items() >= {"type": "withdraw", "key": "k2", "withdraws": seq}.items()
    assert taken["from"] == alice.hello["you"]
    assert await bob.entry() == taken
    late = await BrowserPeer.join(session, server.url)
    assert await late.entry() == taken
    # the same wish again is answered to this seat alone; its words come no more, and their key is not free
    await alice.send({"type": "withdraw", "key": "k2", "seq": seq})
    assert await alice.entry() == taken
    await alice.say("k1", "oops")
    error = await alice.until(type="error")
    assert error.items() >= {"code": "not_found", "key": "k1"}.items()
    await alice.say("k3", "done")
    for peer in (alice, bob, late):
        assert (await peer.entry())["text"] == "done"


@pytest.mark.parametrize(
    ("seq", "code"),
    [
        (1, "forbidden"),
        (0, "not_found"),
        (-1, "not_found"),
        (99, "not_found"),
        (2**63, "not_found"),
        (1.5, "bad_request"),
    ],
)
async def test_what_cannot_be_withdrawn_is_an_error_with_its_key(
    server: Server, session: aiohttp.ClientSession, seq: float, code: str
) -> None:
    alice, bob = [await BrowserPeer.join(session, server.url, name=name) for name in ("alice", "bob")]
    await alice.say("k1", "mine")
    await bob.entry()
    await bob.send({"type": "withdraw", "key": "w", "seq": seq})
    assert (await bob.until(type="error")).items() >= {"code": code, "key": "w"}.items()
    assert await texts(session, server.url) == ["mine"]


async def test_a_key_is_the_authors_own(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url, name="alice")
    bob = await BrowserPeer.join(session, server.url, name="bob")
    await alice.say("k1", "mine")
    assert (await bob.entry())["text"] == "mine"
    await bob.say("k1", "mine too")
    assert await said(alice, 2) == ["mine", "mine too"]


# Authors


async def test_a_client_is_the_same_peer_when_it_comes_back(server: Server, session: aiohttp.ClientSession) -> None:
    first = await BrowserPeer.join(session, server.url)
    secret = first.hello["client"]
    assert 1 <= len(secret) <= 64
    await first.close()
    again = await BrowserPeer.join(session, server.url, client=secret)
    assert again.hello["client"] == secret
    assert again.hello["you"]["id"] == first.hello["you"]["id"]
    other = await BrowserPeer.join(session, server.url)
    assert other.hello["you"]["id"] != first.hello["you"]["id"] and other.hello["client"] != secret


@pytest.mark.parametrize("secret", ["x", "x" * 64, "密" * 64, "a b&c=d/+%20"])
async def test_a_client_may_choose_its_secret(server: Server, session: aiohttp.ClientSession, secret: str) -> None:
    peer = await BrowserPeer.join(session, server.url, client=secret)
    again = await BrowserPeer.join(session, server.url, client=secret)
    assert peer.hello["client"] == secret and again.hello["you"]["id"] == peer.hello["you"]["id"]


async def test_the_secret_is_never_shown_to_others(server: Server, session: aiohttp.ClientSession) -> None:
    bob = await BrowserPeer.join(session, server.url)
    heard: list[str] = []
    alice = await BrowserPeer.join(session, server.url, name="alice", client=SECRET)
    await alice.send({"type": "typing"}, {"type": "name", "name": "alicia"})
    await alice.say("k1", "hi")
    await session.put(f"{server.url}a.txt", data=b"x", headers={"X-Client": SECRET})
    await alice.close()
    while True:
        one = await bob.read()
        heard.append(json.dumps(one))
        if one["type"] == "presence" and one.get("left"):
            break
    assert len(heard) >= 5
    carol = await BrowserPeer.join(session, server.url, after=0)
    heard += [json.dumps(carol.hello), json.dumps(await carol.entry()), json.dumps(await carol.entry())]
    for path in ("r/lobby/entries", "r/lobby", "rooms"):
        async with session.get(server.url + path, headers={"Accept": "application/json"}) as response:
            heard.append(await response.text())
    assert not [words for words in heard if SECRET in words]


# Names and presence


async def test_a_taken_name_gets_a_suffix(server: Server, session: aiohttp.ClientSession) -> None:
    wishes = ["alice", "alice", "ALICE", "Alice", "bob", "straße", "STRASSE", "e\u0301", "é"]
    given = ["alice", "alice-2", "ALICE-3", "Alice-4", "bob", "straße", "STRASSE-2", "é", "é-2"]
    peers = [await BrowserPeer.join(session, server.url, name=name) for name in wishes]
    assert [peer.hello["you"]["name"] for peer in peers] == given
    assert [peer["name"] for peer in peers[-1].hello["peers"]] == given


async def test_a_suffix_does_not_make_a_name_too_long(server: Server, session: aiohttp.ClientSession) -> None:
    peers = [await BrowserPeer.join(session, server.url, name="长" * 32) for _ in range(3)]
    assert [peer.hello["you"]["name"] for peer in peers] == ["长" * 32, "长" * 30 + "-2", "长" * 30 + "-3"]


async def test_a_name_that_is_left_is_free(server: Server, session: aiohttp.ClientSession) -> None:
    bob = await BrowserPeer.join(session, server.url, name="bob")
    for _ in range(3):
        alice = await BrowserPeer.join(session, server.url, name="alice")
        second = await BrowserPeer.join(session, server.url, name="alice")
        assert (alice.hello["you"]["name"], second.hello["you"]["name"]) == ("alice", "alice-2")
        await bob.until(type="presence", count=3)
        await second.close()
        await alice.close()
        await bob.until(type="presence", count=1)


@pytest.mark.parametrize("name", ["[x]", "x" * 33, "a\u202eb", " ", "a\x00b"])
async def test_a_bad_name_is_told_and_replaced(server: Server, session: aiohttp.ClientSession, name: str) -> None:
    peer = await BrowserPeer.join(session, server.url, name=name)
    you = peer.hello["you"]
    assert you["name"] == f"web-{you['addr'].rpartition(':')[2]}"
    error = await peer.read()
    assert (error["type"], error["code"]) == ("error", "bad_name")


async def test_a_rename_is_told_to_all(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url, name="alice")
    bob = await BrowserPeer.join(session, server.url, name="bob")
    await alice.until(type="presence", count=2)
    await bob.send({"type": "name", "name": " Alice "})
    for peer in (alice, bob):
        signal = await peer.until(type="presence")
        assert signal == {
            "type": "presence",
            "count": 2,
            "renamed": [{**bob.hello["you"], "name": "Alice-2"}],
        }
    await bob.say("k", "hi")
    assert (await alice.entry())["from"]["name"] == "Alice-2"
    assert (await BrowserPeer.join(session, server.url)).hello["peers"][1]["name"] == "Alice-2"


async def test_presence_tells_who_came_and_went(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    bob = await BrowserPeer.join(session, server.url)
    assert await alice.read() == {"type": "presence", "count": 2, "joined": [bob.hello["you"]]}
    with DatagramPeer(server.address) as udp:
        udp.say("")
        (joined,) = (await alice.read())["joined"]
        assert (joined["name"], joined["via"]) == (f"udp-{udp.port}", "udp")
        assert (await bob.read())["joined"] == [joined]
    await bob.close()
    assert await alice.read() == {"type": "presence", "count": 2, "left": [bob.hello["you"]["id"]]}


async def test_presence_is_merged_to_at_most_four_a_second(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url)
    started = time.monotonic()
    peers = [await BrowserPeer.join(session, server.url, name=f"n{number}") for number in range(60)]
    for peer in peers:
        await peer.send({"type": "name", "name": f"new-{peer.hello['you']['name']}"})
    signals: list[dict[str, Any]] = []
    known: dict[str, str] = {}
    while len(known) < 60 or not all(name.startswith("new-") for name in known.values()):
        signals.append(await alice.until(type="presence"))
        for key in ("joined", "renamed"):
            known.update({peer["id"]: peer["name"] for peer in signals[-1].get(key, [])})
    seconds = time.monotonic() - started
    assert len(signals) <= 2 + seconds / room.PRESENCE_S
    assert signals[-1]["count"] == 61


async def test_who_came_and_went_between_two_signals_is_not_told_of(
    server: Server, session: aiohttp.ClientSession
) -> None:
    alice = await BrowserPeer.join(session, server.url, after=-1)
    first = await BrowserPeer.join(session, server.url, name="first")
    joined = await alice.until(type="presence")  # the next signal is a quarter of a second away
    assert joined["joined"] == [first.hello["you"]]
    brief = await BrowserPeer.join(session, server.url, name="brief")
    await brief.send({"type": "name", "name": "briefly"})
    await brief.close()
    last = await BrowserPeer.join(session, server.url, name="last")
    names: list[str] = []
    while "last" not in names:
        signal = await alice.until(type="presence")
        names += [peer["name"] for peer in signal.get("joined", [])]
    assert "brief" not in names
    assert last.hello["you"]["name"] == "last"


async def test_tabs_of_one_client_are_one_peer(server: Server, session: aiohttp.ClientSession) -> None:
    bob = await BrowserPeer.join(session, server.url, name="bob")
    one = await BrowserPeer.join(session, server.url, name="alice", client=SECRET)
    two = await BrowserPeer.join(session, server.url, name="alice", client=SECRET)
    assert (one.hello["you"]["name"], two.hello["you"]["name"], two.hello["count"]) == ("alice", "alice", 2)
    await two.send({"type": "name", "name": "alicia"})
    known: dict[str, str] = {}
    while "alicia" not in known.values():
        signal = await bob.until(type="presence")
        known.update({peer["id"]: peer["name"] for peer in signal.get("joined", []) + signal.get("renamed", [])})
    assert known == {one.hello["you"]["id"]: "alicia"}
    await one.say("k1", "both are called so now")
    assert (await bob.entry())["from"]["name"] == "alicia"
    await one.close()
    await two.say("k2", "still here")
    assert (await bob.entry())["text"] == "still here"
    await two.close()
    gone = await bob.until(type="presence", count=1)
    assert gone["left"] == [two.hello["you"]["id"]]


async def test_a_tab_without_a_name_goes_by_that_of_the_others(server: Server, session: aiohttp.ClientSession) -> None:
    one = await BrowserPeer.join(session, server.url, name="alice", client=SECRET)
    two = await BrowserPeer.join(session, server.url, client=SECRET)
    assert one.hello["you"]["name"] == two.hello["you"]["name"] == "alice"


async def test_above_two_hundred_seats_only_their_number_is_told(
    server: Server, session: aiohttp.ClientSession
) -> None:
    first = await BrowserPeer.join(session, server.url, after=-1)
    crowd = [await BrowserPeer.join(session, server.url, after=-1) for _ in range(199)]
    assert crowd[-1].hello["count"] == len(crowd[-1].hello["peers"]) == 200
    await first.until(type="presence", count=200)
    crowd.append(await BrowserPeer.join(session, server.url, after=-1))
    assert crowd[-1].hello["count"] == 201 and len(crowd[-1].hello["peers"]) == 200
    assert await first.until(type="presence", count=201) == {"type": "presence", "count": 201}
    await crowd[0].close()
    await crowd[1].close()
    signal = await first.until(type="presence")
    while "joined" not in signal:
        assert signal.keys() == {"type", "count"}
        signal = await first.until(type="presence")
    known = {peer["id"] for peer in signal["joined"]}
    while signal["count"] > 199:
        signal = await first.until(type="presence")
        known -= set(signal.get("left", []))
    gone = {crowd[0].hello["you"]["id"], crowd[1].hello["you"]["id"]}
    assert known == {peer.hello["you"]["id"] for peer in [first, *crowd]} - gone


# Typing


async def test_typing_is_told_to_the_others_and_not_too_often(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url, name="alice")
    bob = await BrowserPeer.join(session, server.url, name="bob")
    await alice.until(type="presence", count=2)
    started = time.monotonic()
    for number in range(20):
        await bob.send({"type": "typing"}, {"type": "say", "key": str(number), "text": str(number)})
    got = [await alice.read()]
    while got[-1].get("text") != "19":
        got.append(await alice.read())
    typing = [one for one in got if one["type"] == "typing"]
    assert typing[0] == {"type": "typing", "from": bob.hello["you"]}
    assert len(typing) <= 1 + (time.monotonic() - started) / TYPING_S
    echoed = [await bob.read() for _ in range(20)]
    assert all("seq" in one for one in echoed)


# Order, slowness, faults


async def test_all_see_the_same_order(server: Server, session: aiohttp.ClientSession) -> None:
    peers = [await BrowserPeer.join(session, server.url, name=f"n{number}", after=0) for number in range(5)]

    async def talk(peer: BrowserPeer) -> None:
        for number in range(40):
            await peer.say(f"k{number}", f"{peer.hello['you']['name']} {number}")

    await asyncio.gather(*(talk(peer) for peer in peers))
    seen = [[(one["seq"], one["text"]) for one in [await peer.entry() for _ in range(200)]] for peer in peers]
    assert all(one == seen[0] for one in seen)
    assert [seq for seq, _ in seen[0]] == sorted({seq for seq, _ in seen[0]})
    for peer in peers:
        name = peer.hello["you"]["name"]
        own = [text for _, text in seen[0] if text.startswith(f"{name} ")]
        assert own == [f"{name} {number}" for number in range(40)]


async def test_a_browser_that_does_not_read_holds_nobody_up_and_misses_nothing(
    server: Server, session: aiohttp.ClientSession
) -> None:
    slow = await BrowserPeer.join(session, server.url, after=-1)
    quick = await BrowserPeer.join(session, server.url, after=-1)
    writer = await BrowserPeer.join(session, server.url, after=-1)
    words = "x" * 16_000

    async def write() -> None:
        for number in range(900):
            await writer.say(f"k{number}", f"{number} {words}")

    async def read(peer: BrowserPeer) -> list[int]:
        return [int((await peer.entry())["text"].split()[0]) for _ in range(900)]

    writing = asyncio.create_task(write())
    _, heard = await asyncio.gather(read(writer), read(quick))  # while the other reads nothing
    await writing
    assert heard == list(range(900))
    assert await read(slow) == list(range(900))
    await slow.say("k", "I am back")
    assert (await slow.entry())["text"] == "I am back"


async def test_a_browser_that_reads_nothing_at_all_is_closed_with_1013(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it held can still be read, then why; with its place it comes back and misses nothing."""
    stalled = asyncio.Event()
    tell = browser.BrowserSeat._stalled

    def told(seat: browser.BrowserSeat) -> None:
        tell(seat)
        seat._stall_s = PATIENCE_S  # for reading what it held, which takes a loaded machine long
        stalled.set()

    monkeypatch.setattr(browser.BrowserSeat, "_stalled", told)
    monkeypatch.setattr(outlet.Outlet.__init__, "__defaults__", (1.0,))
    server = await serve()
    slow = await BrowserPeer.join(session, server.url, after=-1)
    writer = await BrowserPeer.join(session, server.url, after=-1)
    words = "x" * 16_000
    for number in range(900):
        await writer.say(f"k{number}", f"{number} {words}")
        last_seq = (await writer.entry())["seq"]
    async with asyncio.timeout(PATIENCE_S):
        await stalled.wait()
    last = 0
    while (message := await slow.ws.receive(timeout=PATIENCE_S)).type is WSMsgType.TEXT:
        for line in message.data.split("\n"):
            last = json.loads(line).get("seq", last)
    assert slow.ws.close_code == 1013
    assert 0 < last < last_seq
    again = await BrowserPeer.join(session, server.url, after=last)
    missed = [(await again.entry())["text"] for _ in range(last_seq - last)]
    assert [int(text.split()[0]) for text in missed] == list(range(900 - len(missed), 900))


@pytest.mark.parametrize(
    ("fault", "code", "ours"),
    [(Refused("disk_full", "the server's disk is full"), "disk_full", 0), (StoreError("log: it burns"), "busy", 1)],
)
async def test_what_cannot_be_stored_is_told_with_its_key(
    server: Server,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    faults_are_heard: list[logging.LogRecord],
    fault: Exception,
    code: str,
    ours: int,
) -> None:
    def broken(log: SqliteLog, draft: Draft) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(fault)
        return future

    alice = await BrowserPeer.join(session, server.url)
    with monkeypatch.context() as patch:
        patch.setattr(SqliteLog, "append", broken)
        await alice.say("k1", "lost")
        error = await alice.read()
    assert (error["type"], error["code"], error["key"]) == ("error", code, "k1")
    assert [record.name for record in faults_are_heard] == ["roombridge.browser"] * ours
    faults_are_heard.clear()
    await alice.say("k1", "kept")
    assert (await alice.read())["text"] == "kept"


async def test_a_busy_server_says_so_with_the_key(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(log: SqliteLog, draft: Draft) -> asyncio.Future[None]:
        raise Refused("busy", "too many drafts wait")

    alice = await BrowserPeer.join(session, server.url)
    monkeypatch.setattr(SqliteLog, "append", busy)
    await alice.say("k1", "lost")
    error = await alice.read()
    assert (error["code"], error["key"]) == ("busy", "k1")


async def test_a_fault_of_ours_closes_one_browser_with_1011_and_is_logged_once(
    server: Server,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    faults_are_heard: list[logging.LogRecord],
) -> None:
    alice, bob = [await BrowserPeer.join(session, server.url) for _ in range(2)]
    append = room.Room.append

    def fails_for_one(self: room.Room, draft: Draft) -> asyncio.Future[Any]:
        if draft.text == "break":
            raise RuntimeError("broken")
        return append(self, draft)

    monkeypatch.setattr(room.Room, "append", fails_for_one)
    await alice.say("k1", "break")
    assert await closed(alice.ws) == 1011
    (logged,) = faults_are_heard
    assert logged.exc_info and "broken" in str(logged.exc_info[1])
    faults_are_heard.clear()
    await bob.say("k2", "still here")
    assert (await bob.until(key="k2"))["text"] == "still here"


async def test_one_address_may_say_so_much_a_second_and_is_told_which_was_too_much(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(proxy=("127.0.0.1",), open=True, messages_per_s=1, messages_burst=3)
    far = {"X-Forwarded-For": "203.0.113.5"}
    one = BrowserPeer(await session.ws_connect(f"{server.url}r/lobby/ws", headers=far))
    await one.send(*({"type": "say", "key": f"k{number}", "text": "hi"} for number in range(40)), {"type": "typing"})
    answers = {}
    while len(answers) < 40:
        answer = await one.read()
        if answer["type"] in ("text", "error"):
            answers[answer["key"]] = answer
    refused = [answer for answer in answers.values() if answer["type"] == "error"]
    assert all(answers[key]["type"] == "text" for key in ("k0", "k1", "k2"))
    assert refused and all(answer["code"] == "rate_limited" for answer in refused)
    assert "1 messages a second (--messages-per-s); go on in " in refused[0]["message"]
    await one.close()
