"""All the rooms of one log, each open as long as somebody holds it, and the one who tells authors apart."""

from __future__ import annotations

import hashlib
import math
import time
from collections import Counter
from typing import NamedTuple
from weakref import WeakValueDictionary

from bridge import gate
from bridge.log import Log, RoomInfo
from bridge.model import Entry, Refused, Signal, Transfer, Via
from bridge.pins import Tries
from bridge.room import Room
from bridge.tally import Tally


class Author(NamedTuple):
    """Who a client secret stands for: `key` in the log, never shown; `id` to everybody."""

    key: str
    id: str


class Census(NamedTuple):
    """All rooms that somebody is in, at one moment. `lag_max` is in numbers, as entries of other rooms lie between."""

    rooms: int
    seats: Counter[Via]
    lagging: int
    lag_max: int
    uploads: int


class Rooms:
    """Rooms by name. A room is made by its first entry; until then it is only a place to wait."""

    def __init__(self, log: Log, tally: Tally | None = None) -> None:
        self.tally = tally or Tally()
        self._log = log
        self._open: WeakValueDictionary[str, Room] = WeakValueDictionary()
        self._tries = Tries()
        log.on_entry = self._obey
        log.on_trim = self._forget

    async def get(self, name: str) -> Room:
        """The room, standing where its log stands. Raises `Refused` `bad_room`."""
        name = gate.clean_room(name)
        room = self._open.get(name)
        if room is None:
            room = self._open[name] = Room(name, self._log, self.tally)
        await room.prime()
        return room

    async def enter(self, room: Room, pin: str | None, ip: str) -> None:
        """Raises `Refused` `forbidden` if the room has a PIN and this is not it, `rate_limited` after too many."""
        if not room.rules.now.pin:
            return
        if pin is None:
            raise Refused("forbidden", f"room {room.name} asks for a PIN")
        if wait := self._tries.wait(ip, time.monotonic()):
            raise Refused("rate_limited", f"too many wrong PINs; wait {math.ceil(wait / 60)} min")
        self._tries.wrong(ip, time.monotonic())  # until it is known to be right: many may be asked about at once
        if not await room.opened_by(room.digest(pin)):
            raise Refused("forbidden", f"this is not the PIN of room {room.name}")
        self._tries.right(ip)

    async def all(self) -> list[RoomInfo]:
        """Every room that has entries."""
        return await self._log.rooms()

    def coming(self, id: str) -> tuple[Room, Transfer] | None:
        """The file of this id that is on its way, and into which room."""
        for room in list(self._open.values()):
            transfer = room.transfers.get(id)
            if transfer is not None and transfer.state in ("receiving", "paused"):
                return room, transfer
        return None

    def seats(self, name: str) -> int:
        """How many sit in a room just now."""
        room = self._open.get(name)
        return room.seats if room else 0

    def census(self) -> Census:
        """Who sits where just now, and how far behind."""
        rooms = list(self._open.values())
        lags = [lag for room in rooms for lag in room.lags()]
        return Census(
            rooms=sum(room.seats > 0 for room in rooms),
            seats=Counter(via for via, _lag in lags),
            lagging=sum(lag > 0 for _via, lag in lags),
            lag_max=max((lag for _via, lag in lags), default=0),
            uploads=sum(len(room.running()) for room in rooms),
        )

    def tell_hosts(self, signal: Signal) -> None:
        """A word for those who rule the house, whichever room they sit in."""
        for room in list(self._open.values()):
            room.tell_hosts(signal)

    def author(self, client: str) -> Author:
        """Who `client` is, the same after a restart; nobody can work the secret out of the id."""
        key = hashlib.blake2b(client.encode(), key=self._log.salt, digest_size=16).hexdigest()
        return Author(key, f"p{key[:12]}")

    def _obey(self, entry: Entry) -> None:
        self.tally.announced(entry)
        if room := self._open.get(entry.room):
            room.advance(entry)

    def _forget(self, name: str, up_to: int) -> None:
        if room := self._open.get(name):
            room.forget(up_to)
