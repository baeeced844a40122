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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from bridge.log import Page, RoomInfo
from bridge.model import Draft, Entry, Refused, Stored, StoreError
from bridge.store.sqlite import queries, search
from bridge.store.sqlite.index import Index
from bridge.store.sqlite.schema import connect, meta, reader
from bridge.store.sqlite.writer import Answer, Waiting, Writer

T = TypeVar("T")

WAITING_MAX_DRAFTS: Final = 16 * 1024
"""More than this many waiting is more than a disk catches up with in a second: `busy`."""
READERS: Final = 2


class SqliteLog:
    """Made and used in an event loop; `close` ends its threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.on_entry: Callable[[Entry], None] = lambda entry: None
        self._loop = asyncio.get_running_loop()
        self._connection = connect(path)
        self.epoch = meta(self._connection, "epoch", lambda: secrets.token_hex(8).encode()).decode()
        self.salt = meta(self._connection, "salt", lambda: secrets.token_bytes(32))
        self.waiting = 0
        """Drafts on their way to the disk."""
        self._closed = False
        self._writer = Writer(self._connection, clock, self._heard)
        # Opened now, so that running out of descriptors later cannot stop the reading.
        self._reading: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(READERS):
            self._reading.put(reader(path))
        self._readers = ThreadPoolExecutor(READERS, "log reader")
        self._index = Index(path)

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

    def _heard(self, answers: list[Answer]) -> None:
        self._loop.call_soon_threadsafe(self._announce, answers)

    def _announce(self, answers: list[Answer]) -> None:
        """In the event loop, in commit order: the room first, then whoever asked, cancelled or not."""
        self.waiting -= len(answers)
        self._index.heard(len(answers), busy=self.waiting > 0)
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
        return await self._on_reader(queries.read, room, after, limit)

    async def newest(self, room: str, limit: int, before: int | None = None) -> Page:
        return await self._on_reader(queries.newest, room, limit, before)

    async def rooms(self) -> list[RoomInfo]:
        return await self._on_reader(queries.rooms)

    async def file(self, id: str) -> Entry | None:
        return await self._on_reader(queries.by_file, id)

    async def search(
        self, room: str, asked: list[list[str]], limit: int, before: int | None = None, files: bool = False
    ) -> Page:
        if asked:
            await self._index.catch_up()
        return await self._on_reader(search.matching, room, asked, limit, before, files)

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
        self._connection.close()  # the last one to close checkpoints the write-ahead log
