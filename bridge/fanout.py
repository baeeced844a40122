"""From one log to many seats: who stands at the same place is handed the same bytes, made once per language and row.

There is no queue and no task for a seat. One whose transport is full is passed over and stays behind; it is fed from
the tail, or from the log when it fell below the tail. Seats have their turn a row at a time, and what is said meanwhile
goes with the rows that are still to come.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, NamedTuple, Protocol

from bridge.log import Log
from bridge.model import Entry, Gap, Peer, Refused, Signal, StoreError
from bridge.pace import Pace
from bridge.rows import Rows
from bridge.tail import Form, Tail, Told, stretch

logger = logging.getLogger("roombridge.fanout")

ROUND_PAUSES_S: Final = 0.025
"""The distances between the rows of a round come to this at most, however busy the room is."""
ROW_COSTS: Final = 2
"""...and else one is this many times what the last row cost: nothing to speak of in a quiet room."""
LAGGING_S: Final = 0.05
"""How soon after a round a seat that was full is looked at again."""
READ_BACK_ENTRIES: Final = 256
READ_AGAIN_S: Final = 1.0
"""How soon after the log could not be read it is asked again."""


class Seat(Protocol):
    """Where a peer's transport meets the room."""

    @property
    def form(self) -> Form:
        """How this peer is told what was said."""

    @property
    def straight(self) -> Callable[[Any], int] | None:
        """While nothing waits to leave, the quick way: takes a frame and says how much of it, or raises `OSError`; the
        rest is to be delivered. None: only `deliver`."""

    def deliver(self, frame: Any) -> None:
        """Write what the form framed; never wait, never raise."""

    def full(self) -> bool:
        """Whether more than the high-water mark waits to leave, so that it had better be passed over."""

    def show_out(self, why: Refused) -> None:
        """Say why, and end it: a host removed this peer."""


class Reader(Protocol):
    """A place in the log with a seat that reads on from there."""

    @property
    def peer(self) -> Peer: ...

    @property
    def seat(self) -> Seat: ...

    @property
    def quiet(self) -> bool: ...

    seq: int

    def tell(self, *said: Entry | Signal) -> None: ...


class Stretch(NamedTuple):
    """Entries from one place on, framed for one language."""

    told: list[Told]
    form: Form
    frame: Any
    authors: frozenset[str]
    """Who may not hear all of it: in a language without an echo, those whose words are in it."""
    reached: int

    @classmethod
    def of(cls, told: list[Told], form: Form) -> Stretch:
        frame = form.frame([one.encoded(form) for one in told])
        authors = frozenset() if form.echo else frozenset(one.entry.sender.id for one in told)
        return cls(told, form, frame, authors, told[-1].entry.seq)

    def is_all(self, last: int) -> bool:
        """Whether its frame alone brings anybody who stands before it to `last`."""
        return self.reached == last and not self.authors

    def hand(self, reader: Reader) -> None:
        """To a seat that stands just before it."""
        reader.seq = self.reached
        if self.authors and reader.peer.id in self.authors:
            self._hand_others(reader)
        else:
            reader.seat.deliver(self.frame)

    def _hand_others(self, reader: Reader) -> None:
        """To one who does not hear its own words."""
        own = reader.peer.id
        if others := [one.encoded(self.form) for one in self.told if one.entry.sender.id != own]:
            reader.seat.deliver(self.form.frame(others))


