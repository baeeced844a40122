"""Bytes on a disk, by random id: `parts/` while they come in, `files/` once they are whole.

What may stop and go on comes in through `uploads/` instead (`bridge.store.unfinished`).
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from bridge.log import Bytes, Digest, More, Part
from bridge.model import Refused, StoreError
from bridge.store.folder import faults_named

logger = logging.getLogger("roombridge.files")

T = TypeVar("T")
P = TypeVar("P", bound="DiskPart")

WRITERS: Final = 4
NICENESS: Final = 10
ERRAND_S: Final = 0.01
"""For so long a writer goes on with what comes at once, then others have their turn."""
BUFFER_BYTES: Final = 2 * 1024 * 1024
"""Of each writer, once it needs one: half of it costs a tenth more, twice as much saves nothing (`bench/ingest.py`)."""
SMALL_BYTES: Final = 64 * 1024
"""Up to here a file whose size is known is held in memory until it is whole (`bench/small_files.py`)."""
BEGINNING_BYTES: Final = 256 * 1024
"""So much is looked at to tell what a file is; a photograph's measures come after what its camera says of itself."""
EARLY_BYTES: Final = 2 * 1024 * 1024
"""When so much more has come, the disk begins with it: else it would idle until the end, and the sender wait then."""
_CLOSED: Final = -1
_O_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows
_O_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)  # not on Windows


class DiskFiles:
    """The contract `bridge.log.Files` over one private folder. Raises `StoreError` for one that cannot be used."""

    def __init__(self, folder: Path, claim: Callable[[int], object] = lambda size: None) -> None:
        self.claim = claim
        """Asked before bytes are taken; refuses those that there is no room for."""
        self.on_remove: Callable[[str], object] = lambda id: None
        """Told, on a writer thread, before the bytes of an id are removed: what was made of them goes too."""
        self._parts = folder / "parts"
        self._whole = folder / "files"
        self.uploads = folder / "uploads"
        self._own = threading.local()
        self._writers = ThreadPoolExecutor(WRITERS, "files", _give_way)
        self._shelves: set[Path] = set()
        self._naming = threading.Lock()
        with faults_named(folder):
            for made in (self._parts, self._whole, self.uploads):
                made.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left_over in self._parts.iterdir():  # of a server that was killed; nobody can go on with them
                left_over.unlink()
            os.utime(self._parts)
            self._opened_ns = self._parts.stat().st_ctime_ns  # by the disk's own clock

    async def create(self, size: int | None = None) -> Part:
        self.claim(size or 0)
        id = secrets.token_hex(16)
        make = partial(DiskPart, self, id, self._parts / id, self.path(id))
        if size is not None and size <= SMALL_BYTES:
            return SmallPart(self, id, partial(DiskPart.store, make))
        return await self.make(make)

    async def make(self, work: Callable[..., P], *args: object) -> P:
        """`run` for what makes a part; nothing is left of it if whoever asked is cancelled meanwhile."""
        made = self.run(work, *args)
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            made.add_done_callback(_unwanted)
            raise

    def path(self, id: str) -> Path:
        return place(self._whole, id)

    async def remove(self, id: str) -> None:
        await asyncio.shield(self.run(self._unlink, id))

    def let_go(self, id: str) -> None:
        self._aside("the bytes of a file that was withdrawn are still there", self._unlink, id)

    def share(self, id: str, first: str) -> None:
        self._aside("bytes that two files have are kept twice", self._link, id, first)

    def _unlink(self, id: str) -> None:
        self.on_remove(id)  # first, so that a kill between the two leaves what is found at the next start
        with self._naming:
            self.path(id).unlink(missing_ok=True)

    def _link(self, id: str, first: str) -> None:
        """Give `id` the bytes of `first` by a second name for them: the disk counts how many there are."""
        coming, whole = self._parts / id, self.path(id)
        with self._naming:  # one that is removed meanwhile stays so
            if not whole.exists():
                return
            try:
                os.link(self.path(first), coming)
                os.replace(coming, whole)
            except OSError as exc:  # `first` is gone, or this disk knows no second names, or no more of them
                logger.debug("%s keeps bytes of its own: %s", id, exc)
            finally:
                coming.unlink(missing_ok=True)

    def _aside(self, fault: str, work: Callable[..., object], *args: object) -> None:
        """Work that nobody waits for."""
        self.run(work, *args).add_done_callback(partial(_heard, fault))

    async def settled(self) -> AsyncIterator[list[str]]:
        for shelf in await self.run(lambda: sorted(self._whole.iterdir())):
            yield await self.run(_settled, shelf, self._opened_ns)

    async def absent(self, ids: Sequence[str]) -> list[str]:
        return await self.run(lambda: [id for id in ids if not self.path(id).exists()])

    def shelve(self, part: Path, whole: Path) -> None:
        """Give a synced file its place, so that it lasts, blocking.

        That it is gone from the parts need not last: what is still there when a server starts is removed.
        """
        shelf = whole.parent
        shelf.mkdir(mode=0o700, exist_ok=True)
        os.rename(part, whole)
        sync_folder(shelf)
        if shelf not in self._shelves:  # a new one lasts only once the folder above it is synced
            sync_folder(shelf.parent)
            self._shelves.add(shelf)

    async def open(self, id: str) -> BinaryIO | None:
        return await self.run(self._open, id)

    def _open(self, id: str) -> BinaryIO | None:
        for path in (self._parts / id, self.uploads / id, self.path(id)):  # the way it goes
            with suppress(FileNotFoundError):
                return path.open("rb")
        return None

    async def close(self) -> None:
        """Finish what the writers do."""
        await asyncio.get_running_loop().run_in_executor(None, self._writers.shutdown)

    def buffer(self) -> memoryview:
        """Of the writer thread that asks."""
        if not hasattr(self._own, "buffer"):
            self._own.buffer = memoryview(bytearray(BUFFER_BYTES))
        return self._own.buffer  # type: ignore[no-any-return]

    def run(self, work: Callable[..., T], *args: object) -> asyncio.Future[T]:
        """Do blocking work on a writer thread; what passes is `Refused`, any other trouble a `StoreError`."""
        return asyncio.get_running_loop().run_in_executor(self._writers, _translated, work, *args)


