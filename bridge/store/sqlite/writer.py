"""The one thread that writes: it takes whatever waits, stores it in one transaction, and answers in commit order.

Group commit does not linger: a batch is what came while the last one was being synced. Between two batches it does
chores (trimming, say), each in a transaction of its own and short.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from bridge.model import Draft, Entry, Refused, Rule, Stored
from bridge.store.sqlite import keeping, queries
from bridge.store.sqlite.transaction import Transactions

BATCH_MAX_DRAFTS: Final = 1024
# What they add to the write-ahead log beside their text, on the safe side.
DRAFT_BYTES: Final = 1024
CHORE_BYTES: Final = 512 * 1024

_INSERT: Final = (
    "INSERT INTO entry (room, at, author, key, sender, text, file, file_id, file_size, withdraws, rule) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, author, key) DO NOTHING"
)
_ERASE: Final = "UPDATE entry SET text = NULL, file = NULL, file_id = NULL, file_size = NULL WHERE seq = ?"

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
    first: str | None = None
    """The oldest file with the same bytes as the one that it announces."""

    @property
    def withdrew(self) -> int | None:
        return self.stored.entry.withdraws if self.stored is not None and self.stored.new else None


class Chore(NamedTuple):
    """Other work on the log, to be done between two batches."""

    work: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]


class _End(NamedTuple):
    """Nothing comes after it."""


class Ears(Protocol):
    """Who hears, on the writer's thread, what became of things."""

    def answered(self, answers: list[Answer], seconds: float) -> None: ...

    def done(self, chore: Chore, result: Any, fault: Exception | None) -> None: ...

    def rested(self) -> None: ...


class Writer:
    """Works from its start to `finish`, on a thread of its own."""

    def __init__(self, transactions: Transactions, clock: Callable[[], float], ears: Ears) -> None:
        self._transactions = transactions
        self._clock = clock
        self._ears = ears
        self._queue: queue.SimpleQueue[Waiting | Chore | _End] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    def put(self, item: Waiting | Chore) -> None:
        self._queue.put(item)

    def finish(self) -> None:
        """Do what waits, then end the thread; blocks until that is done."""
        self._queue.put(_End())
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, other = self._next()
            if batch:
                started = time.perf_counter()
                answers = self._store(batch)
                self._ears.answered(answers, time.perf_counter() - started)
                if any(answer.withdrew for answer in answers):
                    self._transactions.unclean = True
            match other:
                case Chore():
                    self._do(other)
                case _End():
                    ended = True
            self._transactions.checkpoint()
            self._ears.rested()

    def _next(self) -> tuple[list[Waiting], Chore | _End | None]:
        """The drafts that wait, up to something else, and that; at least one of them."""
        batch: list[Waiting] = []
        item = self._queue.get()
        while isinstance(item, Waiting):
            batch.append(item)
            if len(batch) == BATCH_MAX_DRAFTS or self._queue.empty():  # nobody else takes from it
                return batch, None
            item = self._queue.get()
        return batch, item

    def _store(self, batch: list[Waiting]) -> list[Answer]:
        """One transaction; when it fails, nothing of it is stored and everybody is told so."""

        def insert(connection: sqlite3.Connection) -> list[Answer]:
            rooms = {name: _room_id(connection, name) for name in {one.draft.room for one in batch}}
            return [self._answer(connection, rooms[one.draft.room], one) for one in batch]

        weight = sum(len(waiting.draft.text or "") + DRAFT_BYTES for waiting in batch)
        try:
            return self._transactions.run(insert, weight)
        except Exception as fault:  # whatever it is: a writer that died here would leave everybody waiting for ever
            return [Answer(waiting, None, fault) for waiting in batch]

    def _do(self, chore: Chore) -> None:
        try:
            self._ears.done(chore, self._transactions.run(chore.work, CHORE_BYTES), None)
        except Exception as fault:
            self._ears.done(chore, None, fault)

    def _answer(self, connection: sqlite3.Connection, room: int, waiting: Waiting) -> Answer:
        """What is refused here is refused alone: nothing was stored for it, and the batch goes on."""
        draft = waiting.draft
        try:
            gone = None if draft.withdraws is None else _erase(connection, room, draft, draft.withdraws)
            stored = self._insert(connection, room, draft, gone)
            return Answer(waiting, stored, gone=gone and gone.file, first=_first(connection, stored))
        except Refused as refused:
            return Answer(waiting, None, refused)

    def _insert(self, connection: sqlite3.Connection, room: int, draft: Draft, gone: queries.Standing | None) -> Stored:
        at = int(self._clock() * 1000)
        file = draft.file
        values = (
            room,
            at,
            draft.author,
            draft.key,
            _encode(draft.sender).decode(),
            draft.text,
            _encode(file).decode() if file else None,
            file.id if file else None,
            file.size if file else None,
            draft.withdraws,
            _encode(draft.rule).decode() if draft.rule else None,
        )
        done = connection.execute(_INSERT, values)
        if done.rowcount == 0 and (first := queries.by_key(connection, room, draft.author, draft.key)):
            return Stored(first, new=False)
        seq = done.lastrowid or 0
        if draft.rule:
            _hold(connection, room, seq, at, draft.rule, draft.pin)
        return Stored(_numbered(draft, seq, at, gone), new=True)


