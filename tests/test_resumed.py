"""A file that is gone on with: kept when it is left, counted only as far as it is sure."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bridge.log import Begun, KeptPart
from bridge.model import Peer, Refused
from bridge.quota import Claim
from bridge.resumed import Resumed
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.store.files import DiskFiles
from bridge.store.sqlite import SqliteLog
from bridge.store.unfinished import DiskUnfinished

BEGUN = Begun("lobby", "author", "k", Peer("p1", "alice", "http", "127.0.0.1:1"), "a.txt", 6, None, "alice")


class House(NamedTuple):
    room: Room
    files: DiskFiles
    part: KeptPart

    async def resumed(self) -> Resumed:
        await self.part.take_up()
        return Resumed(self.room, self.files, self.part, BEGUN, Claim(1000, []))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    log, files = SqliteLog(tmp_path / "log.sqlite3"), DiskFiles(tmp_path)
    room = await Rooms(log).get("lobby")
    yield House(room, files, await DiskUnfinished(files).begin(BEGUN))
    await log.close()
    await files.close()


async def test_left_before_its_end_it_is_kept(house: House) -> None:
    async with await house.resumed() as file:
        await file.write(b"abc")
        assert not file.whole
    assert (file.ending, house.part.size) == ("breath", 3)
    with pytest.raises(ConnectionResetError):
        async with await house.resumed() as file:
            await file.write(b"d")
            raise ConnectionResetError
    assert (file.ending, house.part.size) == ("broken", 4)
    async with await house.resumed() as file:
        await file.write(b"efgh")  # more than there is to come
        assert file.whole
        stored = await file.finish()
    assert file.ending == "over" and stored.entry.file is not None
    assert stored.entry.file.sha256 == hashlib.sha256(b"abcdef").hexdigest()


async def test_what_is_taken_back_is_not_counted(house: House) -> None:
    with pytest.raises(ValueError):
        async with await house.resumed() as file:
            await file.write(b"a")
            async with file.all_or_nothing():
                await file.write(b"bcdef")
                assert file.whole
                raise ValueError
    assert house.part.size == 1 and not file.whole
    async with await house.resumed() as file:
        async with file.all_or_nothing():
            await file.write(b"bc")
    assert house.part.size == 3


async def test_a_refusal_is_its_end_but_a_full_disk_is_not(house: House) -> None:
    with pytest.raises(Refused):
        async with await house.resumed() as file:
            await file.write(b"abc")
            raise Refused("disk_full", "the server's disk is full")
    assert (file.ending, house.part.size) == ("broken", 3)
    with pytest.raises(Refused):
        async with await house.resumed() as file:
            raise Refused("bad_request", "no")
    assert file.ending == "over"
    transfer = house.room.transfers.get(house.part.id)
    assert transfer is not None and (transfer.state, transfer.reason) == ("failed", "no")