def place(whole: Path, id: str) -> Path:
    """Where the bytes of `id` are under `files/`."""
    return whole / id[:2] / id


def _settled(shelf: Path, before_ns: int) -> list[str]:
    """By the time of their renaming; that of their last byte may lie long before."""
    with os.scandir(shelf) as blobs:
        return [blob.name for blob in blobs if blob.stat().st_ctime_ns < before_ns]


def _unwanted(made: asyncio.Future[P]) -> None:
    if not made.cancelled() and made.exception() is None:
        made.result().discard()


def _heard(what: str, done: asyncio.Future[Any]) -> None:
    if not done.cancelled() and (fault := done.exception()):
        logger.error(what, exc_info=fault)


def _translated(work: Callable[..., T], *args: object) -> T:
    try:
        return work(*args)
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refused("disk_full", "the server's disk is full") from exc
        if exc.errno in (errno.EMFILE, errno.ENFILE):
            raise Refused("busy", "the server has too many files open; send it again later") from exc
        raise StoreError(f"files: {exc}") from exc


class DiskPart:
    """The contract `bridge.log.Part`. Created, written and ended on writer threads, one call at a time."""

    def __init__(self, files: DiskFiles, id: str, part: Path, whole: Path, how: int = os.O_CREAT | os.O_EXCL) -> None:
        self.id = id
        self._files = files
        self._part = part
        self._whole = whole
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._running: asyncio.Future[Any] | None = None
        self._fd = self._opened(how)

    def _opened(self, how: int) -> int:
        return os.open(self._part, os.O_RDWR | _O_NOFOLLOW | _O_BINARY | how, 0o600)

    async def write(self, data: Bytes, more: More | None = None) -> int:
        return await self._run(self._take, data, more)

    def _take(self, data: Bytes, more: More | None) -> int:
        self._write(data)
        taken = len(data)
        if more is not None:
            buffer, until = self._files.buffer(), time.monotonic() + ERRAND_S
            while time.monotonic() < until and (size := more(buffer)):
                self._write(buffer[:size])
                taken += size
                os.sched_yield()  # a loop that woke meanwhile is let in now, not at the kernel's next tick 4 ms later
        return taken

    async def commit(self) -> Digest:
        return await self._run(self._commit)

    async def abort(self) -> None:
        await self.settle()
        await self._run(self.discard)

    async def settle(self) -> None:
        """Wait for what its thread does: cancelling a caller does not stop it."""
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running])

    @property
    def closed(self) -> bool:
        return self._fd == _CLOSED

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        self._running = future = self._files.run(work, *args)
        return await asyncio.shield(future)

    def _write(self, data: Bytes) -> None:
        self._files.claim(len(data))
        self._sha256.update(data)
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]
        before, self._size = self._size, self._size + len(data)
        _begin_to_write(self._fd, before - before % EARLY_BYTES, self._size - self._size % EARLY_BYTES)

    def _commit(self) -> Digest:
        os.fsync(self._fd)
        os.lseek(self._fd, 0, os.SEEK_SET)  # `pread` is not on Windows
        beginning = os.read(self._fd, BEGINNING_BYTES)
        self.shut()
        self._files.shelve(self._part, self._whole)
        return Digest(self._size, self._sha256.hexdigest(), beginning)

    @classmethod
    def store(cls, make: Callable[[], DiskPart], data: bytearray) -> Digest:
        """A whole file in one go, blocking; nothing is left of it if that fails."""
        part = make()
        try:
            part._write(data)
            return part._commit()
        except BaseException:
            part.discard()
            raise

    def discard(self) -> None:
        """`abort`, blocking."""
        if not self.closed:
            self.shut()
        self._part.unlink(missing_ok=True)

    def shut(self) -> None:
        os.close(self._fd)
        self._fd = _CLOSED


