"""Uploads that stop and go on: one holder at a time, nothing lost, nothing kept for ever."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from bridge import uploads as module
from bridge.log import Begun
from bridge.model import Peer, Refused, Rule, StoreError
from bridge.quota import Quota
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.store.files import DiskFiles
from bridge.store.sqlite import SqliteLog
from bridge.store.unfinished import DiskUnfinished
from bridge.uploads import Moved, TakenOver, Upload, Uploads

BEGUN = Begun("lobby", "author", "k", Peer("p1", "alice", "http", "127.0.0.1:1"), "a.txt", 6, None, "alice")
KEPT_S = 100.0


class Clock:
    """Runs as it is told."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class House(NamedTuple):
    folder: Path
    room: Room
    files: DiskFiles
    log: SqliteLog
    clock: Clock
    uploads: Uploads

    async def begin(self, **other: object) -> Upload:
        return await self.uploads.begin(self.room, msgspec.structs.replace(BEGUN, **other))

    def kept(self) -> list[str]:
        return [path.name for path in self.folder.rglob("*") if path.is_file() and path.parent.name == "uploads"]

    def state(self, upload: Upload) -> tuple[str, int, str | None]:
        transfer = self.room.transfers.get(upload.id)
        assert transfer is not None
        return transfer.state, transfer.received, transfer.reason

    async def digests(self) -> list[str]:
        return [entry.file.sha256 for entry in await self.log.files_of("lobby") if entry.file]


async def built(folder: Path) -> House:
    log = SqliteLog(folder / "log.sqlite3")
    files, clock, rooms = DiskFiles(folder), Clock(), Rooms(log)
    uploads = Uploads(rooms, files, DiskUnfinished(files), Quota(log, 1000), KEPT_S, clock)
    await uploads.open(log.file)
    return House(folder, await rooms.get("lobby"), files, log, clock, uploads)


async def gone(house: House) -> None:
    await house.uploads.close()
    await house.log.close()
    await house.files.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = await built(tmp_path)
    yield house
    await gone(house)


async def write(upload: Upload, offset: int, data: bytes) -> None:
    async with upload.hold(offset) as file:
        await file.write(data)
        if file.whole:
            await file.finish()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_pieces_make_a_file(house: House) -> None:
    upload = await house.begin()
    assert house.state(upload) == ("receiving", 0, None)
    await write(upload, 0, b"abc")
    assert (upload.offset, house.state(upload)) == (3, ("receiving", 3, None))
    await write(upload, 3, b"def")
    assert (upload.ended, house.state(upload)) == (True, ("done", 6, None))
    assert await house.digests() == [sha256(b"abcdef")]
    assert (house.kept(), len(house.uploads)) == ([], 0)


async def test_one_left_in_the_middle_is_paused_where_it_stands(house: House) -> None:
    upload = await house.begin()
    with pytest.raises(ConnectionResetError):
        async with upload.hold(0) as file:
            await file.write(b"abc")
            raise ConnectionResetError
    assert house.state(upload) == ("paused", 3, None)


async def test_another_place_than_where_it_stands_is_refused(house: House) -> None:
    upload = await house.begin()
    for offset in (1, 6, 7):
        with pytest.raises(Moved, match="stands at 0"):
            async with upload.hold(offset):
                pass


async def test_a_holder_who_waits_is_asked_to_stop(house: House) -> None:
    upload = await house.begin()
    held = asyncio.Event()

    async def hang() -> None:
        async with upload.hold(0) as file:
            await file.write(b"abc")
            held.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    await held.wait()
    await upload.stop()
    assert upload.offset == 3
    with pytest.raises(TakenOver):
        await hanging
    await write(upload, 3, b"def")
    assert await house.digests() == [sha256(b"abcdef")]


async def test_what_is_being_finished_is_not_stopped(house: House) -> None:
    upload = await house.begin()
    finishing = asyncio.create_task(write(upload, 0, b"abcdef"))
    while not upload.held or upload.offset < 6:
        await asyncio.sleep(0)
    while (file := upload._file) is not None and not file.finishing:
        await asyncio.sleep(0)
    await upload.stop()
    await finishing
    assert upload.ended and await house.digests() == [sha256(b"abcdef")]


async def test_a_holder_cancelled_while_finishing_has_finished(house: House) -> None:
    upload = await house.begin()
    finishing = asyncio.create_task(write(upload, 0, b"abcdef"))
    while (file := upload._file) is None or not file.finishing:
        await asyncio.sleep(0)
    finishing.cancel()
    await asyncio.wait([finishing])
    assert upload.ended and await house.digests() == [sha256(b"abcdef")]


async def test_what_turns_out_wrong_is_not_kept(house: House) -> None:
    upload = await house.begin(sha256="0" * 64)
    with pytest.raises(Refused, match="expected 000"):
        await write(upload, 0, b"abcdef")
    assert upload.ended and house.state(upload)[0] == "failed"
    assert (house.kept(), await house.digests()) == ([], [])
    with pytest.raises(Refused, match="has ended"):
        async with upload.hold(6):
            pass


