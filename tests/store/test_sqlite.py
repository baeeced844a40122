"""The SQLite engine: what the contract promises, and what only a file on a disk can show."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.log import Log
from bridge.model import Refused, StoreError
from bridge.store import sqlite
from bridge.store.sqlite import SqliteLog
from tests.store.conftest import SmallDisk
from tests.store.log_contract import LogContract
from tests.support.nouns import draft, file

FILE = "log.sqlite3"


def ask(path: Path, *statements: str) -> list[Any]:
    """Run SQL as another process would; the rows of the last statement."""
    with closing(sqlite3.connect(path)) as other, other:
        return [other.execute(statement).fetchall() for statement in statements][-1]


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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(path)
    yield log
    await log.close()


async def test_too_many_waiting_is_busy_and_passes(log: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WAITING_MAX_DRAFTS", 10)
    futures = [log.append(draft()) for _ in range(10)]
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            log.append(draft())
        assert refused.value.code == "busy"
    await asyncio.gather(*futures)
    assert (await log.append(draft())).new
    assert log.waiting == 0


async def test_what_waits_is_committed_together(log: SqliteLog) -> None:
    commits: list[str] = []
    log._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    await asyncio.gather(*(log.append(draft()) for _ in range(5000)))
    log._connection.set_trace_callback(None)
    assert 5000 / sqlite.BATCH_MAX_DRAFTS <= len(commits) < 500


async def test_one_that_cannot_be_stored_takes_its_batch_with_it_and_nothing_else(log: SqliteLog) -> None:
    """A file that is in the log already, under another key, is a fault of ours."""
    first = await log.append(draft(text=None, file=file("f1")))
    batch = [log.append(draft()), log.append(draft(room="new", text=None, file=file("f1"))), log.append(draft())]
    answers = await asyncio.gather(*batch, return_exceptions=True)
    assert [isinstance(answer, StoreError) for answer in answers if not hasattr(answer, "entry")] != []
    stored = [answer.entry for answer in answers if hasattr(answer, "entry")]
    assert (await log.read("lobby", 0, 100)).entries == [first.entry, *stored]
    assert [info.name for info in await log.rooms()] == ["lobby"]
    assert (await log.append(draft(room="new"))).entry.seq > first.entry.seq
    assert [info.name for info in await log.rooms()] == ["lobby", "new"]


async def test_every_commit_is_synced(log: SqliteLog) -> None:
    assert log._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert log._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


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


# Opening


async def test_a_log_of_a_newer_version_is_refused_by_name_and_left_alone(path: Path) -> None:
    await SqliteLog(path).close()
    ask(path, "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"log\.sqlite3 has schema 99, made by a newer roombridge.*up to \d+"):
        SqliteLog(path)
    assert path.read_bytes() == before


async def test_an_older_schema_is_brought_forward(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = SqliteLog(path)
    known = log.epoch, log.salt
    entry = (await log.append(draft())).entry
    await log.close()
    newer = (*sqlite.MIGRATIONS, "ALTER TABLE entry ADD COLUMN note TEXT;", "CREATE TABLE more (x);")
    monkeypatch.setattr(sqlite, "MIGRATIONS", newer)
    log = SqliteLog(path)
    assert (log.epoch, log.salt) == known
    assert (await log.read("lobby", 0, 10)).entries == [entry]
    await log.close()
    assert ask(path, "PRAGMA user_version") == [(len(newer),)]


async def test_a_step_that_fails_is_undone_and_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await SqliteLog(path).close()
    whole = sqlite.MIGRATIONS
    monkeypatch.setattr(sqlite, "MIGRATIONS", (*whole, "CREATE TABLE half (x); SELECT nonsense FROM nowhere;"))
    with pytest.raises(StoreError, match=r"log\.sqlite3: no such table: nowhere"):
        SqliteLog(path)
    monkeypatch.setattr(sqlite, "MIGRATIONS", whole)
    log = SqliteLog(path)
    assert (await log.append(draft())).new
    await log.close()
    assert ask(path, "SELECT name FROM sqlite_schema WHERE name = 'half'") == []


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"no database" * 100), lambda path: path.mkdir()])
async def test_what_is_no_log_is_a_clear_error(path: Path, make: Callable[[Path], object]) -> None:
    make(path)
    with pytest.raises(StoreError, match=r"log\.sqlite3: "):
        SqliteLog(path)


# A full disk


async def appended_until_refused(log: SqliteLog) -> list[str]:
    """The keys that were answered before the disk was full."""
    kept: list[str] = []
    with pytest.raises(Refused) as refused:
        while len(kept) < 10_000:
            kept.append((await log.append(draft("x" * 4000))).entry.key)
    assert refused.value.code == "disk_full"
    return kept


async def stays_usable(log: SqliteLog, path: Path, kept: list[str], free: Callable[[], object]) -> None:
    """Nothing new is taken, readers go on; with space it works again, and what was answered is there."""
    answers = await asyncio.gather(*(log.append(draft("x" * 60_000)) for _ in range(20)), return_exceptions=True)
    assert [getattr(answer, "code", answer) for answer in answers] == ["disk_full"] * 20
    assert [entry.key for entry in (await log.read("lobby", 0, 20_000)).entries] == kept
    free()
    kept += [(await log.append(draft("x" * 4000))).entry.key for _ in range(10)]
    assert [entry.key for entry in (await log.read("lobby", 0, 20_000)).entries] == kept
    await log.close()
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert ask(path, "SELECT count(*) FROM entry") == [(len(kept),)]


async def test_a_full_disk_refuses_and_recovers(disk: SmallDisk) -> None:
    log = SqliteLog(disk.folder / FILE)
    before = (await log.append(draft())).entry.key
    assert len((await log.read("lobby", 0, 10)).entries) == 1
    disk.fill()
    kept = [before, *await appended_until_refused(log)]
    await stays_usable(log, disk.folder / FILE, kept, disk.free)


async def test_a_database_that_may_not_grow_refuses_and_recovers(path: Path) -> None:
    log = SqliteLog(path)
    log._connection.execute("PRAGMA max_page_count = 60")
    kept = await appended_until_refused(log)
    assert kept
    await stays_usable(log, path, kept, lambda: log._connection.execute("PRAGMA max_page_count = 1000000"))


async def test_a_new_log_on_a_full_disk_is_a_clear_error(disk: SmallDisk) -> None:
    disk.fill()
    with pytest.raises(StoreError, match=r"log\.sqlite3: "):
        SqliteLog(disk.folder / FILE)
