"""Thumbnails on a disk, in `thumbs/` by the id of their file: no part of a backup, and gone before its bytes are.

An empty one says that none can be made, so that a picture that costs ten seconds to refuse costs them once.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from bridge.model import Refused
from bridge.store.files import DiskFiles, place


class DiskThumbnails:
    """The contract `bridge.log.Thumbnails`, on the threads of a `DiskFiles` whose bytes they go with."""

    def __init__(self, folder: Path, files: DiskFiles) -> None:
        self._folder = folder / "thumbs"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for left_over in self._folder.glob("*.new"):  # of a server that was killed
            left_over.unlink()
        self._files = files
        files.on_remove = self._forget

    async def get(self, id: str) -> bytes | None:
        return await self._files.run(self._get, id)

    async def keep(self, id: str, made: bytes) -> None:
        with suppress(Refused):  # no room for it: it will be made again
            self._files.claim(len(made))
            await self._files.run(self._keep, id, made)

    def _get(self, id: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return place(self._folder, id).read_bytes()
        return None

    def _keep(self, id: str, made: bytes) -> None:
        """Synced before it has its name: half of one, or an empty one, would be believed for ever."""
        new, there = self._folder / f"{secrets.token_hex(8)}.new", place(self._folder, id)
        try:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(made)
                out.flush()
                os.fsync(out.fileno())
            there.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(new, there)
        finally:
            new.unlink(missing_ok=True)
        if not self._files.path(id).exists():  # removed meanwhile
            self._forget(id)

    def _forget(self, id: str) -> None:
        place(self._folder, id).unlink(missing_ok=True)
