"""What was acknowledged is on the disk: by the kernel's own account, and by killing the server again and again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support import observe
from tests.support.peers import PATIENCE_S, BrowserPeer, LinePeer, UploadPeer
from tests.support.process import Running
from tests.support.trace import Call, Traced, first

MESSAGES = 20
KILLS = 10


def is_sync(call: Call, path: str) -> bool:
    return call.name in ("fsync", "fdatasync") and path in call.arguments and call.result == 0


def is_sent(call: Call, text: str) -> bool:
    return (
        call.name in ("sendto", "sendmsg", "write", "writev") and "socket:" in call.arguments and text in call.arguments
    )


def is_logged(call: Call, text: str) -> bool:
    return call.name in ("pwrite64", "write") and "log.sqlite3-wal>" in call.arguments and text in call.arguments


def assert_synced_between(calls: list[Call], text: str) -> None:
    """`text` was written to the write-ahead log, that was synced, and only then did any socket hear of it."""
    logged = first(calls, f"{text} is written to the log", lambda call: is_logged(call, text))
    told = first(calls, f"{text} is told", lambda call: is_sent(call, text))
    synced = [call for call in calls if is_sync(call, "log.sqlite3-wal>") and call.began > logged.ended]
    assert synced, f"{text} was never synced"
    assert synced[0].ended < told.began, f"{text} was told before it was synced"


async def test_a_message_is_synced_before_anybody_hears_of_it(
    run: Callable[..., Running], session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    traced = Traced(tmp_path / "trace")
    running = await asyncio.to_thread(run, command=traced.command)
    texts = []

    async def by_websocket(number: int) -> None:
        browser = await BrowserPeer.join(session, running.url)
        for place in range(MESSAGES):
            text = f"durable-ws-{number}-{place:02}"
            texts.append(text)
            await browser.say(text, text)
            if place % 5 == 4:  # alone, and five at a time
                await browser.until(key=text)
        await browser.close()

    async def by_http() -> None:
        for place in range(MESSAGES):
            text = f"durable-http-{place:02}"
            texts.append(text)
            async with session.post(running.url, data=text) as response:
                assert response.status == 201

    def by_line() -> None:
        with LinePeer(running.address) as line:
            own = [f"durable-line-{place:02}" for place in range(MESSAGES)]
            texts.extend(own)
            for text in own:
                line.say(text)
            line.say("/history 100")  # answered when all is stored
            line.read_until(own[-1])

    await asyncio.gather(by_websocket(1), by_websocket(2), by_http(), asyncio.to_thread(by_line))
    assert await asyncio.to_thread(running.stop) == 0

    calls = traced.calls(running.process.pid)
    assert len(texts) == 4 * MESSAGES
    for text in texts:
        assert_synced_between(calls, text)


async def test_a_file_is_synced_named_and_its_folder_synced_before_it_is_announced(
    run: Callable[..., Running], session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    traced = Traced(tmp_path / "trace")
    running = await asyncio.to_thread(run, command=traced.command)
    watcher = await BrowserPeer.join(session, running.url)

    def by_raw_tcp() -> None:
        with UploadPeer(running.address) as upload:
            for size in (0, 1, 300_000):
                upload.push(f"raw-{size}.bin", b"x" * size, reply=True)
                assert "seq" in upload.reply()

    async def by_http() -> None:
        for size in (0, 1, 300_000):
            async with session.put(f"{running.url}put-{size}.bin", data=b"x" * size) as response:
                assert response.status == 201

    await asyncio.gather(by_http(), asyncio.to_thread(by_raw_tcp))
    files = [(await watcher.entry())["file"] for _ in range(6)]
    await watcher.close()
    assert await asyncio.to_thread(running.stop) == 0

    calls = traced.calls(running.process.pid)
    for file in files:
        assert_stored_step_by_step(calls, file["id"], file["size"])
        assert_synced_between(calls, file["url"])


def assert_stored_step_by_step(calls: list[Call], id: str, size: int) -> None:
    """A file's bytes were written, synced, given their name, that was synced; and only then did the log hear of it."""
    part, folder = f"parts/{id}>", f"/files/{id[:2]}>"
    written = [call for call in calls if call.name == "write" and part in call.arguments]
    assert sum(call.result for call in written) == size
    synced = first(calls, f"fsync of {id}", lambda call: is_sync(call, part))
    named = first(calls, f"rename of {id}", lambda call: call.name.startswith("rename") and id in call.arguments)
    kept = first(calls, "fsync of its folder", lambda call: is_sync(call, folder) and call.began > named.ended)
    logged = first(calls, f"{id} is written to the log", lambda call: is_logged(call, id))
    assert all(call.ended < synced.began for call in written)
    assert synced.ended < named.began
    assert named.result == 0
    assert kept.ended < logged.began


