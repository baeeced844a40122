"""One piece of work, one transaction: stored whole or not at all, and what to do when the disk will not.

A full disk refuses this piece and takes the next; there may be ballast to throw overboard first. A sync that failed is
another matter: the kernel may have dropped what it could not write and would call the next sync a success, so nothing
is synced again, nothing more is stored, and the server ends. (LWN 752063, "PostgreSQL's fsync() surprise")
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import Final, TypeVar

from bridge.model import Refused, StoreError, Unsure
from bridge.store.sqlite.schema import scrub

logger = logging.getLogger("roombridge.log")

T = TypeVar("T")

CHECKPOINT_BYTES: Final = 4 * 1024 * 1024
"""So much in the write-ahead log is carried over into the database; SQLite's own default, 1,000 pages."""
_COMMIT_BYTES: Final = 5 * 4096  # a page of the table, one of each index, one of the series of numbers
_UNSURE: Final = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_CORRUPT})


class Transactions:
    """Owns the connection that writes. Used on one thread.

    `relieve` is asked when the disk is full, and says whether it made some room. `failed` hears of the fault after
    which nothing can be stored any more.
    """

    def __init__(
        self, connection: sqlite3.Connection, relieve: Callable[[], bool], failed: Callable[[StoreError], object]
    ) -> None:
        self._connection = connection
        self._relieve = relieve
        self._failed = failed
        self.over = False
        """Nothing is stored any more."""
        self.unclean = False
        """Whether the write-ahead log may still hold what was withdrawn."""
        self._behind = 0
        # SQLite's own checkpoints would keep a failing sync to themselves, and try again.
        connection.execute("PRAGMA wal_autocheckpoint = 0")

    def run(self, work: Callable[[sqlite3.Connection], T], weight: int = 0) -> T:
        """`work` in a transaction; `weight` is about how many bytes it writes.

        Raises `Refused` or `StoreError` when nothing of it is stored, `Unsure` when that is not known.
        """
        if self.over:
            raise Refused("busy", "the server's disk has failed; nothing is stored until the server is started again")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            result = work(self._connection)
            self._connection.execute("COMMIT")
            self._behind += _COMMIT_BYTES + weight
            return result
        except Exception as exc:
            self._undo()
            if _code(exc) != sqlite3.SQLITE_FULL:
                raise self._fault(exc) from exc
            if not self._relieve():
                raise Refused("disk_full", "the server's disk is full; nothing was stored") from exc
        return self.run(work, weight)

    def checkpoint(self) -> None:
        """Carry the write-ahead log over into the database, if it has grown enough; readers are not waited for.

        While it is unclean it is emptied as well, as soon as nobody reads.
        """
        if self.over or not (self.unclean or self._behind >= CHECKPOINT_BYTES):
            return
        self._behind = 0
        try:
            if self.unclean:
                self.unclean = not scrub(self._connection)
            else:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as exc:  # a full disk: what is in the write-ahead log is safe there
            self.unclean = False  # once more with the next withdrawal, or when the log is closed
            logger.warning("no checkpoint: %s", self._fault(exc))

    def _undo(self) -> None:
        if self._connection.in_transaction:  # SQLITE_FULL has rolled back by itself
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                logger.exception("rolling back failed")

    def _fault(self, exc: Exception) -> StoreError:
        if _code(exc) not in _UNSURE:
            return StoreError(f"log: {exc}")
        self.over = True
        fault = Unsure(f"log: {exc}")
        self._failed(fault)
        return fault


def _code(exc: Exception) -> int | None:
    return getattr(exc, "sqlite_errorcode", None)
