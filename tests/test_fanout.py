"""Many seats, one log: who is handed what, made how often, and how those behind come forward."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from bridge import fanout, rows, tail
from bridge.model import Entry, StoreError
from bridge.room import Room
from bridge.store.sqlite import SqliteLog
from bridge.tail import TAIL_MAX_ENTRIES
from bridge.wire.events import LinesForm
from bridge.wire.line import LineForm
from tests.support.seats import Notebook, Objects, peer, say, sit, until, withdraw


class Straight(Notebook):
    """A seat whose quick way takes as much as its `appetite` says; None: it fails."""

    def __init__(self, form: Any, appetite: int | None) -> None:
        super().__init__(form)
        self.appetite = appetite
        self.taken = b""

    @property
    def straight(self) -> Any:
        return None if self.blocked else self._take

    def _take(self, frame: bytes) -> int:
        if self.appetite is None:
            raise BrokenPipeError
        self.taken += frame[: self.appetite]
        return min(self.appetite, len(frame))

    def deliver(self, frame: bytes) -> None:
        self.taken += frame


async def test_what_the_quick_way_does_not_take_is_delivered_and_the_full_come_later(room: Room) -> None:
    form = LinesForm(chunked=False)
    seats = [Straight(form, appetite) for appetite in (10_000, 0, 7, None) * 5]
    for number, seat in enumerate(seats):
        room.join(peer(f"peer {number}"), seat, 0)
    late = seats[::3]
    for seat in late:
        seat.blocked = True
    for number in range(30):
        await say(room, f"number {number}")
    await until(lambda: all(b"number 29" in seat.taken for seat in seats if seat not in late))
    for seat in late:
        assert b"number" not in seat.taken
        seat.blocked = False
    await until(lambda: all(b"number 29" in seat.taken for seat in seats))
    for seat in seats:
        heard = [one for line in seat.taken.splitlines() if "seq" in (one := json.loads(line))]
        assert [one["text"] for one in heard] == [f"number {number}" for number in range(30)]


async def test_seats_at_one_place_are_handed_the_same_object_encoded_once(room: Room) -> None:
    form = Objects()
    seats = [sit(room, f"peer {number}", form)[0] for number in range(50)]
    await until(lambda: all(seat.heard("presence") for seat in seats[:-1]))
    for seat in seats:
        seat.frames.clear()
    form.encoded.clear()
    await say(room, "one", "two")
    await until(lambda: all(seat.texts() == ["one", "two"] for seat in seats))
    for frames in zip(*(seat.frames for seat in seats), strict=True):
        assert len({id(frame) for frame in frames}) == 1
    assert len(form.encoded) == 2


@pytest.mark.parametrize(("entries", "waits"), [(0, False), (1, False), (2, True), (10, True)])
async def test_a_row_keeps_a_distance_only_when_entries_came_together(room: Room, entries: int, waits: bool) -> None:
    sit(room, "reader", Objects())
    for number in range(entries):
        room._tail.push(Entry("text", number + 1, 0, "lobby", "k", peer("x"), text="hi"))
    assert (room._fan_out._deliver() > 0) is waits


async def test_what_is_said_during_a_round_goes_with_the_rows_still_to_come(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One leaves for another room meanwhile, and hears no more of this one; one comes, and hears it all."""
    monkeypatch.setattr(rows, "ROW_SEATS", 2)
    form = Objects()
    seats, cursors = zip(*(sit(room, f"peer {number}", form, after=0) for number in range(6)), strict=True)
    await until(lambda: all(seat.heard("presence") for seat in seats[:-1]))
    came: list[Notebook] = []

    def meanwhile(frame: Any, deliver: Any = seats[1].deliver) -> None:
        deliver(frame)
        if not came:
            room._tail.push(Entry("text", 2, 0, "lobby", "k2", peer("x"), text="two"))
            room._fan_out.ask()
            cursors[5].leave()
            came.append(sit(room, "late", form, after=0)[0])

    seats[1].deliver = meanwhile
    room._tail.push(Entry("text", 1, 0, "lobby", "k1", peer("x"), text="one"))
    room._fan_out.ask()
    await until(lambda: came and all(seat.texts() == ["one", "two"] for seat in [*seats[:5], *came]))
    assert seats[5].texts() == []
    together = [sum("text" in str(frame) for frame in seat.frames) for seat in seats[:5]]
    assert together == [2, 2, 1, 1, 1]