def _hold(connection: sqlite3.Connection, room: int, seq: int, at: int, rule: Rule, pin: str | None) -> None:
    """A rule takes the place of the last one about the same; those whose time is over go with it."""
    connection.execute("DELETE FROM rule WHERE room = ? AND (about = ? OR until < ?)", (room, rule.about, at))
    if not rule.lifts:
        held = (room, rule.about, seq, _encode(rule).decode(), pin, rule.until)
        connection.execute("INSERT INTO rule VALUES (?, ?, ?, ?, ?, ?)", held)


def _first(connection: sqlite3.Connection, stored: Stored) -> str | None:
    file = stored.entry.file
    return keeping.first(connection, file.sha256, stored.entry.seq) if stored.new and file is not None else None


def _erase(connection: sqlite3.Connection, room: int, draft: Draft, seq: int) -> queries.Standing | None:
    """Take the content of `seq`, which `draft` withdraws, out of the log; answers what stood there."""
    if queries.by_key(connection, room, draft.author, draft.key):
        return None  # said before, and answered as such
    match queries.standing(connection, room, seq):
        case None:
            raise Refused("not_found", f"there is no entry {seq} here")
        case entry if entry.author != draft.author and not draft.host:
            raise Refused("forbidden", f"entry {seq} is somebody else's; only its author or a host may withdraw it")
        case entry if entry.withdraws is not None:
            raise Refused("forbidden", f"entry {seq} withdraws another, and stays")
        case entry if entry.rule is not None:
            raise Refused("forbidden", f"entry {seq} is a rule, and stays; another may take its place")
        case entry:
            connection.execute(_ERASE, (seq,))
            return entry


def _room_id(connection: sqlite3.Connection, name: str) -> int:
    known = connection.execute("SELECT id FROM room WHERE name = ?", (name,)).fetchone()
    return known[0] if known else connection.execute("INSERT INTO room (name) VALUES (?)", (name,)).lastrowid or 0


def _numbered(draft: Draft, seq: int, at: int, gone: queries.Standing | None) -> Entry:
    return Entry(
        type=queries.kind(draft.withdraws, draft.file, draft.rule),
        seq=seq,
        at=at,
        room=draft.room,
        key=draft.key,
        sender=draft.sender,
        text=draft.text,
        file=draft.file,
        withdraws=draft.withdraws,
        whose=gone.peer if gone is not None and gone.author != draft.author else None,
        rule=draft.rule,
    )
