"""What is no longer kept is gone, and everybody who comes for it is told so, in their own language."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from tests.support import observe
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer
from tests.support.process import Running

DAY_MS = 86_400_000
LOST = "* what was said before is no longer kept"


def aged(running: Running, days: int, up_to: int) -> None:
    """The entries up to this number become so many days older, while no server runs."""
    with closing(sqlite3.connect(running.data / "log.sqlite3")) as log, log:
        log.execute("UPDATE entry SET at = at - ? WHERE seq <= ?", (days * DAY_MS, up_to))


def say(running: Running, *texts: str) -> list[dict[str, Any]]:
    answers = [observe.fetch(running.address, "POST", "/", text.encode()) for text in texts]
    return [json.loads(body) for _status, _headers, body in answers]


def send(running: Running, name: str) -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    return json.loads(observe.fetch(running.address, "PUT", f"/{name}", b"bytes", **headers)[2])


def until_first(running: Running, seq: int) -> None:
    """Wait until the log begins with this entry."""
    observe.until(lambda: observe.log(running.address)[0]["seq"] == seq, "the old ones go")


@pytest.fixture
def trimmed(run: Callable[..., Running]) -> tuple[Running, list[dict[str, Any]], list[dict[str, Any]]]:
    """A server that keeps two days: what it no longer has, and what it still has."""
    running = run("--keep-days", "2")
    gone = [*say(running, *(f"old {number}" for number in range(300))), send(running, "old.bin")]
    kept = [*say(running, "new 1", "new 2"), send(running, "new.bin")]
    assert running.stop() == 0
    aged(running, 3, gone[-1]["seq"])
    running.start()
    until_first(running, kept[0]["seq"])
    return running, gone, kept


async def test_every_reader_hears_of_the_gap_and_then_all_that_is_left(
    trimmed: tuple[Running, list[dict[str, Any]], list[dict[str, Any]]], session: aiohttp.ClientSession
) -> None:
    running, gone, kept = trimmed
    known, end = gone[4]["seq"], gone[-1]["seq"]
    gap = {"type": "gap", "from": known + 1, "to": end}

    async with session.get(f"{running.url}r/lobby/entries") as answer:
        epoch = (await answer.json())["epoch"]
    browser = await BrowserPeer.join(session, running.url, after=known, epoch=epoch)
    assert browser.hello["last_seq"] == kept[-1]["seq"]
    assert await browser.until(type="gap") == gap
    assert [await browser.entry() for _ in kept] == kept
    await browser.close()
    for query in ({"after": end}, {}):  # who begins behind it hears of none
        browser = await BrowserPeer.join(session, running.url, **query)
        heard = [await browser.read()]
        while heard[-1] != kept[-1]:
            heard.append(await browser.read())
        assert [one for one in heard if one["type"] != "presence"] == kept
        await browser.close()

    async with session.get(f"{running.url}r/lobby/events?after={known}") as stream:
        lines = [json.loads(await stream.content.readline()) for _ in range(2 + len(kept))]
        assert [one for one in lines if one["type"] != "hello"] == [gap, *kept]
    resumed = {"Accept": "text/event-stream", "Last-Event-ID": f"{epoch}:{known}"}
    async with session.get(f"{running.url}r/lobby/events", headers=resumed) as stream:
        heard = b""
        while b"new.bin" not in heard:
            heard += await stream.content.readany()
    events = [json.loads(line[6:]) for line in heard.decode().splitlines() if line.startswith("data: ")]
    assert [one for one in events if one["type"] not in ("hello", "presence")] == [gap, *kept]

    async with session.get(f"{running.url}r/lobby/entries", params={"after": known}) as answer:
        page = await answer.json()
    assert (page["gap"], page["entries"]) == (gap, kept)
    async with session.get(f"{running.url}r/lobby/entries", params={"before": kept[1]["seq"]}) as answer:
        page = await answer.json()
    assert (page["gap"], page["entries"]) == ({"type": "gap", "from": 1, "to": end}, kept[:1])
    async with session.get(f"{running.url}r/lobby/entries", params={"after": end}) as answer:
        assert "gap" not in await answer.json()


def test_socket_peers_are_told_in_words(trimmed: tuple[Running, list[Any], list[dict[str, Any]]]) -> None:
    running, _gone, _kept = trimmed
    with LinePeer(running.address) as line, DatagramPeer(running.address) as datagrams:
        line.say("/history 100")
        assert line.read().startswith("* welcome")
        assert [line.read(), line.read()[-5:]] == [LOST, "new 1"]
        line.read_until("new.bin")
        line.say("/history 3")
        assert line.read().endswith("] new 1")
        datagrams.say("/history 100")
        assert datagrams.read().startswith("* welcome")
        assert datagrams.read() == f"{LOST}\n"
        assert datagrams.read().endswith("] new 1\n")


def test_the_bytes_of_its_files_are_gone_too(trimmed: tuple[Running, list[Any], list[dict[str, Any]]]) -> None:
    running, gone, kept = trimmed
    observe.until(lambda: len(observe.files_in(running.data)[1]) == 1)
    assert observe.fetch(running.address, "GET", kept[-1]["file"]["url"])[2] == b"bytes"
    status, _headers, body = observe.fetch(running.address, "GET", gone[-1]["file"]["url"])
    assert (status, body) == (404, b"not_found: there is no such file here, or no longer\n")


def test_when_nothing_is_left_numbers_go_on_and_the_gap_is_told(run: Callable[..., Running]) -> None:
    running = run("--keep-days", "2")
    gone = say(running, "a", "b", "c")
    assert running.stop() == 0
    aged(running, 3, gone[-1]["seq"])
    running.start()
    observe.until(lambda: observe.log(running.address) == [])
    with LinePeer(running.address) as line:
        line.say("/history")
        assert line.read().startswith("* welcome")
        assert line.read() == LOST
    _status, _headers, body = observe.fetch(running.address, "GET", "/r/lobby/entries?after=1")
    page = json.loads(body)
    assert (page["last_seq"], page["entries"]) == (gone[-1]["seq"], [])
    assert page["gap"] == {"type": "gap", "from": 2, "to": gone[-1]["seq"]}
    assert say(running, "d")[0]["seq"] > gone[-1]["seq"]


def test_a_file_that_is_too_old_keeps_its_entry_and_says_that_its_bytes_are_gone(run: Callable[..., Running]) -> None:
    running = run("--keep-files-days", "2")
    old, new = send(running, "old.bin"), send(running, "new.bin")
    assert running.stop() == 0
    aged(running, 3, old["seq"])
    running.start()
    observe.until(lambda: len(observe.files_in(running.data)[1]) == 1)
    assert [entry["seq"] for entry in observe.log(running.address)] == [old["seq"], new["seq"]]
    for headers in ({}, {"If-None-Match": f'"{old["file"]["sha256"]}"'}, {"Range": "bytes=0-1"}):
        status, _headers, body = observe.fetch(running.address, "GET", old["file"]["url"], **headers)
        assert (status, body) == (404, b"not_found: old.bin is no longer kept here\n")
    assert observe.fetch(running.address, "HEAD", old["file"]["url"])[0] == 404
    assert observe.fetch(running.address, "GET", new["file"]["url"])[2] == b"bytes"


def test_people_talk_on_while_a_long_log_is_trimmed(run: Callable[..., Running]) -> None:
    """Ten thousand old entries go at start; whoever speaks meanwhile is heard."""
    running = run()
    last = say(running, "first")[0]["seq"]
    assert running.stop() == 0
    with closing(sqlite3.connect(running.data / "log.sqlite3")) as log, log:
        (row,) = log.execute("SELECT room, at, author, sender FROM entry").fetchall()
        log.executemany(
            "INSERT INTO entry (room, at, author, key, sender, text) VALUES (?, ?, ?, ?, ?, ?)",
            ((row[0], row[1], row[2], f"k{number}", row[3], "x" * 200) for number in range(10_000)),
        )
        last += 10_000
    aged(running, 3, last)
    running.options = ("--keep-days", "1")
    running.start()
    spoken = []
    while not spoken or observe.log(running.address)[0]["seq"] <= last:
        spoken += say(running, f"meanwhile {len(spoken)}")
    assert observe.log(running.address) == spoken
    assert len(spoken) > 1
