"""The contracts of what lasts: a log that numbers drafts, and a store for the bytes of files.

An engine is one file under `store/` that keeps the guarantees below; `tests/store/` holds one suite for each contract
that every engine passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from bridge.model import Draft, Entry, Gap, Stored


class Page(msgspec.Struct, frozen=True):
    """Entries in ascending order, and the gap before them if what was asked for is no longer kept."""

    entries: list[Entry]
    gap: Gap | None = None


class RoomInfo(msgspec.Struct, frozen=True):
    """A room that has entries."""

    name: str
    last_seq: int


class Log(Protocol):
    """An append-only log per room.

    Guarantees:
      1. `append` answers only when the entry is on stable storage; cancelling the caller changes nothing.
      2. `on_entry` is called in the event loop once per new entry, in the order of their numbers within a room, after
         the entry is durable and before its `append` answers. A repeated key announces nothing.
      3. Numbers rise within a room and may skip; an entry once announced is never changed.
      4. `(room, author, key)` is stored once; appending it again answers with the first entry and `new=False`.
      5. Drafts of one caller are numbered in the order of the calls.
    """

    epoch: str
    """The identity of this log, made once: numbers of another epoch mean nothing here."""
    salt: bytes
    """A secret of this log, made once, from which public peer ids are derived."""
    on_entry: Callable[[Entry], None]

    def append(self, draft: Draft) -> asyncio.Future[Stored]:
        """Queue a draft at once; the future answers when it is durable.

        Raises `Refused` `busy` when too many wait; the future raises `Refused` `disk_full`, or `StoreError` when the
        engine failed. Cancelling the future changes nothing but that nobody hears the answer.
        """

    async def read(self, room: str, after: int, limit: int) -> Page:
        """The first `limit` entries numbered above `after`, with the gap before them if some are no longer kept."""

    async def newest(self, room: str, limit: int, before: int | None = None) -> Page:
        """The newest `limit` entries, or those just below `before`; with a gap if fewer are left than there were."""

    async def search(
        self, room: str, asked: list[list[str]], limit: int, before: int | None = None, files: bool = False
    ) -> Page:
        """The newest `limit` entries below `before` that have all phrases that are asked for (`bridge/words.py`).

        A file is found by its name. `files`: nothing but files; with nothing asked, all of them. What was announced
        before the call is found; what is no longer kept is not, and says nothing.
        """

    async def rooms(self) -> list[RoomInfo]:
        """Every room that has entries, by name."""

    async def file(self, id: str) -> Entry | None:
        """The entry that announced this file."""

    async def close(self) -> None:
        """Finish what was queued, then let go of the storage."""


class Digest(msgspec.Struct, frozen=True):
    """What a complete file turned out to be: bytes, and their SHA-256 in hex."""

    size: int
    sha256: str


class Part(Protocol):
    """A file that is still coming in. End it with `commit` or `abort`."""

    id: str

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes, off the event loop. Raises `Refused` `disk_full`, or `StoreError`."""

    async def commit(self) -> Digest:
        """Sync the bytes, give the file its place, sync the folder: then it lasts."""

    async def abort(self) -> None:
        """Leave nothing behind. Harmless after `commit` or a second time."""


class Files(Protocol):
    """Bytes by id. No name of a sender ever reaches a path."""

    async def create(self) -> Part:
        """Begin a file under a new random id."""

    def path(self, id: str) -> Path:
        """Where the committed bytes of `id` are; for ids that this store made."""

    async def remove(self, id: str) -> None:
        """Forget the bytes of `id`; harmless when there are none."""
