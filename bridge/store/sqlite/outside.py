"""A log from outside: what another process may do with it while a server writes to it, which nobody notices."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from bridge.model import Entry, Gap, StoreError
from bridge.store.sqlite import keeping, queries
from bridge.store.sqlite.schema import faults_named, version

PAGE: Final = 500


class Holds(NamedTuple):
    """What is in a log."""

    entries: int
    rooms: int
    last_seq: int


def snapshot(source: Path, target: Path) -> Holds:
    """Copy the log at one moment of its life. Raises `StoreError`.

    A reader's snapshot: the writer goes on, and only its write-ahead log grows meanwhile. The copy has no epoch, so
    that whoever opens it, however often it is copied, makes one of its own: it may give numbers a second time.
    """
    try:
        with closing(_open(source)) as log, closing(sqlite3.connect(target, isolation_level=None)) as copy:
            log.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, which a medium that cannot be written to may hold
            copy.execute("DELETE FROM meta WHERE name = 'epoch'")
            counts = "SELECT count(*), count(DISTINCT room), coalesce(max(seq), 0) FROM entry"
            return Holds(*copy.execute(counts).fetchone())
    except sqlite3.Error as exc:
        raise StoreError(f"{source} could not be copied to {target}: {exc}") from exc


def files(path: Path) -> Iterator[str]:
    """The id of each file that is kept. Raises `StoreError`."""
    after = 0
    with _asked(path) as log:
        while page := keeping.files(log, after, PAGE):
            yield from (id for _seq, id in page)
            after = page[-1][0]


def kept(path: Path) -> Iterator[Entry]:
    """The entry of each file that is kept, in all rooms. Raises `StoreError`."""
    with _asked(path) as log:
        for id in files(path):
            if entry := queries.by_file(log, id):
                yield entry


def named(path: Path, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that are files which are kept. Raises `StoreError`."""
    with _asked(path) as log:
        return keeping.named(log, ids)


def file_bytes(path: Path) -> int:
    """Bytes of all files that are kept; the same bytes count once. Raises `StoreError`."""
    with _asked(path) as log:
        return keeping.file_bytes(log, None)


def entries(path: Path, room: str) -> Iterator[Entry | Gap]:
    """Every entry that a room has by now, after the gap if there were more. Raises `StoreError`, also for no room."""
    with _asked(path) as log:
        newest = queries.newest(log, room, 1, None)
        if not newest.entries and not newest.gap:
            raise StoreError(f"there is no room {room} in {path}")
        after, last = 0, newest.entries[-1].seq if newest.entries else 0
        while True:
            page = queries.read(log, room, after, PAGE)
            if page.gap:  # at its beginning, or because it is being trimmed just now
                yield page.gap
            yield from page.entries
            if not page.entries or page.entries[-1].seq >= last:
                return
            after = page.entries[-1].seq


@contextmanager
def _asked(path: Path) -> Iterator[sqlite3.Connection]:
    with faults_named(path), closing(_open(path)) as log:
        version(log, path)
        yield log


def _open(path: Path) -> sqlite3.Connection:
    """Of a log that is there; none is made."""
    log = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None)
    log.execute("PRAGMA query_only = ON")
    return log
