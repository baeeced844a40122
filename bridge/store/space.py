"""Room on the disk: uploads stop while there is still some, chat goes on until there is none, ballast buys it time.

The ballast is a file that is there only to be thrown overboard when the log finds the disk full. Until there is room to
take it aboard again, files are refused, so that what it made room for is chat.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from pathlib import Path
from typing import Final

from bridge.model import Refused
from bridge.store.folder import faults_named

logger = logging.getLogger("roombridge.space")

SHARE: Final = 20
"""The ballast, and the reserve unless it is asked for, take no more of a disk than one part in so many."""
RESERVE_MAX_BYTES: Final = 1024**3
BLOCK_BYTES: Final = 1024 * 1024


class Space:
    """Of the disk that `folder` is on. `reserve` in bytes, None for what suits the disk. Used from any thread."""

    def __init__(self, folder: Path, reserve: int | None = None, ballast: int = 0) -> None:
        total = shutil.disk_usage(folder).total
        self._folder = folder
        self._reserve = min(RESERVE_MAX_BYTES, total // SHARE) if reserve is None else reserve
        self._ballast = folder / "ballast"
        self._weight = min(ballast, total // SHARE)
        self._lock = threading.Lock()
        with faults_named(folder):
            self._aboard = self._ballast.exists() and self._ballast.stat().st_size == self._weight
            if not self._aboard:
                self._ballast.unlink(missing_ok=True)
        self.refit()

    def refit(self) -> None:
        """Take the ballast aboard if it is not and there is room."""
        with self._lock:
            if self._weight and not self._aboard and self._free() >= self._reserve + self._weight:
                self._aboard = self._load()

    def relieve(self) -> bool:
        """The disk is full: throw the ballast overboard. Whether that made room."""
        with self._lock:
            if not (self._aboard and self._weight):
                return False
            self._ballast.unlink(missing_ok=True)
            self._aboard = False
        logger.warning("the disk is full: %d bytes of ballast went overboard, so that chat goes on", self._weight)
        return True

    def claim(self, size: int) -> None:
        """A file wants `size` bytes. Raises `Refused` `disk_full` when they are kept for chat."""
        kept = self._reserve + (0 if self._aboard else self._weight)
        if (free := self._free()) - size < kept:
            wanted = f"{size} bytes are wanted, {free} are free, {kept} are kept for chat (--reserve-bytes)"
            raise Refused("disk_full", f"the server's disk is full: {wanted}")

    def _free(self) -> int:
        return shutil.disk_usage(self._folder).free

    def _load(self) -> bool:
        try:
            fd = os.open(self._ballast, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                _allocate(fd, self._weight)
            finally:
                os.close(fd)
        except OSError as exc:
            logger.warning("no ballast: %s", exc)
            self._ballast.unlink(missing_ok=True)
            return False
        return True


def _allocate(fd: int, size: int) -> None:
    """Blocks on the disk, not a hole."""
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
        return
    while size > 0:
        size -= os.write(fd, bytes(min(size, BLOCK_BYTES)))
    os.fsync(fd)
