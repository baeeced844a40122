"""The log in one SQLite file: a writer thread that commits whatever waits, readers that never wait for it.

WAL with `synchronous=FULL`: a commit is one sync of the write-ahead log, and only after it are entries announced, in
the order of their numbers. Group commit does not linger: a batch is what came while the last one was being synced.
Numbers are one series for all rooms (they may skip within a room), never given twice.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from bridge.log import Page, RoomInfo
from bridge.model import Draft, Entry, FileRef, Gap, Peer, Refused, Stored, StoreError

logger = logging.getLogger("roombridge.log")

T = TypeVar("T")

BATCH_MAX_DRAFTS: Final = 1024
WAITING_MAX_DRAFTS: Final = 16 * 1024
"""More than this many waiting is more than a disk catches up with in a second: `busy`."""
READERS: Final = 2

# Forward only: script N takes a log from schema N to N + 1. Never edit one that was released.
MIGRATIONS: Final = (
    """
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
        file_id TEXT
    );
    CREATE INDEX entry_room ON entry (room, seq);
    CREATE UNIQUE INDEX entry_key ON entry (room, author, key);
    CREATE UNIQUE INDEX entry_file ON entry (file_id) WHERE file_id IS NOT NULL;
    """,
)

_COLUMNS: Final = "entry.seq, entry.at, room.name, entry.key, entry.sender, entry.text, entry.file"
_FROM: Final = f"SELECT {_COLUMNS} FROM entry JOIN room ON room.id = entry.room"  # noqa: S608
_BY_KEY: Final = f"{_FROM} WHERE entry.room = ? AND entry.author = ? AND entry.key = ?"
_BY_FILE: Final = f"{_FROM} WHERE entry.file_id = ?"
_AFTER: Final = f"{_FROM} WHERE entry.room = ? AND entry.seq > ? ORDER BY entry.seq LIMIT ?"
_BEFORE: Final = f"{_FROM} WHERE entry.room = ? AND entry.seq < ? ORDER BY entry.seq DESC LIMIT ?"
_INSERT: Final = (
    "INSERT INTO entry (room, at, author, key, sender, text, file, file_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (room, author, key) DO NOTHING"
)
_ROOMS: Final = (
    "SELECT name, (SELECT max(seq) FROM entry WHERE room = room.id) AS last "
    "FROM room WHERE last IS NOT NULL ORDER BY name"
)

_peer = msgspec.json.Decoder(Peer)
_file = msgspec.json.Decoder(FileRef)
_encode = msgspec.json.Encoder().encode


class _Waiting(NamedTuple):
    draft: Draft
    future: asyncio.Future[Stored]


class _Answer(NamedTuple):
    """What became of a draft. The future is answered in the event loop, after the announcement."""

    waiting: _Waiting
    stored: Stored | None
    fault: Exception | None = None


class SqliteLog:
    """The contract `bridge.log.Log` over one file. Made and used in an event loop; `close` ends its threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.on_entry: Callable[[Entry], None] = lambda entry: None
        self.on_commit: Callable[[float, int], None] = lambda seconds, drafts: None
        """Told in the writer thread how long each batch took, and how many drafts it had."""
        self._path = path
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._room_ids: dict[str, int] = {}
        self._connection = connect(path)
        self.epoch = _meta(self._connection, "epoch", lambda: secrets.token_hex(8).encode()).decode()
        self.salt = _meta(self._connection, "salt", lambda: secrets.token_bytes(32))
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self.waiting = 0
        """Drafts on their way to the disk."""
        self._closed = False
        self._writer = threading.Thread(target=self._write, name="log writer", daemon=True)
        self._writer.start()
        # Opened now, so that running out of descriptors later cannot stop the reading.
        self._reading: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(READERS):
            self._reading.put(_reader(path))
        self._readers = ThreadPoolExecutor(READERS, "log reader")

    # Writing: queued in the event loop, stored in the writer thread, announced in the event loop

    def append(self, draft: Draft) -> asyncio.Future[Stored]:
        if self._closed:
            raise Refused("busy", "the server is shutting down; send it again later")
        if self.waiting >= WAITING_MAX_DRAFTS:
            raise Refused("busy", f"{self.waiting} drafts wait for the disk; send it again later")
        self.waiting += 1
        future: asyncio.Future[Stored] = self._loop.create_future()
        self._queue.put(_Waiting(draft, future))
        return future

    def _write(self) -> None:
        ended = False
        while not ended:
            batch = []
            item = self._queue.get()
            while item is not None:
                batch.append(item)
                if len(batch) == BATCH_MAX_DRAFTS:
                    break
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
            ended = item is None
            if batch:
                started = time.perf_counter()
                answers = self._store(batch)
                self.on_commit(time.perf_counter() - started, len(batch))
                self._loop.call_soon_threadsafe(self._announce, answers)

    def _store(self, batch: list[_Waiting]) -> list[_Answer]:
        """One transaction; when it fails, nothing of it is stored and everybody is told so."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = [_Answer(waiting, self._insert(waiting.draft)) for waiting in batch]
            self._connection.execute("COMMIT")
            return answers
        except Exception as exc:  # whatever it is: a writer that died here would leave everybody waiting for ever
            self._undo()
            fault = _translated(exc)
            return [_Answer(waiting, None, fault) for waiting in batch]

    def _undo(self) -> None:
        self._room_ids.clear()  # some may have been made by what is undone
        if self._connection.in_transaction:  # SQLITE_FULL has rolled back by itself
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                logger.exception("rolling back failed")

    def _insert(self, draft: Draft) -> Stored:
        room = self._room_id(draft.room)
        at = int(self._clock() * 1000)
        file = _encode(draft.file).decode() if draft.file else None
        values = (
            room,
            at,
            draft.author,
            draft.key,
            _encode(draft.sender).decode(),
            draft.text,
            file,
            draft.file.id if draft.file else None,
        )
        done = self._connection.execute(_INSERT, values)
        if done.rowcount == 0:
            first = self._connection.execute(_BY_KEY, (room, draft.author, draft.key)).fetchone()
            return Stored(_entry(first), new=False)
        seq = done.lastrowid or 0
        return Stored(_numbered(draft, seq, at), new=True)

    def _room_id(self, name: str) -> int:
        id = self._room_ids.get(name)
        if id is None:
            self._connection.execute("INSERT INTO room (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            (id,) = self._connection.execute("SELECT id FROM room WHERE name = ?", (name,)).fetchone()
            self._room_ids[name] = id
        return id

    def _announce(self, answers: list[_Answer]) -> None:
        """In the event loop, in commit order: the room first, then whoever asked, cancelled or not."""
        self.waiting -= len(answers)
        for waiting, stored, fault in answers:
            if stored is not None and stored.new:
                self.on_entry(stored.entry)
            if waiting.future.done():  # cancelled
                continue
            if stored is not None:
                waiting.future.set_result(stored)
            else:
                waiting.future.set_exception(fault or StoreError("no answer"))

    # Reading: on reader threads, each with a connection of its own

    async def read(self, room: str, after: int, limit: int) -> Page:
        return await self._on_reader(_read, room, after, limit)

    async def newest(self, room: str, limit: int, before: int | None = None) -> Page:
        return await self._on_reader(_newest, room, limit, before)

    async def rooms(self) -> list[RoomInfo]:
        return await self._on_reader(_rooms)

    async def file(self, id: str) -> Entry | None:
        return await self._on_reader(_by_file, id)

    async def _on_reader(self, query: Callable[..., T], *args: object) -> T:
        def run() -> T:
            connection = self._reading.get()
            try:
                return query(connection, *args)
            except sqlite3.Error as exc:
                raise StoreError(f"log: {exc}") from exc
            finally:
                self._reading.put(connection)

        return await self._loop.run_in_executor(self._readers, run)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._writer.join)
        self._readers.shutdown()
        for _ in range(READERS):
            self._reading.get().close()
        self._connection.close()  # the last one to close checkpoints the write-ahead log


def connect(path: Path) -> sqlite3.Connection:
    """Open the writer's connection, bring the schema forward. Raises `StoreError` for what is no log of ours."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as exc:
        raise StoreError(f"{path}: {exc}") from exc
    return connection


