"""What is asked of a log: pages of entries, the rooms, a file; and how a row becomes an entry."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from bridge.log import Page, RoomInfo
from bridge.model import Entry, FileRef, Gap, Peer

_COLUMNS: Final = "entry.seq, entry.at, room.name, entry.key, entry.sender, entry.text, entry.file"
_FROM: Final = f"SELECT {_COLUMNS} FROM entry JOIN room ON room.id = entry.room"  # noqa: S608
_BY_KEY: Final = f"{_FROM} WHERE entry.room = ? AND entry.author = ? AND entry.key = ?"
_BY_FILE: Final = f"{_FROM} WHERE entry.file_id = ?"
_AFTER: Final = f"{_FROM} WHERE entry.room = ? AND entry.seq > ? ORDER BY entry.seq LIMIT ?"
_BEFORE: Final = f"{_FROM} WHERE entry.room = ? AND entry.seq < ? ORDER BY entry.seq DESC LIMIT ?"
_ROOMS: Final = (
    "SELECT name, (SELECT max(seq) FROM entry WHERE room = room.id) AS last "
    "FROM room WHERE last IS NOT NULL ORDER BY name"
)

_peer = msgspec.json.Decoder(Peer)
_file = msgspec.json.Decoder(FileRef)


def read(connection: sqlite3.Connection, name: str, after: int, limit: int) -> Page:
    room, trimmed = _room(connection, name)
    gap = Gap(after + 1, trimmed) if after < trimmed else None
    return Page(_entries(connection.execute(_AFTER, (room, after, limit))), gap)


def newest(connection: sqlite3.Connection, name: str, limit: int, before: int | None) -> Page:
    room, trimmed = _room(connection, name)
    rows = connection.execute(_BEFORE, (room, 2**63 - 1 if before is None else before, limit))
    entries = _entries(rows)[::-1]
    return Page(entries, Gap(1, trimmed) if trimmed and len(entries) < limit else None)


def rooms(connection: sqlite3.Connection) -> list[RoomInfo]:
    return [RoomInfo(name, last) for name, last in connection.execute(_ROOMS)]


def by_file(connection: sqlite3.Connection, id: str) -> Entry | None:
    row = connection.execute(_BY_FILE, (id,)).fetchone()
    return _entry(row) if row else None


def by_key(connection: sqlite3.Connection, room: int, author: str, key: str) -> Entry:
    """The entry that is stored under this key."""
    return _entry(connection.execute(_BY_KEY, (room, author, key)).fetchone())


def chosen(connection: sqlite3.Connection, name: str, rest: str, *values: object) -> list[Entry]:
    """Entries of a room by the rest of a query, which goes on behind its FROM and whose first blank is the room."""
    return _entries(connection.execute(f"{_FROM} {rest}", (_room(connection, name)[0], *values)))


def _room(connection: sqlite3.Connection, name: str) -> tuple[int, int]:
    """The room's id and the number up to which it was trimmed; `(0, 0)` for a room that has no entry."""
    row = connection.execute("SELECT id, trimmed FROM room WHERE name = ?", (name,)).fetchone()
    return row or (0, 0)


def _entries(rows: Iterable[tuple[Any, ...]]) -> list[Entry]:
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, room, key, sender, text, file = row
    return Entry(
        type="text" if file is None else "file",
        seq=seq,
        at=at,
        room=room,
        key=key,
        sender=_peer.decode(sender),
        text=text,
        file=_file.decode(file) if file is not None else None,
    )
