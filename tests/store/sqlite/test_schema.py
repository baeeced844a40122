"""Opening a log: what is older is brought forward, what is newer or no log at all is refused by name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bridge.log import Held
from bridge.model import Draft, Rule, StoreError
from bridge.store.sqlite import SqliteLog, schema
from tests.store.sqlite.conftest import ask
from tests.support import nouns
from tests.support.nouns import draft, file


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
    newer = (*schema.MIGRATIONS, "ALTER TABLE entry ADD COLUMN note TEXT;", "CREATE TABLE more (x);")
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    log = SqliteLog(path)
    assert (log.epoch, log.salt) == known
    assert (await log.read("lobby", 0, 10)).entries == [entry]
    await log.close()
    assert ask(path, "PRAGMA user_version") == [(len(newer),)]


async def test_a_log_from_before_there_were_rules_is_brought_forward(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", whole[:1])
    schema.connect(path).close()
    peer = """{"id":"p1","name":"alice","via":"web","addr":"?"}"""
    ask(
        path,
        "INSERT INTO room (name) VALUES ('lobby')",
        f"INSERT INTO entry (room, at, author, key, sender, text) VALUES (1, 7, 'a', 'k', '{peer}', 'hi')",
    )
    monkeypatch.setattr(schema, "MIGRATIONS", whole)
    log = SqliteLog(path)
    assert [(entry.type, entry.text) for entry in (await log.read("lobby", 0, 10)).entries] == [("text", "hi")]
    laid_down = (await log.append(Draft("lobby", "a", "r", nouns.peer(), rule=Rule(topic="x"), host=True))).entry
    assert await log.rules("lobby") == [Held(laid_down.seq, Rule(topic="x"))]
    await log.close()
    assert ask(path, "PRAGMA user_version") == [(len(whole),)]


async def test_files_of_a_log_from_before_digests_were_looked_for_are_found_by_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        schema.connect(path).close()
    old = file("f0", size=100, content="x")
    ask(
        path,
        "INSERT INTO room (name) VALUES ('lobby')",
        "INSERT INTO entry (room, at, author, key, sender, file, file_id, file_size) VALUES "
        f"(1, 7, 'a', 'k', '{{}}', '{msgspec.json.encode(old).decode()}', 'f0', 100)",
    )
    log = SqliteLog(path)
    log.on_same = lambda id, first: told.append((id, first))
    await log.append(draft(text=None, file=file("f1", size=100, content="x")))
    assert told == [("f1", "f0")] and await log.file_bytes() == 100
    await log.close()


async def test_a_step_that_fails_is_undone_and_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await SqliteLog(path).close()
    whole = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (*whole, "CREATE TABLE half (x); SELECT nonsense FROM nowhere;"))
    with pytest.raises(StoreError, match=r"log\.sqlite3: no such table: nowhere"):
        SqliteLog(path)
    monkeypatch.setattr(schema, "MIGRATIONS", whole)
    log = SqliteLog(path)
    assert (await log.append(draft())).new
    await log.close()
    assert ask(path, "SELECT name FROM sqlite_schema WHERE name = 'half'") == []


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"no database" * 100), lambda path: path.mkdir()])
async def test_what_is_no_log_is_a_clear_error(path: Path, make: Callable[[Path], object]) -> None:
    make(path)
    with pytest.raises(StoreError, match=r"log\.sqlite3: "):
        SqliteLog(path)


async def test_a_log_that_lacks_what_is_asked_of_it_first_is_a_clear_error_and_left_closed(path: Path) -> None:
    await SqliteLog(path).close()
    ask(path, "DROP TABLE meta")
    with pytest.raises(StoreError, match=r"log\.sqlite3: no such table: meta"):
        SqliteLog(path)
    path.unlink()  # nobody holds it, so nothing of it is left beside it
    assert [left.name for left in path.parent.iterdir()] == []


async def test_a_log_for_whose_readers_nothing_is_left_is_a_clear_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(path: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr("bridge.store.sqlite.log.reader", none_left)
    with pytest.raises(StoreError, match=r"log\.sqlite3: unable to open database file"):
        SqliteLog(path)
