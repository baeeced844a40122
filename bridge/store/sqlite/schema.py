"""The tables, how a log of an older version is brought forward, and the connections that lead to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bridge.model import StoreError
from bridge.store.sqlite import index

WAIT_MS: Final = 5000
"""How long the writer waits for another process that writes, such as the `sqlite3` shell."""
SCRUB_WAIT_MS: Final = 20
DIGEST: Final = "json_extract(file, '$.sha256')"
"""Of an entry's file; written like this, SQLite finds it in an index."""

_ENTRIES: Final = """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE room (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        trimmed INTEGER NOT NULL DEFAULT 0 -- entries up to this number are no longer kept
    );
    CREATE TABLE entry (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, -- AUTOINCREMENT: a number is never given twice
        room INTEGER NOT NULL REFERENCES room,
        at INTEGER NOT NULL,
        author TEXT NOT NULL,
        key TEXT NOT NULL,
        sender TEXT NOT NULL, -- JSON
        text TEXT,
        file TEXT, -- JSON
        file_id TEXT,
        file_size INTEGER,
        withdraws INTEGER -- with text and file null too, the entry itself was withdrawn: only its key is remembered
    );
    CREATE INDEX entry_room ON entry (room, seq);
    CREATE UNIQUE INDEX entry_key ON entry (room, author, key);
    CREATE UNIQUE INDEX entry_file ON entry (file_id) WHERE file_id IS NOT NULL;
    CREATE INDEX entry_files ON entry (seq, file_size) WHERE file_id IS NOT NULL; -- oldest first, for those who keep
    CREATE INDEX entry_room_file ON entry (room, seq) WHERE file_id IS NOT NULL;
    INSERT INTO meta VALUES ('released', 0); -- files of entries up to this number are no longer kept
"""

# Which files have the same bytes, and which are of one author.
_DIGESTS: Final = f"""
    CREATE INDEX entry_digest ON entry ({DIGEST}, seq) WHERE file_id IS NOT NULL;
    CREATE INDEX entry_author_file ON entry (author, seq) WHERE file_id IS NOT NULL;
"""

_RULES: Final = """
    ALTER TABLE entry ADD COLUMN rule TEXT; -- JSON
    CREATE TABLE rule (
        room INTEGER NOT NULL REFERENCES room,
        about TEXT NOT NULL, -- another rule about the same takes its place
        seq INTEGER NOT NULL, -- of its entry, which may be trimmed
        rule TEXT NOT NULL, -- JSON
        pin TEXT, -- a digest; in no entry
        until INTEGER, -- milliseconds since the epoch, for what passes by itself
        PRIMARY KEY (room, about)
    ) WITHOUT ROWID;
"""

# Forward only: script N takes a log from schema N to N + 1. Never edit one that was released.
MIGRATIONS: Final = (_ENTRIES + index.TABLES, _DIGESTS, _RULES)


def connect(path: Path) -> sqlite3.Connection:
    """Open the writer's connection, bring the schema forward. Raises `StoreError` for what is no log of ours."""
    with faults_named(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            if connection.execute("PRAGMA user_version").fetchone() == (0,):
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts only before there are tables
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what is withdrawn is written over on its pages, too
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection, path)
            try:
                scrub(connection)
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode != sqlite3.SQLITE_FULL:  # closing tries again
                    raise
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def faults_named(path: Path) -> Iterator[None]:
    """What SQLite says against it is told with its name, as a `StoreError`."""
    try:
        yield
    except sqlite3.Error as exc:
        raise StoreError(f"{path}: {exc}") from exc


def scrub(connection: sqlite3.Connection) -> bool:
    """Empty the write-ahead log, in which what was erased could be found until it is written over; before it the index.

    Answers whether it is empty; somebody who reads for long is not waited for.
    """
    index.scrub(connection)
    connection.execute(f"PRAGMA busy_timeout = {SCRUB_WAIT_MS}")
    try:
        busy, _pages, _copied = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.execute(f"PRAGMA busy_timeout = {WAIT_MS}")


def reader(path: Path) -> sqlite3.Connection:
    """Another connection, which cannot write."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def meta(connection: sqlite3.Connection, name: str, make: Callable[[], bytes]) -> bytes:
    """A value made once in the life of a log."""
    connection.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", (name, make()))
    value: bytes = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
    return value


def version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema of this log. Raises `StoreError` for one that nobody here knows how to read."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > len(MIGRATIONS):
        known = len(MIGRATIONS)
        raise StoreError(f"{path} has schema {found}, made by a newer roombridge; this one knows up to {known}")
    return int(found)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    known = version(connection, path)
    for number, script in enumerate(MIGRATIONS[known:], known + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
