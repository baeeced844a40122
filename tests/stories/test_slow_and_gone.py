"""Senders who vanish with their words half way, and readers who stop reading: nobody else notices."""

from __future__ import annotations

import asyncio
import json
import random
import select
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp

from tests.support import observe
from tests.support.peers import PATIENCE_S, BrowserPeer, LinePeer
from tests.support.process import Running
from tests.support.streams import RawBrowser, packed, request, reset

VANISHING = 240
ENTRIES = 20_000
LATER = 2_000
FRAME = 100
TEXT = "x" * 200
MEMORY_BYTES = 64 * 1024 * 1024


def _linger(connection: socket.socket, dice: random.Random) -> None:
    """Up to 3 ms or the first byte: around the time when a message is committed and announced."""
    select.select([connection], [], [], dice.random() * 0.003)


def _vanish_from_websocket(address: tuple[str, int], name: str, dice: random.Random) -> None:
    browser = RawBrowser(address, "after=-1")
    browser.say(name, name)
    _linger(browser.socket, dice)
    reset(browser.socket)


def _vanish_from_http(address: tuple[str, int], name: str, dice: random.Random) -> None:
    connection = socket.create_connection(address, PATIENCE_S)
    connection.sendall(request("POST / HTTP/1.1", f"Content-Length: {len(name)}", body=name.encode()))
    _linger(connection, dice)
    reset(connection)


def _vanish_from_line(address: tuple[str, int], name: str, dice: random.Random) -> None:
    connection = socket.create_connection(address, PATIENCE_S)
    connection.sendall(name.encode() + b"\n")
    _linger(connection, dice)
    reset(connection)


def _vanish_from_upload(address: tuple[str, int], name: str, dice: random.Random) -> None:
    connection = socket.create_connection(address, PATIENCE_S)
    connection.sendall(packed("<", b"whole", file_name=name))
    _linger(connection, dice)
    reset(connection)


def _vanish_from_put(address: tuple[str, int], name: str, dice: random.Random) -> None:
    connection = socket.create_connection(address, PATIENCE_S)
    connection.sendall(request(f"PUT /{name} HTTP/1.1", "Content-Length: 5", body=b"whole"))
    _linger(connection, dice)
    reset(connection)


WAYS: tuple[Callable[[tuple[str, int], str, random.Random], None], ...] = (
    _vanish_from_websocket,
    _vanish_from_http,
    _vanish_from_line,
    _vanish_from_upload,
    _vanish_from_put,
)


def test_senders_who_vanish_around_the_commit_leave_no_hole_for_those_who_watch(running: Running) -> None:
    def vanish(number: int) -> None:
        WAYS[number % len(WAYS)](running.address, f"vanished-{number}", random.Random(number))

    heard: list[dict[str, Any]] = []
    with RawBrowser(running.address, "after=0") as watcher, ThreadPoolExecutor(4) as others:
        list(others.map(vanish, range(VANISHING)))
        observe.until(lambda: _all_gone(running), "only the watcher is connected")
        last = _say(running, "the end")
        while not heard or heard[-1]["seq"] != last:
            heard += [one for one in watcher.read() if "seq" in one]

    assert heard == observe.log(running.address)
    kinds = {entry["from"]["via"] for entry in heard}
    assert kinds == {"web", "http", "tcp"}, "every way got some words in before it vanished"
    announced = {entry["file"]["id"] for entry in heard if entry["type"] == "file"}

    def tidy() -> bool:
        parts, whole = observe.files_in(running.data)
        return not parts and {path.name for path in whole} == announced

    observe.until(tidy, "what was not announced is removed")  # a moment after its transfer was told to have failed


def _all_gone(running: Running) -> bool:
    """Only the watcher sits, and no file is still on its way."""
    rooms = json.loads(observe.fetch(running.address, "GET", "/rooms")[2])
    with RawBrowser(running.address, "after=-1") as visitor:
        (hello,) = visitor.read()
    return [room["seats"] for room in rooms] == [1] and hello["transfers"] == []


def _say(running: Running, text: str) -> int:
    status, _headers, body = observe.fetch(running.address, "POST", "/", text.encode())
    assert status == 201
    return json.loads(body)["seq"]


async def _write(writer: BrowserPeer, start: int, count: int) -> None:
    """Messages numbered from `start`, in frames of many, never more than a few frames ahead of the disk."""
    for first in range(start, start + count, FRAME):
        objects = [
            {"type": "say", "key": f"k{number}", "text": f"{number} {TEXT}"} for number in range(first, first + FRAME)
        ]
        await writer.send(*objects)
        if first >= start + 4 * FRAME:
            await writer.until(key=f"k{first - 4 * FRAME}")
    await writer.until(key=f"k{start + count - 1}")


async def _numbers(reader: BrowserPeer, count: int) -> list[int]:
    return [int((await reader.entry())["text"].split()[0]) for _ in range(count)]


def _lines(reader: LinePeer, count: int) -> list[int]:
    return [int(reader.read().split()[1]) for _ in range(count)]


def _entries(stalled: RawBrowser, count: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    while len(entries) < count:
        entries += [one for one in stalled.read() if "seq" in one]
    return entries


async def test_a_browser_that_stops_reading_holds_up_nobody_costs_little_and_gets_all_in_the_end(
    running: Running, session: aiohttp.ClientSession, record_property: Callable[[str, object], None]
) -> None:
    pid = running.process.pid
    stalled = RawBrowser(running.address, "after=0", receive_buffer=8192)
    writer = await BrowserPeer.join(session, running.url, after=-1)
    readers = [await BrowserPeer.join(session, running.url, after=0) for _ in range(2)]
    with LinePeer(running.address) as line, stalled:
        line.say("")
        assert line.read().startswith("* welcome")
        before = observe.rss_bytes(pid)

        heard = await asyncio.gather(
            *(_numbers(reader, ENTRIES) for reader in readers),
            asyncio.to_thread(_lines, line, ENTRIES),
            _write(writer, 0, ENTRIES),
        )
        grown = observe.rss_bytes(pid) - before
        record_property("server_grew_mib", round(grown / 2**20, 1))
        assert heard[:3] == [list(range(ENTRIES))] * 3
        assert grown < MEMORY_BYTES, f"{grown / 2**20:.0f} MiB more for a reader who does not read"

        # Far below what is held in memory by now, it reads on while others go on talking.
        caught_up, *_ = await asyncio.gather(
            asyncio.to_thread(_entries, stalled, ENTRIES + LATER), _write(writer, ENTRIES, LATER)
        )
        assert [int(entry["text"].split()[0]) for entry in caught_up] == list(range(ENTRIES + LATER))
        numbers = [entry["seq"] for entry in caught_up]
        assert numbers == sorted(set(numbers))
    for peer in (writer, *readers):
        await peer.close()