async def test_a_disk_in_trouble_keeps_what_came(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = await house.begin()

    async def full(*_: object) -> None:
        raise Refused("disk_full", "the server's disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("bridge.store.files.DiskPart.commit", full)
        with pytest.raises(Refused, match="full"):
            await write(upload, 0, b"abcdef")
    assert (upload.ended, house.state(upload)) == (False, ("paused", 6, None))
    await upload.finish()
    assert await house.digests() == [sha256(b"abcdef")]


async def test_the_next_server_goes_on_where_the_last_one_was_killed(tmp_path: Path) -> None:
    first = await built(tmp_path)
    upload = await first.begin()
    await write(upload, 0, b"abc")
    second = await built(tmp_path)
    again = second.uploads.find(upload.id, "lobby", "alice")
    assert again is not None and again.offset == 3
    assert second.state(again) == ("paused", 3, None)
    await write(again, 3, b"def")
    assert await second.digests() == [sha256(b"abcdef")]
    for house in (second, first):
        await gone(house)


async def test_what_was_whole_when_the_server_was_killed_is_announced_by_the_next(tmp_path: Path) -> None:
    first = await built(tmp_path)
    upload = await first.begin()
    async with upload.hold(0) as file:
        await file.write(b"abcdef")  # and no finish
    second = await built(tmp_path)
    await second.uploads.sweep()
    assert await second.digests() == [sha256(b"abcdef")]
    for house in (second, first):
        await gone(house)


async def test_a_server_killed_between_the_files_place_and_its_entry_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await built(tmp_path)
    upload = await first.begin()
    with monkeypatch.context() as patch:
        patch.setattr(first.log, "append", lambda draft: asyncio.get_running_loop().create_future())
        finishing = asyncio.create_task(write(upload, 0, b"abcdef"))
        while not first.files.path(upload.id).exists() or upload._file is None or upload._file._announced is None:
            await asyncio.sleep(0)
    second = await built(tmp_path)
    again = second.uploads.find(upload.id, "lobby", "alice")
    assert again is not None and again.whole and not second.files.path(upload.id).exists()
    await second.uploads.sweep()
    assert await second.digests() == [sha256(b"abcdef")]
    assert second.files.path(upload.id).read_bytes() == b"abcdef"
    finishing.cancel()
    upload._file._announced.set_exception(Refused("busy", "it was killed"))
    await asyncio.gather(finishing, return_exceptions=True)
    await gone(second)
    await gone(first)


async def test_one_whose_entry_is_there_is_no_upload_any_more(tmp_path: Path) -> None:
    """Killed before its record went: the entry counts."""
    first = await built(tmp_path)
    upload = await first.begin()
    record = tmp_path / "uploads" / f"{upload.id}.json"
    content = record.read_bytes()
    await write(upload, 0, b"abcdef")
    record.write_bytes(content)
    second = await built(tmp_path)
    assert len(second.uploads) == 0 and second.kept() == []
    assert second.files.path(upload.id).read_bytes() == b"abcdef"
    for house in (second, first):
        await gone(house)


async def test_nobody_but_its_owner_finds_it(house: House) -> None:
    upload = await house.begin()
    assert house.uploads.find(upload.id, "lobby", "alice") is upload
    assert house.uploads.find(upload.id, "lobby", None) is None
    assert house.uploads.find(upload.id, "lobby", "eve") is None
    assert house.uploads.find(upload.id, "lab", "alice") is None
    assert house.uploads.find("0" * 32, "lobby", "alice") is None


async def test_one_that_nobody_went_on_with_is_let_go_of(house: House) -> None:
    old, held = await house.begin(), await house.begin(key="k2")
    async with held.hold(0) as file:
        await file.write(b"a")
        house.clock.ahead = KEPT_S - 1
        await house.uploads.sweep()
        assert house.uploads.find(old.id, "lobby", "alice") is old
        house.clock.ahead = KEPT_S + 5
        assert house.uploads.find(old.id, "lobby", "alice") is None
        await house.uploads.sweep()
        assert old.ended and not held.ended
        assert house.state(old)[0] == "failed" and "nobody went on" in str(house.state(old)[2])
    assert sorted(house.kept()) == [held.id, f"{held.id}.json"]
    await held.remove("enough", "taken_back")
    await held.remove("enough", "taken_back")
    assert house.kept() == []


async def test_the_same_file_of_the_same_owner_is_one_upload(house: House) -> None:
    begun = msgspec.structs.replace(BEGUN, sha256=sha256(b"abcdef"))
    first, second = await asyncio.gather(*(house.uploads.begin_or_go_on(house.room, begun) for _ in range(2)))
    assert first is second and len(house.uploads) == 1
    other = await house.uploads.begin_or_go_on(house.room, msgspec.structs.replace(begun, size=7))
    assert other is not first


async def test_who_may_not_speak_does_not_go_on_with_what_a_host_began(house: House) -> None:
    begun = msgspec.structs.replace(BEGUN, sha256=sha256(b"abcdef"), host=True)
    await house.uploads.begin_or_go_on(house.room, begun)
    house.room.rules.take(1, Rule(read_only=True))
    with pytest.raises(Refused, match="only hosts speak here"):
        await house.uploads.begin_or_go_on(house.room, msgspec.structs.replace(begun, host=False))
    await house.uploads.begin_or_go_on(house.room, begun)


async def test_sweeping_outlives_trouble(
    house: House, monkeypatch: pytest.MonkeyPatch, faults_are_heard: list[object]
) -> None:
    swept = 0
    done = asyncio.Event()

    async def sweep() -> None:
        nonlocal swept
        swept += 1
        if swept == 1:
            raise StoreError("the disk burns")
        done.set()

    monkeypatch.setattr(module, "SWEEP_S", 0)
    monkeypatch.setattr(house.uploads, "sweep", sweep)
    await house.uploads.close()
    await house.uploads.open(house.log.file)
    await asyncio.wait_for(done.wait(), 10)
    assert faults_are_heard
    faults_are_heard.clear()
