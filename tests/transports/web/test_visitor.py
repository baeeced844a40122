"""Who speaks over HTTP, as conversations with a running server."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from bridge.server import Server
from tests.support.peers import Answer, BrowserPeer, ask, entries

SECRET = "correct horse battery staple"


async def post(session: aiohttp.ClientSession, server: Server, text: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and entry; `X_Name="bob"` is a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.post(f"{server.url}r/lobby", data=text.encode(), headers=named) as response:
        return response.status, await response.json()


async def raw(server: Server, *headers: bytes) -> Answer:
    """A post with headers that are these very bytes."""
    head = b"".join(header + b"\r\n" for header in headers)
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n%s\r\nhi" % head
    return await asyncio.to_thread(ask, server.address, request)


async def test_somebody_who_says_nothing_of_himself_is_named_by_port(
    server: Server, session: aiohttp.ClientSession
) -> None:
    status, entry = await post(session, server, "hi")
    sender = entry["from"]
    assert status == 201
    assert sender.keys() == {"id", "name", "via", "addr"}
    assert sender["via"] == "http" and sender["addr"].startswith("127.0.0.1:")
    assert sender["name"] == f"http-{sender['addr'].rpartition(':')[2]}"


NAMES = {
    "ASCII": (b"bob", "bob"),
    "UTF-8": ("小明".encode(), "小明"),
    "percent-encoded": (quote("小明").encode(), "小明"),
    "both": ("小%E6%98%8E".encode(), "小明"),
    "a percent sign of its own": (b"100%", "100%"),
    "a percent-encoded space": (b"a%20b", "a b"),
    "a plus is a plus": (b"a+b", "a+b"),
    "spaces at its ends": (b"  bob  ", "bob"),
    "composed": (quote("e\u0301").encode(), "é"),
    "32 characters": (quote("长" * 32).encode(), "长" * 32),
}


@pytest.mark.parametrize(("sent", "name"), NAMES.values(), ids=NAMES.keys())
async def test_a_name_is_utf8_or_percent_encoded(server: Server, sent: bytes, name: str) -> None:
    answer = await raw(server, b"X-Name: " + sent)
    assert answer.status == 201
    assert json.loads(answer.body)["from"]["name"] == name


BAD_NAMES = {
    "Latin-1": b"M\xfcller",
    "percent-encoded Latin-1": b"M%FCller",
    "percent-encoded newline": b"a%0Ab",
    "percent-encoded surrogate": b"%ED%A0%80",
    "brackets": b"[bob]",
    "empty": b"",
    "only spaces": b"%20%20",
    "33 characters": b"x" * 33,
    "turned around": quote("a\u202eb").encode(),
}


@pytest.mark.parametrize("sent", BAD_NAMES.values(), ids=BAD_NAMES.keys())
async def test_a_bad_name_is_refused_and_nothing_is_stored(
    server: Server, session: aiohttp.ClientSession, sent: bytes
) -> None:
    answer = await raw(server, b"X-Name: " + sent)
    assert answer.status == 400
    assert answer.body.startswith(b"bad_name: ")
    assert await entries(session, server.url) == []


async def test_a_name_that_is_taken_gets_the_same_suffix_each_time(
    server: Server, session: aiohttp.ClientSession
) -> None:
    alice = await BrowserPeer.join(session, server.url, name="alice")
    for number in range(3):
        _, entry = await post(session, server, str(number), X_Name="Alice")
        assert entry["from"]["name"] == "Alice-2"
    await alice.close()


async def test_a_repeated_key_stores_nothing_and_is_answered_with_the_first(
    server: Server, session: aiohttp.ClientSession
) -> None:
    status, first = await post(session, server, "hi", X_Client=SECRET, X_Key="k1")
    assert (status, first["key"]) == (201, "k1")
    assert await post(session, server, "something else", X_Client=SECRET, X_Key="k1") == (200, first)
    assert await entries(session, server.url) == [first]
    status, second = await post(session, server, "hi", X_Client=SECRET, X_Key="k2")
    assert status == 201 and second["seq"] > first["seq"]


async def test_a_key_belongs_to_its_author(server: Server, session: aiohttp.ClientSession) -> None:
    for secret in (SECRET, "another"):
        assert (await post(session, server, "hi", X_Client=secret, X_Key="k1"))[0] == 201
    for _ in range(2):  # without a secret, every request is somebody new
        assert (await post(session, server, "hi", X_Key="k1"))[0] == 201
    assert len({entry["from"]["id"] for entry in await entries(session, server.url)}) == 4


async def test_a_key_belongs_to_its_room(server: Server, session: aiohttp.ClientSession) -> None:
    for room in ("r/one", "r/two", ""):
        async with session.post(server.url + room, data="hi", headers={"X-Client": SECRET, "X-Key": "k1"}) as response:
            assert response.status == 201


async def test_a_repeat_that_races_the_first_is_stored_once(server: Server, session: aiohttp.ClientSession) -> None:
    answers = await asyncio.gather(
        *(post(session, server, f"try {number}", X_Client=SECRET, X_Key="k1") for number in range(20))
    )
    assert sorted(status for status, _ in answers) == [200] * 19 + [201]
    assert len({entry["seq"] for _, entry in answers}) == 1
    assert len(await entries(session, server.url)) == 1


async def test_without_a_key_each_post_has_its_own(server: Server, session: aiohttp.ClientSession) -> None:
    _, first = await post(session, server, "hi", X_Client=SECRET)
    _, second = await post(session, server, "hi", X_Client=SECRET)
    assert first["key"] != second["key"] and first["from"]["id"] == second["from"]["id"]


async def test_a_client_is_one_author_on_every_road(server: Server, session: aiohttp.ClientSession) -> None:
    """What was said over HTTP is known when the same client comes by WebSocket with the same key."""
    _, first = await post(session, server, "hi", X_Client=SECRET, X_Key="k1", X_Name="alice")
    browser = await BrowserPeer.join(session, server.url, client=SECRET, name="alice", after=-1)
    assert browser.hello["you"]["id"] == first["from"]["id"]
    await browser.say("k1", "hi")
    assert await browser.read() == first


async def test_who_sits_in_the_room_speaks_as_who_sits_there(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url, client=SECRET, name="alice")
    _, entry = await post(session, server, "from curl", X_Client=SECRET, X_Name="bob")
    assert entry["from"] == browser.hello["you"]
    assert await browser.entry() == entry


async def test_the_secret_is_not_in_the_answer(server: Server, session: aiohttp.ClientSession) -> None:
    for secret in (SECRET, "x" * 64):
        async with session.post(server.url, data="hi", headers={"X-Client": secret}) as response:
            assert response.status == 201
            assert secret not in await response.text() and secret not in str(response.headers)


@pytest.mark.parametrize("header", [b"X-Client: " + b"x" * 65, b"X-Client:", b"X-Key: " + b"x" * 65])
async def test_a_secret_or_key_that_cannot_be_is_refused(server: Server, header: bytes) -> None:
    answer = await raw(server, header)
    assert answer.status == 400 and answer.body.startswith(b"bad_request: ")


@pytest.mark.parametrize("header", [b"X-Client: \xff\xfe", b"X-Key: \xff\xfe"])
async def test_a_secret_or_key_that_is_no_text_is_refused(server: Server, header: bytes) -> None:
    answer = await raw(server, header)
    assert answer.status == 400 and answer.body.startswith(b"bad_request: ")
