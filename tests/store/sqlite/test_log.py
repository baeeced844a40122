"""The SQLite engine: what the contract promises, and what only a file on a disk can show."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bridge.log import Log
from bridge.model import Refused, StoreError
from bridge.store.sqlite import SqliteLog
from tests.store.log_contract import LogContract
from tests.store.sqlite.conftest import FILE, ask
from tests.support.nouns import draft


class TestSqliteLog(LogContract):
    def engine(self, folder: Path) -> Log:
        folder.mkdir(exist_ok=True)
        return SqliteLog(folder / FILE)

    def forget(self, folder: Path, room: str, up_to: int) -> None:
        ask(
            folder / FILE,
            f"DELETE FROM entry WHERE seq <= {up_to} AND room = (SELECT id FROM room WHERE name = '{room}')",
            f"UPDATE room SET trimmed = {up_to} WHERE name = '{room}'",
        )


async def test_too_many_waiting_is_busy_and_passes(log: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.store.sqlite.log.WAITING_MAX_DRAFTS", 10)
    futures = [log.append(draft()) for _ in range(10)]
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            log.append(draft())
        assert refused.value.code == "busy"
    await asyncio.gather(*futures)
    assert (await log.append(draft())).new
    assert log.waiting == 0


async def test_readers_do_not_wait_for_the_writer(log: SqliteLog) -> None:
    await log.append(draft())
    log._connection.execute("BEGIN IMMEDIATE")
    log._connection.execute("UPDATE room SET trimmed = 0")
    assert len((await asyncio.wait_for(log.read("lobby", 0, 10), 5)).entries) == 1
    log._connection.execute("ROLLBACK")


async def test_readers_cannot_write(log: SqliteLog) -> None:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM entry")

    with pytest.raises(StoreError, match="readonly"):
        await log._on_reader(write)
