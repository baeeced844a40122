"""The index is a cursor: it lags while the log is busy, catches up when asked, and forgets what the log forgets."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge import words
from bridge.model import StoreError
from bridge.store.sqlite import SqliteLog, index
from tests.store.sqlite.conftest import ask
from tests.support.nouns import draft

TEMPERATURE = words.phrases("温度")


async def test_it_catches_up_over_many_steps_when_somebody_asks(log: SqliteLog) -> None:
    many = index.STEP_ENTRIES * 3 + 7
    await asyncio.gather(*(log.append(draft(f"温度 {number}")) for number in range(many)))
    found = await log.search("lobby", TEMPERATURE, many + 1)
    assert len(found.entries) == many


async def test_it_goes_on_where_it_stood_after_a_restart(path: Path) -> None:
    for number in range(2):
        log = SqliteLog(path)
        await log.append(draft("温度"))
        assert len((await log.search("lobby", TEMPERATURE, 9)).entries) == number + 1
        await log.close()


async def test_what_is_erased_or_deleted_by_whomever_leaves_it(log: SqliteLog, path: Path) -> None:
    for text in ("erased 温度", "deleted 温度", "stays 温度", "never seen 温度"):
        await log.append(draft(text))
        if text.startswith("stays"):
            await log.search("lobby", TEMPERATURE, 9)
    ask(path, "UPDATE entry SET text = NULL WHERE seq IN (1, 4)", "DELETE FROM entry WHERE seq = 2")
    found = await log.search("lobby", TEMPERATURE, 9)
    assert [entry.text for entry in found.entries] == ["stays 温度"]
    assert ask(path, "SELECT rowid FROM word") == [(3,)]


async def test_after_a_scrub_no_byte_of_what_was_erased_is_in_the_file(path: Path) -> None:
    log = SqliteLog(path)
    for text in ("harmless", "xyzzyxyzzy"):
        await log.append(draft(text))
        await log.search("lobby", TEMPERATURE, 9)
    await log.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA secure_delete = ON")
        other.execute("UPDATE entry SET text = NULL WHERE seq = 2")
        index.scrub(other)
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"xyzzyxyzzy" not in path.read_bytes()


async def test_an_index_that_cannot_be_written_is_our_fault(log: SqliteLog, path: Path) -> None:
    await log.append(draft("温度"))
    ask(path, "DROP TABLE indexed")
    with pytest.raises(StoreError, match="index: no such table"):
        await log.search("lobby", TEMPERATURE, 9)