async def test_a_full_seat_is_passed_over_and_catches_up_from_the_tail(room: Room) -> None:
    form = Objects()
    slow, _ = sit(room, "slow", form)
    quick, _ = sit(room, "quick", form)
    slow.blocked = True
    await say(room, *(f"text {number}" for number in range(100)))
    await until(lambda: len(quick.texts()) == 100)
    assert slow.texts() == []
    slow.blocked = False
    await until(lambda: len(slow.texts()) == 100)
    assert slow.texts() == quick.texts()


async def test_below_the_tail_a_seat_is_fed_from_the_log_while_writes_go_on(room: Room) -> None:
    form = Objects()
    slow, cursor = sit(room, "slow", form)
    slow.blocked = True
    total = 3 * TAIL_MAX_ENTRIES
    for start in range(0, total, 256):
        await say(room, *(f"{number}" for number in range(start, start + 256)))
    assert cursor.seq < room._tail.floor
    slow.blocked = False
    for number in range(50):
        await say(room, f"{total + number}")
    await until(lambda: len(slow.texts()) >= total + 50)
    assert slow.texts() == [str(number) for number in range(total + 50)]


async def test_what_was_withdrawn_reaches_nobody_who_is_behind(room: Room) -> None:
    """One lags within the tail, one has fallen below it, one comes late; all hear why a number is missing."""
    form = Objects()
    old = (await say(room, "old and bad"))[0]
    fallen, below = sit(room, "fallen", form, after=0)
    fallen.blocked = True
    for start in range(0, 2 * TAIL_MAX_ENTRIES, 256):
        await say(room, *(f"{number}" for number in range(start, start + 256)))
    slow, behind = sit(room, "slow", form)
    slow.blocked = True
    said = [(await say(room, text))[0] for text in ("before", "bad", "after")]
    taken = [(await withdraw(room, one)).entry for one in (said[1], old)]
    late, _ = sit(room, "late", form, after=said[0].seq - 1)
    assert below.seq < room._tail.floor <= behind.seq < said[1].seq
    slow.blocked = fallen.blocked = False
    for seat, first in ((slow, said[0].seq), (fallen, 1), (late, said[0].seq)):
        await until(lambda seat=seat: len(seat.heard("withdraw")) == 2)
        assert [one["withdraws"] for one in seat.heard("withdraw")] == [said[1].seq, old.seq]
        assert "bad" not in " ".join(seat.texts())
        assert len(seat.texts()) == len(
            [seq for seq in range(first, taken[0].seq) if seq not in (old.seq, said[1].seq)]
        )
    assert [entry.seq for entry in (await room.history(4)).entries] == [
        said[0].seq,
        said[2].seq,
        *(one.seq for one in taken),
    ]


async def test_what_is_withdrawn_while_it_is_read_back_is_not_handed_out(log: SqliteLog, room: Room) -> None:
    form = Objects()
    bad = (await say(room, "bad", "worse"))[0]
    slow, cursor = sit(room, "slow", form, after=0)
    slow.blocked = True
    for start in range(0, 2 * TAIL_MAX_ENTRIES, 256):
        await say(room, *(f"{number}" for number in range(start, start + 256)))
    assert cursor.seq < room._tail.floor
    read, taken = log._on_reader, []

    async def slowly(*query: Any) -> Any:
        """The page is on its way from its thread when the withdrawal is announced."""
        page = await read(*query)
        if not taken:
            taken.append(None)
            await withdraw(room, bad)
        return page

    log._on_reader = slowly  # type: ignore[method-assign]
    slow.blocked = False
    await until(lambda: slow.heard("withdraw"))
    assert taken
    assert slow.texts()[0] == "worse"
    assert "bad" not in slow.texts()


async def test_a_form_without_echo_leaves_out_the_peers_own_words(room: Room) -> None:
    form = LineForm("http://h:1")
    alice, bob = Notebook(form), Notebook(form)
    room.join(peer("alice"), alice, 0)
    room.join(peer("bob"), bob, 0)
    await say(room, "one", sender=peer("alice"))
    await say(room, "two", sender=peer("bob"))
    await say(room, "three", "four", sender=peer("alice"))
    await until(lambda: len(b"".join(bob.frames).splitlines()) == 3 and alice.frames)
    assert b"".join(alice.frames) == b"[bob] two\n"
    assert b"".join(bob.frames) == b"[alice] one\n[alice] three\n[alice] four\n"


