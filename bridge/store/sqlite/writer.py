"""The one thread that writes: it takes whatever waits, stores it in one transaction, and answers in commit order.

Group commit does not linger: a batch is what came while the last one was being synced.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bridge.model import Draft, Entry, Refused, Stored, StoreError
from bridge.store.sqlite import queries
from bridge.store.sqlite.schema import scrub

logger = logging.getLogger("roombridge.log")

BATCH_MAX_DRAFTS: Final = 1024

_INSERT: Final = (
    "INSERT INTO entry (room, at, author, key, sender, text, file, file_id, withdraws) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, author, key) DO NOTHING"
)
_ERASE: Final = "UPDATE entry SET text = NULL, file = NULL, file_id = NULL WHERE seq = ?"

_encode = msgspec.json.Encoder().encode


class Waiting(NamedTuple):
    """A draft on its way to the disk, and who is to hear of it."""

    draft: Draft
    future: asyncio.Future[Stored]


class Answer(NamedTuple):
    """What became of a draft. The future is answered in the event loop, after the announcement."""

    waiting: Waiting
    stored: Stored | None
    fault: Exception | None = None
    gone: str | None = None
    """The file that it withdrew."""

    @property
    def withdrew(self) -> int | None:
        return self.stored.entry.withdraws if self.stored is not None and self.stored.new else None


class Writer:
    """Owns the connection from its start to the end of its thread; `tell` hears the answers, on that thread."""

    def __init__(
        self, connection: sqlite3.Connection, clock: Callable[[], float], tell: Callable[[list[Answer]], object]
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._tell = tell
        self._room_ids: dict[str, int] = {}
        self._unclean = False
        """Whether the write-ahead log may still hold what was withdrawn."""
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    def put(self, waiting: Waiting) -> None:
        self._queue.put(waiting)

    def finish(self) -> None:
        """Store what waits, then end the thread; blocks until that is done."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
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
                self._tell(answers := self._store(batch))
                self._unclean = self._unclean or any(answer.withdrew for answer in answers)
                if self._unclean:
                    self._scrub()

    def _store(self, batch: list[Waiting]) -> list[Answer]:
        """One transaction; when it fails, nothing of it is stored and everybody is told so."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = [self._answer(waiting) for waiting in batch]
            self._connection.execute("COMMIT")
            return answers
        except Exception as exc:  # whatever it is: a writer that died here would leave everybody waiting for ever
            self._undo()
            fault = _translated(exc)
            return [Answer(waiting, None, fault) for waiting in batch]

    def _undo(self) -> None:
        self._room_ids.clear()  # some may have been made by what is undone
        if self._connection.in_transaction:  # SQLITE_FULL has rolled back by itself
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                logger.exception("rolling back failed")

    def _scrub(self) -> None:
        try:
            self._unclean = not scrub(self._connection)
        except sqlite3.Error:
            self._unclean = False  # once more with the next withdrawal, or when the log is closed
            logger.warning("what was withdrawn stays in the write-ahead log for now", exc_info=True)

    def _answer(self, waiting: Waiting) -> Answer:
        """What is refused here is refused alone: nothing was stored for it, and the batch goes on."""
        draft = waiting.draft
        try:
            room = self._room_id(draft.room)
            gone = None if draft.withdraws is None else self._erase(room, draft, draft.withdraws)
            return Answer(waiting, self._insert(room, draft), gone=gone)
        except Refused as refused:
            return Answer(waiting, None, refused)

    def _erase(self, room: int, draft: Draft, seq: int) -> str | None:
        """Take the content of `seq`, which `draft` withdraws, out of the log; answers the id of its file, if any."""
        if queries.by_key(self._connection, room, draft.author, draft.key):
            return None  # said before, and answered as such
        match queries.standing(self._connection, room, seq):
            case None:
                raise Refused("not_found", f"there is no entry {seq} here")
            case entry if entry.author != draft.author:
                raise Refused("forbidden", f"entry {seq} is somebody else's; only its author may withdraw it")
            case entry if entry.withdraws is not None:
                raise Refused("forbidden", f"entry {seq} withdraws another, and stays")
            case entry:
                self._connection.execute(_ERASE, (seq,))
                return entry.file

    def _insert(self, room: int, draft: Draft) -> Stored:
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
            draft.withdraws,
        )
        done = self._connection.execute(_INSERT, values)
        if done.rowcount == 0 and (first := queries.by_key(self._connection, room, draft.author, draft.key)):
            return Stored(first, new=False)
        return Stored(_numbered(draft, done.lastrowid or 0, at), new=True)

    def _room_id(self, name: str) -> int:
        id = self._room_ids.get(name)
        if id is None:
            self._connection.execute("INSERT INTO room (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            (id,) = self._connection.execute("SELECT id FROM room WHERE name = ?", (name,)).fetchone()
            self._room_ids[name] = id
        return id


def _numbered(draft: Draft, seq: int, at: int) -> Entry:
    return Entry(
        type="withdraw" if draft.withdraws is not None else "text" if draft.file is None else "file",
        seq=seq,
        at=at,
        room=draft.room,
        key=draft.key,
        sender=draft.sender,
        text=draft.text,
        file=draft.file,
        withdraws=draft.withdraws,
    )


def _translated(exc: Exception) -> Refused | StoreError:
    if getattr(exc, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return Refused("disk_full", "the server's disk is full; nothing was stored")
    fault = StoreError(f"log: {exc}")
    fault.__cause__ = exc
    return fault
