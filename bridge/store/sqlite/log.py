"""The contract `bridge.log.Log` over one SQLite file: queued in the event loop, stored by a writer, read by readers.

WAL with `synchronous=FULL`: a commit is one sync of the write-ahead log, and only after it are entries announced, in
the order of their numbers. Numbers are one series for all rooms (they may skip within a room), never given twice.
"""

from __future__ import annotations

import asyncio
import queue
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from bridge.log import Held, Page, RoomInfo, Trimmed
from bridge.model import Draft, Entry, Refused, Stored, StoreError
from bridge.store.sqlite import keeping, queries, search
from bridge.store.sqlite.index import Index
from bridge.store.sqlite.schema import connect, faults_named, meta, reader
from bridge.store.sqlite.transaction import Transactions
from bridge.store.sqlite.writer import Answer, Chore, Waiting, Writer

T = TypeVar("T")

WAITING_MAX_DRAFTS: Final = 16 * 1024
"""More than this many waiting is more than a disk catches up with in a second: `busy`."""
READERS: Final = 2


class SqliteLog:
    """Made and used in an event loop; `close` ends its threads."""

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, relieve: Callable[[], bool] = lambda: False
    ) -> None:
        self.on_entry: Callable[[Entry], None] = lambda entry: None
        self.on_trim: Callable[[str, int], None] = lambda room, up_to: None
        self.on_commit: Callable[[float, int], None] = lambda seconds, drafts: None
        """Told on the writer's thread how long each batch took, and how many drafts it had."""
        self.on_failure: Callable[[StoreError], None] = lambda fault: None
        self.on_gone: Callable[[str], None] = lambda file: None
        self.on_same: Callable[[str, str], None] = lambda file, first: None
        self._loop = asyncio.get_running_loop()
        self.waiting = 0
        """Drafts on their way to the disk."""
        self._closed = False
        self._fault: StoreError | None = None
        self._reading: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        with faults_named(path), ExitStack() as opened:
            self._connection = opened.enter_context(closing(connect(path)))
            self.epoch = meta(self._connection, "epoch", lambda: secrets.token_hex(8).encode()).decode()
            self.salt = meta(self._connection, "salt", lambda: secrets.token_bytes(32))
            self._transactions = Transactions(self._connection, relieve, self._failed)
            # Opened now, so that running out of descriptors later cannot stop the reading.
            for _ in range(READERS):
                self._reading.put(opened.enter_context(closing(reader(path))))
            self._index = Index(path, lambda: self.waiting > 0)
            opened.pop_all()
        self._writer = Writer(self._transactions, clock, self)
        self._readers = ThreadPoolExecutor(READERS, "log reader")
        self._pages = 0
        """How many are being read."""
        self._withdrawn: set[int] = set()
        """What was withdrawn meanwhile."""

    # Writing

    def append(self, draft: Draft) -> asyncio.Future[Stored]:
        if self._closed:
            raise Refused("busy", "the server is shutting down; send it again later")
        if self.waiting >= WAITING_MAX_DRAFTS:
            raise Refused("busy", f"{self.waiting} drafts wait for the disk; send it again later")
        self.waiting += 1
        future: asyncio.Future[Stored] = self._loop.create_future()
        self._writer.put(Waiting(draft, future))
        return future

    def answered(self, answers: list[Answer], seconds: float) -> None:
        """On the writer's thread; so are the next two."""
        self.on_commit(seconds, len(answers))
        self._loop.call_soon_threadsafe(self._announce, answers)

    def done(self, chore: Chore, result: Any, fault: Exception | None) -> None:
        self._loop.call_soon_threadsafe(_settle, chore.future, result, fault)

    def rested(self) -> None:
        """Whoever is answered hears that before all ends."""
        if (fault := self._fault) is not None:
            self._fault = None
            self._loop.call_soon_threadsafe(lambda: self.on_failure(fault))

    def _failed(self, fault: StoreError) -> None:
        self._fault = fault

    def _announce(self, answers: list[Answer]) -> None:
        """In the event loop, in commit order: the room first, then whoever asked, cancelled or not."""
        self.waiting -= len(answers)
        for answer in answers:
            waiting, stored, fault, gone, first = answer
            if self._pages and answer.withdrew:
                self._withdrawn.add(answer.withdrew)
            if stored is not None and stored.new:
                self.on_entry(stored.entry)
                if first is not None and stored.entry.file is not None:
                    self.on_same(stored.entry.file.id, first)
            if gone is not None:
                self.on_gone(gone)
            _settle(waiting.future, stored, fault)

    # Keeping: steps that the writer does between two batches

    async def trim(self, before: int) -> Trimmed:
        step = self._chore(keeping.trim, before)
        step.add_done_callback(self._tell_trimmed)  # whoever waits may be cancelled; rooms are told all the same
        return (await asyncio.shield(step)).trimmed

    async def release(self, before: int, enough: int) -> Trimmed:
        return await asyncio.shield(self._chore(keeping.release, before, enough))

    async def shrink(self) -> bool:
        return await asyncio.shield(self._chore(keeping.shrink))

    def _chore(self, work: Callable[..., T], *args: object) -> asyncio.Future[T]:
        if self._closed:
            raise StoreError("log: closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._writer.put(Chore(lambda connection: work(connection, *args), future))
        return future

    def _tell_trimmed(self, step: asyncio.Future[keeping.Step]) -> None:
        if step.exception() is None:
            for room, up_to in step.result().rooms.items():
                self.on_trim(room, up_to)

    async def size(self) -> int:
        return await self._on_reader(keeping.size)

    async def file_bytes(self, author: str | None = None) -> int:
        return await self._on_reader(keeping.file_bytes, author)

    async def files(self, after: int, limit: int) -> list[tuple[int, str]]:
        return await self._on_reader(keeping.files, after, limit)

    async def named(self, ids: Sequence[str]) -> set[str]:
        return await self._on_reader(keeping.named, ids)

    # Reading: on reader threads, each with a connection of its own

    async def read(self, room: str, after: int, limit: int, sender: str | None = None) -> Page:
        return await self._page(queries.read, room, after, limit, sender)

    async def newest(self, room: str, limit: int, before: int | None = None, sender: str | None = None) -> Page:
        return await self._page(queries.newest, room, limit, before, sender)

    async def rooms(self) -> list[RoomInfo]:
        return await self._on_reader(queries.rooms)

    async def rules(self, room: str) -> list[Held]:
        return await self._on_reader(queries.rules, room)

    async def file(self, id: str) -> Entry | None:
        return await self._on_reader(queries.by_file, id)

    async def files_of(self, room: str) -> list[Entry]:
        return await self._on_reader(queries.files_of, room)

    async def search(
        self, room: str, asked: list[list[str]], limit: int, before: int | None = None, files: bool = False
    ) -> Page:
        if asked:
            await self._index.catch_up()
        return await self._page(search.matching, room, asked, limit, before, files)

    async def _page(self, query: Callable[..., Page], *args: object) -> Page:
        """A page is read again if some of it was withdrawn, and announced so, while it was on its way here."""
        self._pages += 1
        try:
            page = await self._on_reader(query, *args)
            while not self._withdrawn.isdisjoint(entry.seq for entry in page.entries):
                page = await self._on_reader(query, *args)
            return page
        finally:
            self._pages -= 1
            if not self._pages:
                self._withdrawn.clear()

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
        await self._loop.run_in_executor(None, self._writer.finish)
        self._readers.shutdown()
        self._index.close()
        for _ in range(READERS):
            self._reading.get().close()
        if not self._transactions.over:  # it would sync once more what a failed sync may have lost
            self._connection.close()  # the last one to close checkpoints the write-ahead log


def _settle(future: asyncio.Future[T], result: T | None, fault: Exception | None) -> None:
    if future.done():  # cancelled
        return
    if fault is not None:
        future.set_exception(fault)
    else:
        future.set_result(cast(T, result))
