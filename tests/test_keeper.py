"""The keeper over a real log and real files, with a clock in our hands."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.keeper import Keep, Keeper
from bridge.log import Log
from bridge.model import FileRef
from bridge.store.files import DiskFiles
from bridge.store.sqlite import SqliteLog
from tests.support.nouns import draft

DAY_S = 86_400.0


class House:
    """A log and its files, a day that passes when a test says so, and somebody who sends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1_000_000_000.0
        self.log = SqliteLog(folder / "log.sqlite3", lambda: self.now)
        self.files = DiskFiles(folder)

    def keeper(self, **keep: int) -> Keeper:
        return Keeper(self.log, self.files, Keep(**keep), clock=lambda: self.now)

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.log.append(draft(text))

    async def send(self, size: int) -> str:
        part = await self.files.create()
        await part.write(os.urandom(size))
        digest = await part.commit()
        await self.log.append(draft(text=None, file=FileRef.of(part.id, "a.bin", size, digest.sha256, "x/y")))
        return part.id

    async def texts(self) -> list[str | None]:
        log: Log = self.log
        return [entry.text for entry in (await log.read("lobby", 0, 10_000)).entries]

    def blobs(self) -> set[str]:
        return {path.name for path in (self.folder / "files").rglob("*") if path.is_file()}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    yield house
    await house.log.close()
    await house.files.close()


async def test_by_default_everything_is_kept(house: House) -> None:
    await house.say("old")
    id = await house.send(10)
    house.now += 10_000 * DAY_S
    await house.keeper().tidy()
    assert await house.texts() == ["old", None]
    assert house.blobs() == {id}


async def test_what_is_older_than_so_many_days_goes_with_the_bytes_of_its_files(house: House) -> None:
    await house.say("old")
    await house.send(10)
    house.now += 2 * DAY_S
    await house.say("newer")
    newer = await house.send(10)
    house.now += 2 * DAY_S
    await house.keeper(days=3).tidy()
    assert await house.texts() == ["newer", None]
    assert house.blobs() == {newer}


async def test_a_log_that_is_too_large_loses_its_oldest_until_it_fits(house: House) -> None:
    for _ in range(2000):
        house.log.append(draft("x" * 1000))
    await house.say("newest of the old")
    house.now += 2 * DAY_S
    keeper = house.keeper(bytes=1_500_000)
    await keeper.tidy()
    assert await house.log.size() <= 1_500_000
    left = await house.texts()
    assert 500 < len(left) < 2000, "no more than had to"
    assert left[-1] == "newest of the old"
    await keeper.tidy()
    assert await house.texts() == left


@pytest.mark.parametrize("keep", [{"days": 1}, {"bytes": 1}, {"files_days": 1}, {"files_bytes": 1}], ids=str)
async def test_nothing_younger_than_a_day_goes_whatever_is_asked_for(house: House, keep: dict[str, int]) -> None:
    await house.say("young")
    id = await house.send(10)
    house.now += DAY_S - 1
    await house.keeper(**keep).tidy()
    assert await house.texts() == ["young", None]
    assert house.blobs() == {id}
    house.now += 2
    await house.keeper(**keep).tidy()
    assert house.blobs() == set()


async def test_files_that_are_too_old_lose_their_bytes_and_keep_their_entries(house: House) -> None:
    await house.send(10)
    house.now += 5 * DAY_S
    newer = await house.send(10)
    house.now += DAY_S
    await house.keeper(files_days=3).tidy()
    assert house.blobs() == {newer}
    assert await house.texts() == [None, None]


async def test_files_that_are_too_many_lose_the_oldest_bytes_and_no_more(house: House) -> None:
    ids = [await house.send(100) for _ in range(10)]
    house.now += 2 * DAY_S
    await house.keeper(files_bytes=450).tidy()
    assert house.blobs() == set(ids[6:])
    await house.keeper(files_bytes=450).tidy()
    assert house.blobs() == set(ids[6:])


async def test_messages_and_files_have_limits_of_their_own(house: House) -> None:
    await house.say("1")
    await house.send(10)
    house.now += 4 * DAY_S
    await house.say("2")
    await house.send(10)
    house.now += 4 * DAY_S
    await house.keeper(days=7, files_days=2).tidy()
    assert await house.texts() == ["2", None]
    assert house.blobs() == set()


# At start


async def test_bytes_that_no_entry_names_are_removed_and_all_others_stay(tmp_path: Path) -> None:
    house = House(tmp_path)
    kept = await house.send(10)
    stray = await house.files.create()
    await stray.commit()  # and then it was killed
    assert house.blobs() == {kept, stray.id}
    await house.files.close()

    house.files = DiskFiles(tmp_path)
    coming = await house.files.create()
    await coming.commit()  # its entry is on its way
    await house.keeper().put_in_order()
    assert house.blobs() == {kept, coming.id}
    await house.log.close()
    await house.files.close()


async def test_bytes_that_were_let_go_in_the_log_but_not_on_the_disk_go_at_start(tmp_path: Path) -> None:
    """As after a kill between the two."""
    house = House(tmp_path)
    await house.send(10)
    house.now += 2 * DAY_S
    trimmed = await house.send(10)
    await house.log.release(int(house.now * 1000), 1)
    await house.files.close()
    house.files = DiskFiles(tmp_path)
    await house.keeper().put_in_order()
    assert house.blobs() == {trimmed}
    await house.log.close()
    await house.files.close()


async def test_entries_whose_bytes_are_gone_are_told_of_and_stay(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        os.unlink(house.files.path(await house.send(10)))
    whole = await house.send(10)
    with caplog.at_level(logging.WARNING, "roombridge.keeper"):
        await house.keeper().put_in_order()
    assert caplog.messages == ["the bytes of 3 files are gone; their entries stay"]
    assert await house.texts() == [None] * 4
    assert house.blobs() == {whole}


async def test_it_works_from_its_start_to_its_close_and_goes_on_after_a_fault(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.say("old")
    house.now += 3 * DAY_S
    (house.folder / "files").rmdir()
    round = []
    keeper = Keeper(house.log, house.files, Keep(days=2), also=lambda: round.append(1), clock=lambda: house.now)
    keeper.start()
    while not round:
        await keeper._pause()
    await keeper.close()
    assert await house.texts() == []
    assert "not done, tried again" in caplog.text