@pytest.mark.parametrize("seed", range(6))
async def test_seats_that_fill_and_drain_at_random_miss_and_repeat_nothing(
    room: Room, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tail of a few entries, frames of fewer, pages of fewer still: every seam between them is crossed often."""
    for name, value in (("TAIL_MAX_ENTRIES", 12), ("TAIL_MIN_ENTRIES", 4), ("STRETCH_MAX_ENTRIES", 3)):
        monkeypatch.setattr(tail, name, value)
    monkeypatch.setattr(fanout, "READ_BACK_ENTRIES", 5)
    monkeypatch.setattr(rows, "ROW_SEATS", 3)
    monkeypatch.setattr(fanout, "LAGGING_S", 0.0005)
    chance = random.Random(seed)
    form, line = Objects(), LineForm("http://h:1")
    browsers = [sit(room, f"browser {number}", form)[0] for number in range(5)]
    natives = {f"native {number}": Notebook(line) for number in range(5)}
    for name, seat in natives.items():
        room.join(peer(name), seat, 0)
    seats = [*browsers, *natives.values()]
    spoken: list[tuple[str, str]] = []
    for turn in range(60):
        for seat in seats:
            seat.blocked = chance.random() < 0.6
        name = chance.choice(list(natives))
        texts = [f"{turn}.{number}" for number in range(chance.randrange(6))]
        spoken += [(name, text) for text in texts]
        await say(room, *texts, sender=peer(name))
        if chance.random() < 0.2:
            late, _ = sit(room, f"late {turn}", form, after=0)
            browsers.append(late)
            seats.append(late)
    for seat in seats:
        seat.blocked = False
    everything = [text for _, text in spoken]
    await until(lambda: all(len(seat.texts()) >= len(everything) for seat in browsers))
    assert all(seat.texts() == everything for seat in browsers)
    for name, seat in natives.items():
        others = "".join(f"[{who}] {text}\n" for who, text in spoken if who != name).encode()
        await until(lambda seat=seat, others=others: len(b"".join(seat.frames)) >= len(others))
        assert b"".join(seat.frames) == others


async def test_a_log_that_cannot_be_read_makes_laggards_wait_and_nobody_else(
    room: Room, log: SqliteLog, monkeypatch: pytest.MonkeyPatch, faults_are_heard: list[Any]
) -> None:
    monkeypatch.setattr(tail, "TAIL_MAX_ENTRIES", 10)
    monkeypatch.setattr(tail, "TAIL_MIN_ENTRIES", 4)
    read, failing = log.read, True

    async def broken(*args: Any) -> Any:
        if failing:
            raise StoreError("the disk is on fire")
        return await read(*args)

    monkeypatch.setattr(log, "read", broken)
    slow, _ = sit(room, "slow", Objects())
    quick, _ = sit(room, "quick", Objects())
    slow.blocked = True
    for number in range(40):
        await say(room, str(number))
    slow.blocked = False
    await until(lambda: len(quick.texts()) == 40 and faults_are_heard)
    assert slow.texts() == []
    assert all("reading back failed in room lobby" in record.getMessage() for record in faults_are_heard)
    failing = False
    await until(lambda: len(slow.texts()) == 40)
    assert slow.texts() == quick.texts()
    faults_are_heard.clear()


async def test_who_leaves_while_it_is_read_to_hears_no_more(room: Room) -> None:
    slow, cursor = sit(room, "slow", Objects())
    slow.blocked = True
    for start in range(0, 2 * TAIL_MAX_ENTRIES, 256):
        await say(room, *(str(number) for number in range(start, start + 256)))
    slow.blocked = False
    await until(slow.texts)
    cursor.leave()
    heard = len(slow.frames)
    quick, _ = sit(room, "quick", Objects())
    await say(room, "after")
    await until(lambda: quick.texts() == ["after"])
    assert len(slow.frames) == heard
    assert room.seats == 1