class _Writer:
    """Somebody who keeps each message until it is acknowledged, and sends it again for as long as it is not."""

    def __init__(self, name: str) -> None:
        self.client = f"secret of {name}"
        self.name = name
        self.acknowledged: dict[str, int] = {}
        self.again = 0
        """How often a message was sent a second time."""

    def acknowledge(self, key: str, seq: int) -> None:
        assert self.acknowledged.setdefault(key, seq) == seq, f"{key} has two numbers"


class _House:
    """What the writers and readers of a killed server share."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.over = asyncio.Event()
        self.acknowledged = 0
        self.back = asyncio.Event()
        self.back.set()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[aiohttp.ClientSession]:
        """A session in which any loss of the server just ends the block."""
        await self.back.wait()
        try:
            async with aiohttp.ClientSession() as session:
                yield session
        except (aiohttp.ClientError, ConnectionError, TypeError, TimeoutError):
            # aiohttp tells of a closed WebSocket with a TypeError from receive_str
            pass


async def _write_by_http(house: _House, writer: _Writer) -> None:
    number = 0
    waiting = None
    while not house.over.is_set():
        async with house.connected() as session:
            while not house.over.is_set():
                key = f"{writer.name}-{number}"
                writer.again += waiting == key
                waiting = key
                headers = {"X-Client": writer.client, "X-Key": key}
                async with session.post(house.running.url, data=f"text of {key}", headers=headers) as response:
                    entry = await response.json(content_type=None)
                    assert response.status in (200, 201), entry
                writer.acknowledge(key, entry["seq"])
                house.acknowledged += 1
                number += 1


async def _write_by_websocket(house: _House, writer: _Writer) -> None:
    number, last_seq = 0, 0
    waiting: list[str] = []
    while not house.over.is_set():
        async with house.connected() as session:
            peer = await BrowserPeer.join(session, house.running.url, client=writer.client, after=last_seq)
            writer.again += len(waiting)
            for key in waiting:
                await peer.say(key, f"text of {key}")
            while not house.over.is_set():
                while len(waiting) < 8:
                    waiting.append(f"{writer.name}-{number}")
                    number += 1
                    await peer.say(waiting[-1], f"text of {waiting[-1]}")
                entry = await peer.entry()
                last_seq = max(last_seq, entry["seq"])
                if entry["key"] in waiting:
                    waiting.remove(entry["key"])
                    writer.acknowledge(entry["key"], entry["seq"])
                    house.acknowledged += 1


async def _upload(house: _House, writer: _Writer) -> None:
    number = 0
    while not house.over.is_set():
        async with house.connected() as session:
            while not house.over.is_set():
                key = f"{writer.name}-{number}"
                body = random.Random(number).randbytes(random.Random(number).randrange(200_000))
                headers = {"X-Client": writer.client, "X-Key": key, "Accept": "application/json"}
                async with session.put(f"{house.running.url}{key}.bin", data=body, headers=headers) as response:
                    entry = await response.json(content_type=None)
                    assert response.status in (200, 201), entry
                assert entry["file"]["sha256"] == hashlib.sha256(body).hexdigest()
                writer.acknowledge(key, entry["seq"])
                number += 1


async def _read(house: _House, heard: list[dict[str, Any]], until_seq: asyncio.Future[int]) -> None:
    """Everything from the start, over as many connections as it takes."""
    while not (until_seq.done() and heard and heard[-1]["seq"] >= until_seq.result()):
        async with house.connected() as session:
            after = heard[-1]["seq"] if heard else 0
            peer = await BrowserPeer.join(session, house.running.url, after=after)
            while not (until_seq.done() and heard and heard[-1]["seq"] >= until_seq.result()):
                heard.append(await peer.entry())


async def test_a_server_killed_ten_times_keeps_all_it_acknowledged_once_and_in_order(running: Running) -> None:
    house = _House(running)
    writers = [_Writer("http-a"), _Writer("http-b"), _Writer("ws-a"), _Writer("ws-b"), _Writer("file")]
    heard: list[dict[str, Any]] = []
    until_seq: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    dice = random.Random(1)
    async with asyncio.TaskGroup() as family:
        for writer in writers[:2]:
            family.create_task(_write_by_http(house, writer))
        for writer in writers[2:4]:
            family.create_task(_write_by_websocket(house, writer))
        family.create_task(_upload(house, writers[4]))
        reader = family.create_task(_read(house, heard, until_seq))
        for _kill in range(KILLS):
            enough = house.acknowledged + dice.randrange(20, 120)
            async with asyncio.timeout(3 * PATIENCE_S):
                while house.acknowledged < enough:
                    await asyncio.sleep(0.001)
            house.back.clear()
            await asyncio.to_thread(running.kill)
            await asyncio.to_thread(running.start)
            house.back.set()
        house.over.set()
        (newest,) = (await asyncio.to_thread(observe.log, running.address))[-1:]
        await asyncio.to_thread(observe.fetch, running.address, "POST", "/", b"the end")
        until_seq.set_result(newest["seq"] + 1)
        await reader

    log = await asyncio.to_thread(observe.log, running.address)
    seqs = [entry["seq"] for entry in log]
    assert seqs == sorted(set(seqs)), "numbers rise"
    by_key: dict[str, list[int]] = {}
    for entry in log:
        by_key.setdefault(entry["key"], []).append(entry["seq"])
        assert entry.get("text") in (None, f"text of {entry['key']}", "the end")
    assert {key: numbers for key, numbers in by_key.items() if len(numbers) > 1} == {}, "nothing is there twice"
    for writer in writers:
        assert writer.acknowledged
        for key, seq in writer.acknowledged.items():
            assert by_key.get(key) == [seq], f"{key} was acknowledged as {seq}"
    assert sum(writer.again for writer in writers) > 0, "nothing was ever sent again, so nothing was tried"

    numbers = [entry["seq"] for entry in heard]
    assert numbers == [seq for seq in seqs if seq <= numbers[-1]], "the reader saw all, in order, once"
    assert numbers[-1] == seqs[-1]

    again = await asyncio.to_thread(_say_all_again, running, writers[0])
    assert again == writers[0].acknowledged
    assert len(await asyncio.to_thread(observe.log, running.address)) == len(log)
    await asyncio.to_thread(_compare_files, running, [entry for entry in log if entry["type"] == "file"])


def _say_all_again(running: Running, writer: _Writer) -> dict[str, int]:
    """Every acknowledged message once more: 200, and its first number."""
    numbers = {}
    for key in writer.acknowledged:
        headers = {"X-Client": writer.client, "X-Key": key}
        status, _headers, body = observe.fetch(running.address, "POST", "/", b"other words", **headers)
        assert status == 200
        numbers[key] = json.loads(body)["seq"]
    return numbers


def _compare_files(running: Running, entries: list[dict[str, Any]]) -> None:
    """All announced files are there, whole, and no half ones; a kill between the file and its entry leaves one more."""
    for entry in entries:
        assert observe.digest(running.address, entry) == entry["file"]["sha256"]
    assert running.stop() == 0
    running.start()
    parts, whole = observe.files_in(running.data)
    assert parts == []
    announced = {entry["file"]["id"] for entry in entries}
    kept = {path.name for path in whole}
    assert announced <= kept
    assert len(kept - announced) <= KILLS