class SmallPart:
    """The contract `bridge.log.Part` for few bytes: held in memory until they are whole, then stored in one errand.

    Made, written and committed one by one, each file would go to a writer thread and back three times.
    """

    def __init__(self, files: DiskFiles, id: str, store: Callable[[bytearray], Digest]) -> None:
        self.id = id
        self._files = files
        self._store = store
        self._held = bytearray()
        self._storing: asyncio.Future[Digest] | None = None

    async def write(self, data: Bytes, more: More | None = None) -> int:
        self._held += data
        return len(data)

    async def commit(self) -> Digest:
        self._storing = self._files.run(self._store, self._held)
        return await asyncio.shield(self._storing)

    async def abort(self) -> None:
        if self._storing is not None:
            await asyncio.wait([self._storing])  # cancelling a caller does not stop its thread


def _give_way() -> None:
    """A writer comes after the loop where both want the same core: chat does not wait for files (`bench/beside.py`)."""
    if sys.platform == "linux":  # elsewhere the whole process would
        with suppress(OSError):  # forbidden by whoever locked us in
            os.nice(NICENESS)


def _begin_to_write(fd: int, start: int, stop: int) -> None:
    """Have the disk begin with these bytes, and do not wait for it: no promise, but `fsync` finds little left to do.

    Linux takes this advice so, and keeps in memory what it has yet to write (`mm/fadvise.c`).
    """
    if stop > start and sys.platform == "linux":
        with suppress(OSError):  # not every file system takes advice
            os.posix_fadvise(fd, start, stop - start, os.POSIX_FADV_DONTNEED)


def sync_folder(folder: Path) -> None:
    """A rename lasts only once its folder is synced. Windows cannot open folders and needs no such thing."""
    with suppress(PermissionError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
