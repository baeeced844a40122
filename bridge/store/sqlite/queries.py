"""What is asked of a log: pages of entries, the rooms, a file; and how a row becomes an entry."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple

import msgspec

from bridge.log import Held, Page, RoomInfo
from bridge.model import Entry, FileRef, Gap, Peer, Refused, Rule

# Of what was withdrawn the sender stays, so that a host's deed can be told for what it is.
_WHOSE: Final = "(SELECT sender FROM entry AS gone WHERE gone.seq = entry.withdraws AND gone.author <> entry.author)"
_COLUMNS: Final = (
    "entry.seq, entry.at, room.name, entry.key, entry.sender, entry.text, entry.file, entry.withdraws, "
    f"{_WHOSE}, entry.rule"
)
_FROM: Final = f"SELECT {_COLUMNS} FROM entry JOIN room ON room.id = entry.room"  # noqa: S608
_BY_KEY: Final = f"{_FROM} WHERE entry.room = ? AND entry.author = ? AND entry.key = ?"
_BY_FILE: Final = f"{_FROM} WHERE entry.file_id = ?"
_FILES: Final = f"{_FROM} WHERE entry.room = ? AND entry.file IS NOT NULL ORDER BY entry.seq"
_STANDS: Final = "coalesce(entry.text, entry.file, entry.withdraws, entry.rule) IS NOT NULL"
# One peer's entries are found by walking the room: 100,000 of others' take 50 ms, on a reader's thread.
_SENT_BY: Final = f"{_STANDS} AND ? IN (json_extract(entry.sender, '$.id'), json_extract(entry.sender, '$.name'))"
_AFTER, _AFTER_BY = (
    f"{_FROM} WHERE entry.room = ? AND entry.seq > ? AND {which} ORDER BY entry.seq LIMIT ?"
    for which in (_STANDS, _SENT_BY)
)
_BEFORE, _BEFORE_BY = (
    f"{_FROM} WHERE entry.room = ? AND entry.seq < ? AND {which} ORDER BY entry.seq DESC LIMIT ?"
    for which in (_STANDS, _SENT_BY)
)
_STANDING: Final = (
    f"SELECT author, sender, withdraws, rule, file_id FROM entry WHERE room = ? AND seq = ? AND {_STANDS}"  # noqa: S608
)
_ROOMS: Final = (
    "SELECT name, (SELECT max(seq) FROM entry WHERE room = room.id) AS last "
    "FROM room WHERE last IS NOT NULL ORDER BY name"
)

_HELD: Final = "SELECT seq, rule, pin FROM rule WHERE room = ? ORDER BY seq"

_peer = msgspec.json.Decoder(Peer)
_rule = msgspec.json.Decoder(Rule)
_file = msgspec.json.Decoder(FileRef)


def read(connection: sqlite3.Connection, name: str, after: int, limit: int, sender: str | None = None) -> Page:
    room, trimmed = _room(connection, name)
    gap = Gap(after + 1, trimmed) if after < trimmed else None
    return Page(_entries(connection.execute(*_stretch(_AFTER, _AFTER_BY, room, after, limit, sender))), gap)


def newest(
    connection: sqlite3.Connection, name: str, limit: int, before: int | None, sender: str | None = None
) -> Page:
    room, trimmed = _room(connection, name)
    top = 2**63 - 1 if before is None else before
    entries = _entries(connection.execute(*_stretch(_BEFORE, _BEFORE_BY, room, top, limit, sender)))[::-1]
    return Page(entries, Gap(1, trimmed) if trimmed and len(entries) < limit else None)


def _stretch(
    whole: str, sent: str, room: int, place: int, limit: int, sender: str | None
) -> tuple[str, tuple[int | str, ...]]:
    """The query, and what fills its blanks."""
    return (whole, (room, place, limit)) if sender is None else (sent, (room, place, sender, limit))


def rooms(connection: sqlite3.Connection) -> list[RoomInfo]:
    return [RoomInfo(name, last) for name, last in connection.execute(_ROOMS)]


def rules(connection: sqlite3.Connection, name: str) -> list[Held]:
    room, _trimmed = _room(connection, name)
    return [Held(seq, _rule.decode(rule), pin) for seq, rule, pin in connection.execute(_HELD, (room,))]


def by_file(connection: sqlite3.Connection, id: str) -> Entry | None:
    row = connection.execute(_BY_FILE, (id,)).fetchone()
    return _entry(row) if row else None


def files_of(connection: sqlite3.Connection, name: str) -> list[Entry]:
    room, _trimmed = _room(connection, name)
    return _entries(connection.execute(_FILES, (room,)))


def by_key(connection: sqlite3.Connection, room: int, author: str, key: str) -> Entry | None:
    """The entry that is stored under this key. Raises `Refused` `not_found` if it was withdrawn."""
    row = connection.execute(_BY_KEY, (room, author, key)).fetchone()
    if row is None:
        return None
    entry = _entry(row)
    if entry.text is None and entry.file is None and entry.withdraws is None and entry.rule is None:
        raise Refused("not_found", f"it was said before, as {entry.seq}, and withdrawn")
    return entry


class Standing(NamedTuple):
    """What decides whether an entry may be withdrawn, and the id of its file."""

    author: str
    sender: str
    withdraws: int | None
    rule: str | None
    file: str | None

    @property
    def peer(self) -> Peer:
        return _peer.decode(self.sender)


def standing(connection: sqlite3.Connection, room: int, seq: int) -> Standing | None:
    """An entry of this room that was not withdrawn."""
    row = connection.execute(_STANDING, (room, seq)).fetchone()
    return Standing(*row) if row else None


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
    seq, at, room, key, sender, text, file, withdraws, whose, rule = row
    return Entry(
        type=kind(withdraws, file, rule),
        seq=seq,
        at=at,
        room=room,
        key=key,
        sender=_peer.decode(sender),
        text=text,
        file=_file.decode(file) if file is not None else None,
        withdraws=withdraws,
        whose=_peer.decode(whose) if whose is not None else None,
        rule=_rule.decode(rule) if rule is not None else None,
    )


def kind(withdraws: object, file: object, rule: object) -> Literal["text", "file", "withdraw", "rule"]:
    """The type of an entry by what it has."""
    if withdraws is not None:
        return "withdraw"
    return "rule" if rule is not None else "text" if file is None else "file"
