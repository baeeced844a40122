"""Transactions: ballast on a full disk, and a write-ahead log that is brought home. (`tests/stories/` has the rest.)"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.model import Refused
from bridge.store.sqlite import SqliteLog
from bridge.store.sqlite.transaction import CHECKPOINT_BYTES
from tests.store.sqlite.conftest import ask
from tests.support.nouns import draft

PAGES = 80


class Ballast:
    """What a database that may not grow is relieved by: a few pages more, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.asked = 0
        self.connection: sqlite3.Connection

    def __call__(self) -> bool:
        self.asked += 1
        if not self.left:
            return False
        self.left -= 1
        self.connection.execute(f"PRAGMA max_page_count = {2 * PAGES}")
        return True


@pytest.fixture
def ballast() -> Ballast:
    return Ballast(1)


@pytest.fixture
async def log(path: Path, ballast: Ballast) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(path, relieve=ballast)
    ballast.connection = log._connection
    log._connection.execute(f"PRAGMA max_page_count = {PAGES}")
    yield log
    await log.close()


async def test_on_a_full_disk_ballast_is_thrown_and_nobody_notices(log: SqliteLog, ballast: Ballast) -> None:
    kept = []
    while not ballast.asked:
        kept.append((await log.append(draft("x" * 4000, room=f"room-{len(kept)}"))).entry)
    assert ballast.left == 0
    for entry in kept:
        assert (await log.read(entry.room, 0, 10)).entries == [entry]


async def test_without_more_ballast_it_is_refused_and_asked_for_each_time(log: SqliteLog, ballast: Ballast) -> None:
    kept = 0
    with pytest.raises(Refused) as refused:
        while kept < 10_000:
            kept += (await log.append(draft("x" * 4000))).new
    assert refused.value.code == "disk_full"
    assert ballast.asked == 2
    with pytest.raises(Refused):
        await log.append(draft("x" * 40_000))
    assert ballast.asked == 3
    assert len((await log.read("lobby", 0, 10_000)).entries) == kept


async def test_a_batch_is_stored_once_though_it_was_tried_twice(log: SqliteLog, ballast: Ballast, path: Path) -> None:
    answers = await asyncio.gather(*(log.append(draft("x" * 4000, f"k{number}")) for number in range(100)))
    assert ballast.asked == 1
    assert len({answer.entry.seq for answer in answers}) == 100
    assert [entry.key for entry in (await log.read("lobby", 0, 200)).entries] == [f"k{number}" for number in range(100)]
    await log.close()
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("size", [10, 300, 16_000])
async def test_the_write_ahead_log_stays_short_whatever_is_written(path: Path, size: int) -> None:
    """The estimate that decides on a checkpoint is never far below the truth."""
    log = SqliteLog(path)
    for _ in range(4 * CHECKPOINT_BYTES // (20 * (size + 1500))):
        await asyncio.gather(*(log.append(draft("x" * size)) for _ in range(20)))
    wal = path.with_name(path.name + "-wal").stat().st_size
    assert CHECKPOINT_BYTES / 8 < wal < 4 * CHECKPOINT_BYTES  # the index of words adds its share
    await log.close()
