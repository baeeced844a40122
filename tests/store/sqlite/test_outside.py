"""A log from outside: whoever copies or reads it holds up nobody. (`tests/commands/` has the rest.)"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.model import StoreError
from bridge.store.sqlite import SqliteLog, entries, files, snapshot
from tests.store.sqlite.conftest import ask
from tests.support.nouns import draft, file


async def test_the_writer_goes_on_while_a_copy_is_made(log: SqliteLog, path: Path, tmp_path: Path) -> None:
    await asyncio.gather(*(log.append(draft("x" * 10_000)) for _ in range(3000)))
    copying = asyncio.create_task(asyncio.to_thread(snapshot, path, tmp_path / "copy"))
    meanwhile = 0
    while not copying.done():
        await log.append(draft("meanwhile"))
        meanwhile += 1
    assert 3000 <= copying.result().entries <= 3000 + meanwhile
    assert meanwhile > 3
    assert ask(tmp_path / "copy", "PRAGMA integrity_check") == [("ok",)]


async def test_a_copy_is_one_file_without_an_epoch_and_with_all_else(
    log: SqliteLog, path: Path, tmp_path: Path
) -> None:
    said = [(await log.append(draft(room=room))).entry for room in "aab"]
    copy = tmp_path / "copy" / "log.sqlite3"
    copy.parent.mkdir()
    assert snapshot(path, copy) == (3, 2, said[-1].seq)
    assert [found.name for found in copy.parent.iterdir()] == ["log.sqlite3"]
    assert ask(copy, "SELECT name FROM meta ORDER BY name") == [("released",), ("salt",)]
    again = SqliteLog(copy)
    assert (again.epoch != log.epoch, again.salt) == (True, log.salt)
    assert (await again.read("b", 0, 10)).entries == said[2:]
    await again.close()


async def test_files_are_those_whose_bytes_are_kept(log: SqliteLog, path: Path) -> None:
    for number in range(1200):
        log.append(draft(text=None, file=file(f"f{number}", size=1)))
    await log.append(draft())
    assert await log.release(2**62, 10)
    assert list(files(path)) == [f"f{number}" for number in range(10, 1200)]


async def test_a_reader_cannot_write_and_makes_no_log(path: Path) -> None:
    for ask_for in (lambda: list(files(path)), lambda: list(entries(path, "lobby"))):
        with pytest.raises(StoreError, match="unable to open"):
            ask_for()
    assert not path.exists()
