"""A room is a log, and everyone in it a cursor: append, join, advance.

The log announces an entry, the room puts it on its tail, and the fan-out brings every seat up to it. Presence and
transfers reach seats the same way, from boards instead of the log.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from bridge import gate
from bridge.board import Board
from bridge.fanout import FanOut, Seat
from bridge.log import Log, Page
from bridge.model import Draft, Entry, Gap, Hello, Peer, Refused, Rule, Signal, Stored, Transfer, Via
from bridge.pace import Pace
from bridge.people import People
from bridge.rules import Rules
from bridge.tail import Form, Tail
from bridge.tally import Tally

HISTORY_ENTRIES: Final = 50
"""What a newcomer is shown who does not say where to start."""
PRESENCE_S: Final = 0.25
TRANSFER_S: Final = 0.1
TRANSFER_KEPT_S: Final = 60.0
"""How long an ended transfer stays on its board, for seats that are behind."""
CROWD: Final = 200
"""Above this many peers only their number is told."""


class Cursor:
    """A peer's place in a room: the number of the last entry it was handed, and how far it knows the boards."""

    __slots__ = ("host", "peer", "peers_known", "quiet", "room", "seat", "seq", "transfers_known")

    def __init__(self, room: Room, peer: Peer, seat: Seat, seq: int) -> None:
        self.room = room
        self.peer = peer
        self.seat = seat
        self.seq = seq
        self.host = False  # rules the house, and hears what only its hosts hear
        self.quiet = False  # takes part, but does not want to hear the room
        self.peers_known = 0  # a version of the board; negative: told of that version only the number
        self.transfers_known = 0

    def tell(self, *said: Entry | Signal) -> None:
        """Say something to this seat alone."""
        form = self.seat.form
        self.seat.deliver(form.frame([form.encode(one) for one in said]))

    def rename(self, wanted: str) -> Peer:
        """Take `wanted` as name, or the nearest that is free. Raises `Refused` `bad_name`."""
        return self.room.rename(self, gate.clean_name(wanted))

    def leave(self) -> None:
        """Get up; harmless when done already."""
        self.room.leave(self)


