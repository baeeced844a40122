"""Letting go of what is old: short steps that a writer does between two batches, and what a keeper asks before them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final, NamedTuple

from bridge.log import Trimmed
from bridge.store.sqlite.schema import DIGEST

STEP_ENTRIES: Final = 256
STEP_PAGES: Final = 256
SLACK: Final = 8
"""One page in so many may lie free: the next entries fill it, and nothing is moved for their sake."""

_OLDEST: Final = "SELECT at, seq, room, file_id FROM entry ORDER BY seq LIMIT ?"
_RELEASED: Final = "(SELECT value FROM meta WHERE name = 'released')"
_HELD: Final = f"file_id IS NOT NULL AND seq > {_RELEASED}"
_SAME_LATER: Final = f"SELECT 1 FROM entry WHERE {_HELD} AND {DIGEST} = held.digest AND seq > held.seq"  # noqa: S608
_OLDEST_FILES: Final = (
    f"SELECT at, seq, file_id, file_size * NOT EXISTS ({_SAME_LATER}) "  # noqa: S608
    f"FROM (SELECT at, seq, file_id, file_size, {DIGEST} AS digest FROM entry WHERE {_HELD} ORDER BY seq LIMIT ?) held"
)
_BYTES: Final = "SELECT coalesce(sum(size), 0) FROM (SELECT max(file_size) AS size FROM entry WHERE"
_FILE_BYTES: Final = f"{_BYTES} {_HELD} GROUP BY {DIGEST})"
_FILE_BYTES_OF: Final = f"{_BYTES} {_HELD} AND author = ? GROUP BY {DIGEST})"
_FIRST: Final = f"SELECT file_id FROM entry WHERE {_HELD} AND {DIGEST} = ? AND seq < ? ORDER BY seq LIMIT 1"  # noqa: S608
_FILES_AFTER: Final = f"SELECT seq, file_id FROM entry WHERE {_HELD} AND seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
_IS_HELD: Final = f"SELECT 1 FROM entry WHERE {_HELD} AND file_id = ?"  # noqa: S608


class Step(NamedTuple):
    """What a step let go, and up to which number each room was trimmed by it."""

    trimmed: Trimmed
    rooms: dict[str, int]


def trim(connection: sqlite3.Connection, before: int) -> Step:
    """The oldest entries go, as far as they are from before `before`."""
    old = _older(connection.execute(_OLDEST, (STEP_ENTRIES,)), before)
    if not old:
        return Step(Trimmed(0, []), {})
    connection.execute("DELETE FROM entry WHERE seq <= ?", (old[-1][1],))
    last = {room: seq for _at, seq, room, _file in old}
    rooms = {}
    for room, seq in last.items():
        (name,) = connection.execute("UPDATE room SET trimmed = ? WHERE id = ? RETURNING name", (seq, room)).fetchone()
        rooms[name] = seq
    return Step(Trimmed(len(old), [file for *_, file in old if file is not None]), rooms)


def release(connection: sqlite3.Connection, before: int, enough: int) -> Trimmed:
    """The bytes of the oldest files may go, as far as they are from before `before`, until that frees `enough`."""
    gone: list[str] = []
    for _at, seq, file, freed in _older(connection.execute(_OLDEST_FILES, (STEP_ENTRIES,)), before):
        if enough <= 0:
            break
        connection.execute("UPDATE meta SET value = ? WHERE name = 'released'", (seq,))
        gone.append(file)
        enough -= freed
    return Trimmed(len(gone), gone)


def shrink(connection: sqlite3.Connection) -> bool:
    """Give a little of the file's free space back to the disk; whether there is more to give."""
    pages, free = _pages(connection)
    if free * SLACK <= pages:
        return False
    for _ in range(STEP_PAGES):  # Python steps a statement without columns once, and once frees one page
        connection.execute("PRAGMA incremental_vacuum(1)")
    return True


def size(connection: sqlite3.Connection) -> int:
    pages, free = _pages(connection)
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return (pages - free) * int(page_bytes)


def file_bytes(connection: sqlite3.Connection, author: str | None) -> int:
    asked = connection.execute(_FILE_BYTES) if author is None else connection.execute(_FILE_BYTES_OF, (author,))
    return int(asked.fetchone()[0])


def first(connection: sqlite3.Connection, sha256: str, before: int) -> str | None:
    """The oldest file that is kept, of those before entry `before` with this digest."""
    row = connection.execute(_FIRST, (sha256, before)).fetchone()
    return row[0] if row else None


def files(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, str]]:
    return connection.execute(_FILES_AFTER, (after, limit)).fetchall()


def named(connection: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    return {id for id in ids if connection.execute(_IS_HELD, (id,)).fetchone()}


def _older(rows: sqlite3.Cursor, before: int) -> list[Any]:
    return list(takewhile(lambda row: row[0] < before, rows))


def _pages(connection: sqlite3.Connection) -> tuple[int, int]:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return pages, free
