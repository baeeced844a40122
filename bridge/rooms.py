"""All the rooms of one log, each open as long as somebody holds it, and the one who tells authors apart."""

from __future__ import annotations

import hashlib
from typing import NamedTuple
from weakref import WeakValueDictionary

from bridge import gate
from bridge.log import Log, RoomInfo
from bridge.model import Entry
from bridge.room import Room


class Author(NamedTuple):
    """Who a client secret stands for: `key` in the log, never shown; `id` to everybody."""

    key: str
    id: str


class Rooms:
    """Rooms by name. A room is made by its first entry; until then it is only a place to wait."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._open: WeakValueDictionary[str, Room] = WeakValueDictionary()
        log.on_entry = self._obey
        log.on_trim = self._forget

    async def get(self, name: str) -> Room:
        """The room, standing where its log stands. Raises `Refused` `bad_room`."""
        name = gate.clean_room(name)
        room = self._open.get(name)
        if room is None:
            room = self._open[name] = Room(name, self._log)
        await room.prime()
        return room

    async def all(self) -> list[RoomInfo]:
        """Every room that has entries."""
        return await self._log.rooms()

    def seats(self, name: str) -> int:
        """How many sit in a room just now."""
        room = self._open.get(name)
        return room.seats if room else 0

    def all_seats(self) -> int:
        """How many sit in all rooms just now."""
        return sum(room.seats for room in self._open.values())

    def author(self, client: str) -> Author:
        """Who `client` is, the same after a restart; nobody can work the secret out of the id."""
        key = hashlib.blake2b(client.encode(), key=self._log.salt, digest_size=16).hexdigest()
        return Author(key, f"p{key[:12]}")

    def _obey(self, entry: Entry) -> None:
        if room := self._open.get(entry.room):
            room.advance(entry)

    def _forget(self, name: str, up_to: int) -> None:
        if room := self._open.get(name):
            room.forget(up_to)
