"""The writer: batches that are stored whole or not at all, and a disk that is full."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bridge.model import Refused, StoreError
from bridge.store.sqlite import SqliteLog
from bridge.store.sqlite.transaction import Transactions
from bridge.store.sqlite.writer import BATCH_MAX_DRAFTS
from tests.store.conftest import SmallDisk
from tests.store.sqlite.conftest import FILE, ask
from tests.support.nouns import draft, file, withdrawal


async def test_what_waits_is_committed_together(log: SqliteLog) -> None:
    commits: list[str] = []
    log._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    await asyncio.gather(*(log.append(draft()) for _ in range(5000)))
    log._connection.set_trace_callback(None)
    assert 5000 / BATCH_MAX_DRAFTS <= len(commits) < 500


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


# What was withdrawn


def holds(folder: Path, words: bytes) -> bool:
    return any(words in path.read_bytes() for path in folder.iterdir())


async def test_a_server_killed_before_it_scrubbed_leaves_nothing_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transactions, "checkpoint", lambda self: None)
    (tmp_path / "a").mkdir()
    log = SqliteLog(tmp_path / "a" / FILE)
    said = await log.append(draft("the password is 1234"))
    taken = await log.append(withdrawal(said.entry.seq))
    shutil.copytree(tmp_path / "a", tmp_path / "b")  # as a killed process leaves it
    await log.close()
    assert holds(tmp_path / "b", b"1234")
    again = SqliteLog(tmp_path / "b" / FILE)
    assert (await again.read("lobby", 0, 10)).entries == [taken.entry]
    assert not holds(tmp_path / "b", b"1234")
    await again.close()


async def test_a_reader_in_the_middle_keeps_nobody_from_withdrawing(log: SqliteLog, path: Path) -> None:
    """The write-ahead log cannot be emptied under it; that is done with what is stored next."""
    said = [await log.append(draft(f"secret {number}")) for number in range(3)]
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN")
        assert len(other.execute("SELECT text FROM entry").fetchall()) == 3
        for one in said:
            await log.append(withdrawal(one.entry.seq))
        assert [entry.text for entry in (await log.read("lobby", 0, 10)).entries] == [None, None, None]
        await log.append(draft("still in the middle"))
        assert holds(path.parent, b"secret 0")
    for words in ("now it can be emptied", "the writer is done"):
        await log.append(draft(words))
    assert not holds(path.parent, b"secret")


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