class Room:
    """One room: its log, its tail, its people and their cursors."""

    def __init__(self, name: str, log: Log, tally: Tally) -> None:
        self.name = name
        self.tally = tally
        self.epoch = log.epoch
        self.people = People(CROWD)
        self.rules = Rules()
        self.transfers: Board[Transfer] = Board()
        self._log = log
        self._tail = Tail()
        self._primed = False
        self._trimmed = 0
        self._cursors: dict[Cursor, None] = {}
        self._fan_out = FanOut(name, log, self._tail, self._cursors.keys())
        self._presence = Pace(self._tell_presence)
        self._progress = Pace(self._tell_transfers)
        self._moved = asyncio.Event()

    @property
    def last_seq(self) -> int:
        return self._tail.last_seq

    @property
    def seats(self) -> int:
        return len(self._cursors)

    def lags(self) -> Iterator[tuple[Via, int]]:
        """Of every seat the way its peer came, and by how much its number is behind the newest."""
        return ((cursor.peer.via, max(0, self.last_seq - cursor.seq)) for cursor in self._cursors)

    async def prime(self) -> None:
        """Take up where the log stands. What it announces meanwhile is kept, so nothing falls between."""
        if not self._primed:
            held = await self._log.rules(self.name)
            page = await self._log.newest(self.name, HISTORY_ENTRIES)
            if not self._primed:
                for one in held:
                    self.rules.take(one.seq, one.rule)
                whole = len(page.entries) < HISTORY_ENTRIES
                floor = page.entries[0].seq - 1 if not whole else page.gap.end or 0 if page.gap else 0
                self._tail.prime(page.entries, floor, whole)
                self._primed = True
                self.forget(self._trimmed)  # meanwhile

    # Speaking

    def append(self, draft: Draft) -> asyncio.Future[Stored]:
        """Speak: the future answers when the entry is durable.

        Raises `Refused` when the draft breaks a rule or too many wait; the future raises as `Log.append` says.
        """
        self.rules.check(draft, _now())
        return self._log.append(gate.check(draft))

    def allow(self, sender: Peer, host: bool) -> None:
        """Raises `Refused` `forbidden` for one who may not speak here just now: to be asked before a file is taken."""
        if not host:
            self.admit(sender)
            self.rules.hear(sender)

    def advance(self, entry: Entry) -> None:
        """The log announces; the room obeys."""
        self._tail.push(entry)
        self._fan_out.ask()
        if entry.rule is not None:
            self.rules.take(entry.seq, entry.rule)
            self._obey(entry.rule)

    def _obey(self, rule: Rule) -> None:
        """What a new rule does to those who sit here."""
        match rule:
            case Rule(rename=Peer(id), name=str(name)) if name:
                for cursor in self._seated(id)[:1]:  # its other seats share the name
                    self._call(cursor, name)
            case Rule(remove=Peer()):
                for cursor in list(self._cursors):
                    self._show_out(cursor)

    def _show_out(self, cursor: Cursor) -> None:
        try:
            self.admit(cursor.peer, cursor.host)
        except Refused as refused:
            self.leave(cursor)
            cursor.seat.show_out(refused)

    def forget(self, up_to: int) -> None:
        """The log keeps nothing up to this number any more; whoever has yet to read it will be told."""
        self._trimmed = up_to
        if self._primed:
            self._tail.forget(up_to)

    # Reading

    async def place(self, after: int | None, epoch: str | None) -> tuple[int, Gap | None]:
        """Where a reader starts, and the gap it must hear of first (`docs/protocols/browser.md`).

        `after` None: before the newest 50; -1: at the end; N: behind N, unless that is of another epoch or yet to come.
        """
        if after == -1:
            return self.last_seq, None
        if after is not None and after <= self.last_seq and epoch in (None, self.epoch):
            return after, None
        start = self._tail.newest_start(HISTORY_ENTRIES)
        if start is None:
            page = await self._log.newest(self.name, HISTORY_ENTRIES)
            start = page.entries[0].seq - 1 if page.entries else 0
        return start, None if after is None else Gap(None, None)

    async def history(self, limit: int) -> Page:
        """The newest `limit` entries."""
        return await self._log.newest(self.name, limit)

    # Sitting

    def admit(self, peer: Peer, host: bool = False) -> None:
        """Raises `Refused` `forbidden` for one whom a host removed."""
        if not host:
            self.rules.admit(peer, _now())

    def join(self, peer: Peer, seat: Seat, after: int, host: bool = False) -> Cursor:
        """Sit down behind entry `after`; `cursor.peer` has the name that was free. Raises as `admit` does."""
        self.admit(peer, host)
        name = self.rules.name_of(peer.id) or peer.name
        cursor = Cursor(self, self.people.sit(msgspec.structs.replace(peer, name=name)), seat, after)
        cursor.host = host
        version = self.people.board.version
        cursor.peers_known = -version if len(self.people) > CROWD else version  # in a crowd it is told of some only
        cursor.transfers_known = self.transfers.version
        self._share(cursor.peer)
        self._cursors[cursor] = None
        self._presence.ask()
        if after < self.last_seq:
            self._fan_out.ask()
        return cursor

    def digest(self, pin: str) -> str:
        """What is kept of a PIN: nobody works it out from this without the log's salt, which is kept with it."""
        salted = hashlib.blake2b(pin.encode(errors="replace"), key=self._log.salt, person=b"room's pin", digest_size=16)
        salted.update(self.name.encode())
        return salted.hexdigest()

    async def opened_by(self, digest: str) -> bool:
        """Whether this is the digest of its PIN."""
        shown = digest.encode(errors="replace")
        return any(one.pin and hmac.compare_digest(one.pin.encode(), shown) for one in await self._log.rules(self.name))

    def named(self, id: str, wish: str) -> str:
        """What somebody is called who speaks as `wish`: that, if it is free, unless a host said another."""
        return self.people.free_name(self.rules.name_of(id) or wish, id)

    def known(self, id: str) -> Peer | None:
        """Somebody who is here, spoke lately, or is held by a rule."""
        return self.people.get(id) or self.rules.told_of(id) or self._tail.speaker(id)

    def hosted(self, id: str) -> bool:
        """Whether this peer rules the house."""
        return any(cursor.host for cursor in self._seated(id))

    def rename(self, cursor: Cursor, wanted: str) -> Peer:
        """Raises `Refused` `forbidden` for one whom a host has named."""
        if self.rules.name_of(cursor.peer.id) and not cursor.host:
            raise Refused("forbidden", "a host named you, and may let you choose again")
        return self._call(cursor, wanted)

    def _call(self, cursor: Cursor, wanted: str) -> Peer:
        peer = self.people.rename(cursor.peer.id, wanted)
        if peer and peer != cursor.peer:
            cursor.peer = peer
            self._share(peer)
            self._presence.ask()
        return cursor.peer

    def leave(self, cursor: Cursor) -> None:
        if cursor in self._cursors:
            del self._cursors[cursor]
            self._fan_out.leave(cursor)
            self.people.stand(cursor.peer.id)
            self._presence.ask()

    def _seated(self, id: str) -> list[Cursor]:
        return [cursor for cursor in self._cursors if cursor.peer.id == id]

    def _share(self, peer: Peer) -> None:
        """All seats of a peer go by its latest name."""
        if self.people.seats_of(peer.id) > 1:
            for cursor in self._cursors:
                if cursor.peer.id == peer.id:
                    cursor.peer = peer

    # Signals

    def say(self, signal: Signal, apart_from: Cursor | None = None) -> None:
        """A word that is never stored, to all who have a word for it and are not behind with their reading."""
        made: dict[Form, Any] = {}
        for cursor in list(self._cursors):
            form = cursor.seat.form
            if form.signals and cursor is not apart_from and not cursor.seat.full():
                if form not in made:
                    made[form] = form.frame([form.encode(signal)])
                cursor.seat.deliver(made[form])

    def tell_hosts(self, signal: Signal) -> None:
        """A word for those alone who rule the house."""
        for cursor in list(self._cursors):
            if cursor.host and cursor.seat.form.signals:
                cursor.tell(signal)

    def progress(self, transfer: Transfer) -> None:
        """Where a transfer stands now; ended ones are forgotten after a while."""
        self.transfers.put(transfer.id, transfer)
        if transfer.state in ("done", "failed"):
            asyncio.get_running_loop().call_later(TRANSFER_KEPT_S, self.transfers.drop, transfer.id)
        self._progress.ask()
        self._moved.set()
        self._moved = asyncio.Event()

    async def moved(self, transfer: Transfer) -> Transfer | None:
        """What is told of this transfer once it is something else than this; None when it is told of no more."""
        while (now := self.transfers.get(transfer.id)) is transfer:
            await self._moved.wait()
        return now

    def hello(self, cursor: Cursor, client: str) -> Hello:
        """The first word to a seat that has words for signals."""
        return Hello(
            room=self.name,
            epoch=self.epoch,
            last_seq=self.last_seq,
            client=client,
            you=cursor.peer,
            peers=self.people.some(),
            count=len(self.people),
            transfers=self.running(),
            host=cursor.host,
            rules=self.rules.now,
        )

    def running(self) -> list[Transfer]:
        """The transfers that have not ended."""
        return [transfer for transfer in self.transfers if transfer.state in ("receiving", "paused")]

    def _tell_presence(self) -> float:
        version = self.people.board.version
        crowded = len(self.people) > CROWD
        made: dict[tuple[Form, int], Any] = {}
        for cursor in list(self._cursors):
            form, known = cursor.seat.form, cursor.peers_known
            if not form.signals or abs(known) == version:
                continue
            if cursor.seat.full():
                self._presence.ask(PRESENCE_S)
                continue
            if (form, known) not in made:
                made[form, known] = form.frame([form.encode(news) for news in self.people.news(known)])
            cursor.seat.deliver(made[form, known])
            cursor.peers_known = -version if crowded else version
        return PRESENCE_S

    def _tell_transfers(self) -> float:
        version = self.transfers.version
        made: dict[tuple[Form, int], Any] = {}
        for cursor in list(self._cursors):
            form, known = cursor.seat.form, cursor.transfers_known
            if not form.signals or known == version:
                continue
            if cursor.seat.full():
                self._progress.ask(TRANSFER_S)
                continue
            if (form, known) not in made:
                changes = self.transfers.since(known)
                moved = list(self.transfers) if changes is None else changes.new + changes.changed
                made[form, known] = form.frame([form.encode(transfer) for transfer in moved]) if moved else None
            if made[form, known] is not None:
                cursor.seat.deliver(made[form, known])
            cursor.transfers_known = version
        return TRANSFER_S


def _now() -> int:
    return int(time.time() * 1000)
