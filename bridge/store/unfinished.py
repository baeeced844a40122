"""Uploads that may stop and go on: their bytes in `uploads/<id>`, what is known of them beside it in `<id>.json`.

What the server acknowledged is in the kernel's hands and outlives its process; letting go syncs it, so that a power cut
takes at most what came since. The digest is kept while the process lives; after a restart the bytes are hashed again
when the upload goes on: once, on writer threads, a slice at a time. The record goes when all is over, after the bytes
have their place and their entry; so a server killed between the two leaves a whole upload, not a lost one.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from bridge.log import Announced, Begun, Bytes, KeptPart
from bridge.store.files import DiskFiles, DiskPart

logger = logging.getLogger("roombridge.files")

REHASH_BYTES: Final = 8 * 1024 * 1024
"""Hashed at a time, so that a writer thread is soon free for others: some 5 ms."""
_RECORD: Final = ".json"

_decoder = msgspec.json.Decoder(Begun)


class DiskUnfinished:
    """The contract `bridge.log.Unfinished`, in the folder and on the threads of a `DiskFiles`."""

    def __init__(self, files: DiskFiles) -> None:
        self._files = files

    async def begin(self, begun: Begun) -> KeptPart:
        self._files.claim(begun.size)
        return await self._files.make(self._begin, begun)

    async def all(self, announced: Announced) -> list[tuple[Begun, KeptPart]]:
        found: list[tuple[Begun, KeptPart]] = []
        for id in await self._files.run(self._swept):
            if await announced(id) is not None:
                await self._files.run(self._forget, id)
            elif one := await self._files.run(self._load, id):
                found.append(one)
        return found

    def _begin(self, begun: Begun) -> DiskKeptPart:
        id = secrets.token_hex(16)
        part = self._part(id, os.O_CREAT | os.O_EXCL)
        try:
            _write_whole(part.record, msgspec.json.encode(begun))
            part.rest()
        except BaseException:
            part.discard()
            raise
        return part

    def _swept(self) -> list[str]:
        """The ids that there are records of; what has none is removed."""
        ids, left_over = sorted_out(self._files.uploads)
        for path in left_over:
            path.unlink()
        return ids

    def _load(self, id: str) -> tuple[Begun, KeptPart] | None:
        part = self._files.uploads / id
        with suppress(FileNotFoundError):  # killed after it had its place, before it was announced
            if not part.exists():
                os.rename(self._files.path(id), part)
        try:
            begun = _decoder.decode(part.with_suffix(_RECORD).read_bytes())
            kept = self._part(id, 0)
        except (msgspec.DecodeError, FileNotFoundError) as fault:
            logger.warning("upload %s cannot go on: %s", id, fault)
            self._forget(id)
            return None
        kept.rest()
        return begun, kept

    def _forget(self, id: str) -> None:
        for path in pair(self._files.uploads, id):
            path.unlink(missing_ok=True)

    def _part(self, id: str, how: int) -> DiskKeptPart:
        return DiskKeptPart(self._files, id, self._files.uploads / id, self._files.path(id), how)


def sorted_out(uploads: Path) -> tuple[list[str], list[Path]]:
    """The ids that there are records of, and what belongs to none of them."""
    ids = sorted(record.stem for record in uploads.glob(f"*{_RECORD}"))
    known = {path for id in ids for path in pair(uploads, id)}
    return ids, [path for path in uploads.glob("*") if path not in known]


def pair(uploads: Path, id: str) -> list[Path]:
    """An upload's bytes, and the record of it."""
    return [uploads / id, uploads / (id + _RECORD)]


def _write_whole(path: Path, data: bytes) -> None:
    """Whole or not at all, also when we are killed meanwhile."""
    new = path.with_suffix(".new")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(data)
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


class DiskKeptPart(DiskPart):
    """The contract `bridge.log.KeptPart`."""

    def __init__(self, files: DiskFiles, id: str, part: Path, whole: Path, how: int) -> None:
        super().__init__(files, id, part, whole, how | os.O_APPEND)
        self.record = part.with_suffix(_RECORD)
        found = os.fstat(self._fd)
        self._size = found.st_size
        self._hashed = 0
        self.touched = found.st_mtime
        self._marked = (0, self._sha256)

    @property
    def size(self) -> int:
        return self._size

    async def take_up(self) -> None:
        await self.settle()
        if self.closed:
            await self._run(self._reopen)
        while self._hashed < self._size:
            await self._run(self._hash_on)

    async def mark(self) -> None:
        self._marked = (self._size, self._sha256.copy())

    async def back(self) -> None:
        await self.settle()
        await self._run(self._cut, *self._marked)

    async def let_go(self) -> None:
        await self.settle()
        await self._run(self.rest)

    def rest(self) -> None:
        """`let_go`, blocking. Harmless when done already."""
        if not self.closed:
            os.fsync(self._fd)
            self.touched = os.fstat(self._fd).st_mtime
            self.shut()

    def discard(self) -> None:
        super().discard()
        self.record.unlink(missing_ok=True)

    def _reopen(self) -> None:
        self._fd = self._opened(os.O_APPEND)

    def _hash_on(self) -> None:
        with self._part.open("rb") as there:
            there.seek(self._hashed)
            data = there.read(min(REHASH_BYTES, self._size - self._hashed))
        if not data:
            raise OSError(f"{self._part} is shorter than it was")
        self._sha256.update(data)
        self._hashed += len(data)

    def _write(self, data: Bytes) -> None:
        before = self._size, self._sha256.copy()
        try:
            super()._write(data)
        except OSError:
            self._cut(*before)  # it may have taken a part, which nobody was told of
            raise
        self._hashed = self._size

    def _cut(self, size: int, sha256: hashlib._Hash) -> None:
        os.ftruncate(self._fd, size)
        self._size = self._hashed = size
        self._sha256 = sha256