def _reader(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        known = len(MIGRATIONS)
        raise StoreError(f"{path} has schema {version}, made by a newer roombridge; this one knows up to {known}")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")


def _meta(connection: sqlite3.Connection, name: str, make: Callable[[], bytes]) -> bytes:
    """A value made once in the life of a log."""
    connection.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", (name, make()))
    value: bytes = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
    return value


def _translated(exc: Exception) -> Refused | StoreError:
    if getattr(exc, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return Refused("disk_full", "the server's disk is full; nothing was stored")
    fault = StoreError(f"log: {exc}")
    fault.__cause__ = exc
    return fault


def _room(connection: sqlite3.Connection, name: str) -> tuple[int, int]:
    """The room's id and the number up to which it was trimmed; `(0, 0)` for a room that has no entry."""
    row = connection.execute("SELECT id, trimmed FROM room WHERE name = ?", (name,)).fetchone()
    return row or (0, 0)


def _read(connection: sqlite3.Connection, name: str, after: int, limit: int) -> Page:
    room, trimmed = _room(connection, name)
    gap = Gap(after + 1, trimmed) if after < trimmed else None
    return Page(_entries(connection.execute(_AFTER, (room, after, limit))), gap)


def _newest(connection: sqlite3.Connection, name: str, limit: int, before: int | None) -> Page:
    room, trimmed = _room(connection, name)
    rows = connection.execute(_BEFORE, (room, 2**63 - 1 if before is None else before, limit))
    entries = _entries(rows)[::-1]
    return Page(entries, Gap(1, trimmed) if trimmed and len(entries) < limit else None)


def _rooms(connection: sqlite3.Connection) -> list[RoomInfo]:
    return [RoomInfo(name, last) for name, last in connection.execute(_ROOMS)]


def _by_file(connection: sqlite3.Connection, id: str) -> Entry | None:
    row = connection.execute(_BY_FILE, (id,)).fetchone()
    return _entry(row) if row else None


def _entries(rows: Iterable[tuple[Any, ...]]) -> list[Entry]:
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, room, key, sender, text, file = row
    return Entry(
        type="text" if file is None else "file",
        seq=seq,
        at=at,
        room=room,
        key=key,
        sender=_peer.decode(sender),
        text=text,
        file=_file.decode(file) if file is not None else None,
    )


def _numbered(draft: Draft, seq: int, at: int) -> Entry:
    return Entry(
        type="text" if draft.file is None else "file",
        seq=seq,
        at=at,
        room=draft.room,
        key=draft.key,
        sender=draft.sender,
        text=draft.text,
        file=draft.file,
    )