class FanOut:
    """Brings the readers of one room forward; `readers` is a view of those who sit there just now."""

    def __init__(self, name: str, log: Log, tail: Tail, readers: Collection[Reader]) -> None:
        self._name = name
        self._log = log
        self._tail = tail
        self._readers = readers
        self._fallen: set[Reader] = set()
        self._reading_back: asyncio.Task[None] | None = None
        self._lagging = False
        self._rows = Rows(readers)
        self._flush = Pace(self._deliver)

    def ask(self, after: float = 0.0) -> None:
        """There is something that somebody has not been handed; or will be, in so many seconds."""
        self._rows.ask()
        self._flush.ask(after)

    def leave(self, reader: Reader) -> None:
        """Nothing more for this one."""
        self._fallen.discard(reader)
        self._rows.leave()

    def _deliver(self) -> float:
        """One row: whoever is behind and has room is brought forward."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        row, most = self._rows.next(), 1
        if not self._rows.over:
            self._flush.ask()  # whatever becomes of this row, the next one has its turn
        made: dict[tuple[Form, int], Stretch] = {}
        last, floor = self._tail.last_seq, self._tail.floor
        form, place, ahead = None, -1, None
        crowd, frame, size = -1, b"", 0  # at this place a seat of this form needs this frame and no more: nearly all do
        for reader in row:
            if reader.seq == last:
                continue
            seat = reader.seat
            straight = seat.straight
            if straight is not None and reader.seq == crowd and seat.form is form and not reader.quiet:
                reader.seq = last
                try:
                    sent = straight(frame)
                except OSError:
                    sent = 0
                if sent != size:
                    seat.deliver(frame[sent:])
                continue
            if reader.quiet:
                reader.seq = last
                self._fallen.discard(reader)
            while reader.seq < last:
                if reader.seq < floor:
                    self._fall_back(reader)
                    break
                if seat.full():
                    self._lagging = True
                    break
                if ahead is None or reader.seq != place or seat.form is not form:
                    form, place = seat.form, reader.seq
                    ahead = made.get((form, place))
                    if ahead is None:
                        ahead = made[form, place] = Stretch.of(self._tail.stretch(place), form)
                        most = max(most, len(ahead.told))
                    if ahead.is_all(last):
                        crowd, frame, size = place, ahead.frame, len(ahead.frame)
                    else:
                        crowd = -1
                ahead.hand(reader)
        longest = ROUND_PAUSES_S * len(row) / max(len(self._readers), 1)
        distance = min(longest, min(ROW_COSTS, most - 1) * (loop.time() - started))
        if self._lagging and self._rows.over:
            self._lagging = False
            self.ask(LAGGING_S)
        return distance

    def _fall_back(self, reader: Reader) -> None:
        """This one is below the tail: one task a room reads back from the log for all such."""
        self._fallen.add(reader)
        if self._reading_back is None:
            self._reading_back = asyncio.create_task(self._read_back(), name=f"read back {self._name}")

    async def _read_back(self) -> None:
        try:
            while self._fallen:
                ready = [reader for reader in self._fallen if not reader.seat.full()]
                if not ready:
                    await asyncio.sleep(LAGGING_S)
                    continue
                start = min(reader.seq for reader in ready)
                page = await self._log.read(self._name, start, READ_BACK_ENTRIES)
                told = [Told(entry) for entry in page.entries]
                together = [reader for reader in ready if reader.seq == start and reader in self._fallen]
                self._hand_page(together, told, page.gap)
        except StoreError:
            logger.exception("reading back failed in room %s; its %d laggards wait", self._name, len(self._fallen))
            asyncio.get_running_loop().call_later(READ_AGAIN_S, self.ask)
        finally:
            self._reading_back = None

    def _hand_page(self, readers: Iterable[Reader], told: list[Told], gap: Gap | None) -> None:
        made: dict[tuple[Form, int], Stretch] = {}
        for reader in readers:
            form = reader.seat.form
            if gap is not None:
                reader.tell(gap)
                reader.seq = gap.end or reader.seq
            done = 0
            while done < len(told) and not reader.seat.full():
                ahead = made.get((form, done))
                if ahead is None:
                    ahead = made[form, done] = Stretch.of(stretch(told, done), form)
                ahead.hand(reader)
                done += len(ahead.told)
            if reader.seq >= self._tail.floor:
                self._fallen.discard(reader)
                self.ask()
