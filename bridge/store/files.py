"""Bytes on a disk, by random id: `parts/` while they come in, `files/` once they are whole."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from bridge.log import Digest
from bridge.model import Refused, StoreError

logger = logging.getLogger("roombridge.files")

T = TypeVar("T")

WRITERS: Final = 4
_CLOSED: Final = -1
_O_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows
_O_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)  # not on Windows


class DiskFiles:
    """The contract `bridge.log.Files` over one private folder."""

    def __init__(self, folder: Path) -> None:
        self._parts = folder / "parts"
        self._whole = folder / "files"
        self._writers = ThreadPoolExecutor(WRITERS, "files")
        for made in (self._parts, self._whole):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left_over in self._parts.iterdir():  # of a server that was killed; nobody can go on with them
            left_over.unlink()

    async def create(self) -> DiskPart:
        id = secrets.token_hex(16)
        made = self.run(DiskPart, self, id, self._parts / id, self.path(id))
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            made.add_done_callback(_unwanted)
            raise

    def path(self, id: str) -> Path:
        return self._whole / id[:2] / id

    async def remove(self, id: str) -> None:
        await asyncio.shield(self.run(self.path(id).unlink, True))

    def let_go(self, id: str) -> None:
        self.run(self.path(id).unlink, True).add_done_callback(_removed)

    async def close(self) -> None:
        """Finish what the writers do."""
        await asyncio.get_running_loop().run_in_executor(None, self._writers.shutdown)

    def run(self, work: Callable[..., T], *args: object) -> asyncio.Future[T]:
        """Do blocking work on a writer thread; a full disk is `Refused`, any other trouble a `StoreError`."""
        return asyncio.get_running_loop().run_in_executor(self._writers, _translated, work, *args)


def _unwanted(made: asyncio.Future[DiskPart]) -> None:
    """Whoever asked for it was cancelled while its thread made it."""
    if not made.cancelled() and made.exception() is None:
        made.result().discard()


def _removed(done: asyncio.Future[None]) -> None:
    if not done.cancelled() and (fault := done.exception()):
        logger.error("the bytes of a file that was withdrawn are still there", exc_info=fault)


def _translated(work: Callable[..., T], *args: object) -> T:
    try:
        return work(*args)
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refused("disk_full", "the server's disk is full") from exc
        raise StoreError(f"files: {exc}") from exc


class DiskPart:
    """The contract `bridge.log.Part`. Created, written and ended on writer threads, one call at a time."""

    def __init__(self, files: DiskFiles, id: str, part: Path, whole: Path) -> None:
        self.id = id
        self._files = files
        self._part = part
        self._whole = whole
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._running: asyncio.Future[Any] | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _O_NOFOLLOW | _O_BINARY
        self._fd = os.open(part, flags, 0o600)

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        await self._run(self._write, data)

    async def commit(self) -> Digest:
        return await self._run(self._commit)

    async def abort(self) -> None:
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running])  # cancelling a caller does not stop its thread
        await self._run(self.discard)

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        self._running = future = self._files.run(work, *args)
        return await asyncio.shield(future)

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        self._sha256.update(data)
        self._size += len(data)
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]

    def _commit(self) -> Digest:
        os.fsync(self._fd)
        os.close(self._fd)
        self._fd = _CLOSED
        self._whole.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(self._part, self._whole)
        for folder in (self._whole.parent, self._whole.parent.parent, self._part.parent):
            _sync_folder(folder)
        return Digest(self._size, self._sha256.hexdigest())

    def discard(self) -> None:
        """`abort`, blocking."""
        if self._fd != _CLOSED:
            os.close(self._fd)
            self._fd = _CLOSED
        self._part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """A rename lasts only once its folder is synced. Windows cannot open folders and needs no such thing."""
    with suppress(PermissionError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
