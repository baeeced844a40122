"""A room over a real log, with seats that write down what they are handed."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.model import Draft, Gap, Refused, Transfer, Typing
from bridge.room import CROWD, Room
from bridge.rooms import Rooms
from bridge.store.sqlite import SqliteLog
from bridge.wire.line import LineForm
from tests.support.seats import Notebook, Objects, peer, say, sit, until, withdraw


async def test_a_draft_that_breaks_a_rule_is_refused_before_the_log(room: Room) -> None:
    with pytest.raises(Refused):
        room.append(Draft("lobby", "a", "k", peer("x"), text=""))
    assert room.last_seq == 0


async def test_a_room_that_is_opened_while_something_is_withdrawn_does_not_hold_it(log: SqliteLog, room: Room) -> None:
    entries = await say(room, *(f"{number}" for number in range(60)))
    read, taken = log._on_reader, []

    async def slowly(*query: Any) -> Any:
        page = await read(*query)
        if not taken:
            taken.append(None)
            await withdraw(room, entries[40])
        return page

    log._on_reader = slowly  # type: ignore[method-assign]
    again = await Rooms(log).get("lobby")
    seat, _ = sit(again, "late", Objects(), after=0)
    await until(lambda: seat.heard("withdraw"))
    assert seat.texts() == [f"{number}" for number in range(60) if number != 40]
    assert taken


async def test_said_and_withdrawn_in_one_breath_only_the_withdrawal_is_heard(room: Room) -> None:
    reader, _ = sit(room, "reader", LineForm("http://h:1"))
    author = peer("alice")
    said = room.append(Draft("lobby", author.id, "k", author, text="never heard"))
    taken = room.append(Draft("lobby", author.id, "w", author, withdraws=1))
    await asyncio.gather(said, taken)
    await say(room, "done")
    await until(lambda: b"done" in b"".join(reader.frames))
    assert b"".join(reader.frames) in (
        b"* [alice] withdrew a message\n[writer] done\n",
        b"[alice] never heard\n* [alice] withdrew a message\n[writer] done\n",  # the disk was slow between the two
    )


async def test_a_quiet_peer_hears_nothing_and_later_only_what_comes(room: Room) -> None:
    seat, cursor = sit(room, "device", Objects())
    cursor.quiet = True
    await say(room, "one")
    await until(lambda: cursor.seq == room.last_seq)
    cursor.quiet = False
    await say(room, "two")
    await until(seat.texts)
    assert seat.texts() == ["two"]


async def test_a_sender_cancelled_before_the_announcement_leaves_no_hole(room: Room) -> None:
    reader, _ = sit(room, "reader", Objects())
    for number in range(50):
        future = room.append(Draft("lobby", "a", f"c{number}", peer("a"), text=f"{number}"))
        future.cancel()
    await until(lambda: len(reader.texts()) == 50)
    assert reader.texts() == [str(number) for number in range(50)]


async def test_where_a_reader_starts(room: Room) -> None:
    assert await room.place(None, None) == (0, None)
    seqs = [entry.seq for entry in await say(room, *(f"{number}" for number in range(200)))]
    newest = seqs[-51]
    other_epoch = Gap(None, None)
    assert await room.place(None, None) == (newest, None)
    assert await room.place(-1, None) == (seqs[-1], None)
    assert await room.place(0, None) == (0, None)
    assert await room.place(seqs[7], room.epoch) == (seqs[7], None)
    assert await room.place(seqs[7], "another") == (newest, other_epoch)
    assert await room.place(seqs[-1] + 1, room.epoch) == (newest, other_epoch)


async def test_a_room_opened_anew_stands_where_its_log_stands(log: SqliteLog, room: Room) -> None:
    await say(room, *(f"{number}" for number in range(120)))
    again = await Rooms(log).get("lobby")
    assert again.last_seq == room.last_seq
    seat, _ = sit(again, "late", Objects(), after=0)
    await until(lambda: len(seat.texts()) == 120)
    assert seat.texts() == [str(number) for number in range(120)]


async def test_a_burst_of_joins_is_told_in_few_signals(room: Room) -> None:
    """2,000 joins in a second must not cost each seat 2,000 signals."""
    form = Objects()
    seats = [sit(room, "guest", form)[0]]
    for number in range(2000):
        seat = Notebook(form)
        room.join(peer("guest", f"p{number}"), seat, 0)
        seats.append(seat)
    await until(lambda: seats[0].heard("presence"))
    assert sum(len(seat.frames) for seat in seats) <= len(seats)
    assert seats[0].heard("presence") == [{"type": "presence", "count": 2001}]
    assert len({peer.name for peer in room.people}) == 2001


async def test_after_a_crowd_the_whole_list_is_told_again(room: Room) -> None:
    form = Objects()
    seat, _ = sit(room, "alice", form)
    others = [sit(room, f"guest {number}", form)[1] for number in range(CROWD)]
    await until(lambda: seat.heard("presence"))
    for cursor in others[1:]:
        cursor.leave()
    await until(lambda: "joined" in seat.heard("presence")[-1])
    told = seat.heard("presence")[-1]
    assert told["count"] == 2 and {one["name"] for one in told["joined"]} == {"alice", "guest 0"}


async def test_presence_tells_who_joined_left_and_changed_name(room: Room) -> None:
    seat, _ = sit(room, "alice", Objects())
    _, bob = sit(room, "bob", Objects())
    await until(lambda: seat.heard("presence"))
    assert [one["name"] for one in seat.heard("presence")[-1]["joined"]] == ["bob"]
    bob.rename("robert")
    await until(lambda: len(seat.heard("presence")) == 2)
    assert [one["name"] for one in seat.heard("presence")[-1]["renamed"]] == ["robert"]
    bob.leave()
    await until(lambda: len(seat.heard("presence")) == 3)
    assert seat.heard("presence")[-1] == {"type": "presence", "count": 1, "left": ["p-bob"]}


async def test_two_seats_of_one_author_are_one_peer(room: Room) -> None:
    _, first = sit(room, "alice", Objects())
    _, second = sit(room, "alice", Objects())
    assert (len(room.people), room.seats) == (1, 2)
    assert first.peer == second.peer
    second.rename("alicia")
    assert first.peer.name == "alicia"
    first.leave()
    first.leave()
    assert (len(room.people), room.seats) == (1, 1)


async def test_a_transfer_is_told_at_its_newest_and_its_end_is_never_missed(room: Room) -> None:
    seat, _ = sit(room, "alice", Objects())
    full, _ = sit(room, "slow", Objects())
    full.blocked = True
    for received in range(1000):
        room.progress(Transfer("t1", "a.bin", peer("x"), received, 1000, 0, "receiving"))
    room.progress(Transfer("t1", "a.bin", peer("x"), 1000, 1000, 0, "done"))
    await until(lambda: seat.heard("transfer"))
    assert len(seat.heard("transfer")) <= 2
    assert seat.heard("transfer")[-1]["state"] == "done"
    full.blocked = False
    await until(lambda: full.heard("transfer"))
    assert [one["state"] for one in full.heard("transfer")] == ["done"]
    assert room.running() == []


async def test_typing_reaches_all_others_who_have_a_word_for_it(room: Room) -> None:
    alice, cursor = sit(room, "alice", Objects())
    bob, _ = sit(room, "bob", Objects())
    nc = Notebook(LineForm("http://h:1"))
    room.join(peer("nc"), nc, 0)
    room.say(Typing(cursor.peer), apart_from=cursor)
    assert [one["from"]["name"] for one in bob.heard("typing")] == ["alice"]
    assert alice.heard("typing") == [] and nc.frames == []


async def test_what_is_no_longer_kept_is_told_as_a_gap_before_what_is(room: Room, tmp_path: Path) -> None:
    entries = await say(room, *(str(number) for number in range(80)))
    with closing(sqlite3.connect(tmp_path / "log.sqlite3")) as other, other:
        other.execute("DELETE FROM entry WHERE seq <= ?", (entries[19].seq,))
        other.execute("UPDATE room SET trimmed = ?", (entries[19].seq,))
    log = room._log
    again = await Rooms(log).get("lobby")
    seat, _ = sit(again, "late", Objects(), after=entries[4].seq)
    native = Notebook(LineForm("http://h:1"))
    again.join(peer("nc"), native, entries[4].seq)
    await until(lambda: len(seat.texts()) == 60 and len(b"".join(native.frames).splitlines()) == 61)
    assert b"".join(native.frames).startswith(b"* what was said before is no longer kept\n[writer] 20\n")
    told = [json.loads(one) for frame in seat.frames for one in frame]
    told = [one for one in told if one["type"] != "presence"]
    assert told[0] == {"type": "gap", "from": entries[4].seq + 1, "to": entries[19].seq}
    assert [one["seq"] for one in told[1:]] == [entry.seq for entry in entries[20:]]
    assert len(seat.heard("gap")) == 1


async def test_who_came_in_a_crowd_is_told_of_everybody_when_it_is_over(room: Room) -> None:
    """It was greeted with some of them only, so the difference alone would never name the others."""
    others = [sit(room, f"guest {number}", Objects())[1] for number in range(CROWD + 50)]
    seat, cursor = sit(room, "alice", Objects())
    assert len(room.hello(cursor, "c").peers) == CROWD
    for other in others[:100]:  # all at once, so that it never hears of a crowd in between
        other.leave()
    await until(lambda: seat.heard("presence"))
    number, told = seat.heard("presence")
    assert number == {"type": "presence", "count": CROWD + 51 - 100}, "so that it forgets those it was greeted with"
    assert told["count"] == len(told["joined"]) == CROWD + 51 - 100


async def test_a_full_seat_is_told_of_presence_when_it_drains(room: Room) -> None:
    slow, _ = sit(room, "slow", Objects())
    slow.blocked = True
    names = [sit(room, f"guest {number}", Objects())[1] for number in range(5)]
    names[0].leave()
    quick, _ = sit(room, "quick", Objects())
    room.join(peer("more"), Notebook(Objects()), 0)
    await until(lambda: quick.heard("presence"))
    assert slow.frames == []
    slow.blocked = False
    await until(lambda: slow.heard("presence"))
    (told,) = slow.heard("presence")
    assert {one["name"] for one in told["joined"]} >= {"guest 1", "guest 2", "guest 3", "guest 4", "quick", "more"}
    assert told["count"] == 7


async def test_what_is_trimmed_while_the_room_is_open_is_told_to_laggards_and_nobody_else(
    room: Room, log: SqliteLog
) -> None:
    entries = await say(room, *(str(number) for number in range(30)))
    slow, cursor = sit(room, "slow", Objects(), after=entries[2].seq)
    native = Notebook(LineForm("http://h:1"))
    lagging = room.join(peer("nc"), native, entries[2].seq)
    quick, _ = sit(room, "quick", Objects(), after=0)
    slow.blocked = native.blocked = True
    await until(lambda: len(quick.texts()) == 30)
    await trimmed_below(log, entries[20].seq)
    assert room.last_seq == entries[-1].seq
    slow.blocked = native.blocked = False
    await until(lambda: cursor.seq == lagging.seq == room.last_seq)
    assert slow.heard("gap") == [{"type": "gap", "from": entries[3].seq, "to": entries[19].seq}]
    assert slow.texts() == [str(number) for number in range(20, 30)]
    lines = b"".join(native.frames).decode().splitlines()
    assert lines == ["* what was said before is no longer kept", *(f"[writer] {number}" for number in range(20, 30))]
    assert quick.heard("gap") == []
    await say(room, "next")
    await until(lambda: slow.texts()[-1] == quick.texts()[-1] == "next")


async def trimmed_below(log: SqliteLog, seq: int) -> None:
    """All entries below this number go, as if they were old."""
    await log._chore(lambda connection: connection.execute("UPDATE entry SET at = 0 WHERE seq < ?", (seq,)).rowcount)
    while (await log.trim(1)).count:
        pass
    await asyncio.sleep(0)


async def test_a_room_of_which_nothing_is_left_still_knows_its_last_number(room: Room, log: SqliteLog) -> None:
    entries = await say(room, *(str(number) for number in range(5)))
    last = entries[-1].seq
    seat, cursor = sit(room, "slow", Objects(), after=0)
    seat.blocked = True
    await trimmed_below(log, last + 1)
    assert room.last_seq == last
    seat.blocked = False
    await until(lambda: cursor.seq == last)
    assert seat.heard("gap") == [{"type": "gap", "from": 1, "to": last}]
    assert seat.texts() == []
    reopened = await Rooms(log).get("lobby")
    for one in (room, reopened):
        assert one.last_seq == last
        assert await one.place(last, one.epoch) == (last, None)
        assert await one.place(2, one.epoch) == (2, None)
        assert await one.place(None, None) == (last, None)
        assert await one.place(last + 1, None) == (last, Gap(None, None))
        late, place = sit(one, "late", Objects(), after=2)
        await until(lambda place=place: place.seq == last)
        assert late.heard("gap") == [{"type": "gap", "from": 3, "to": last}]


async def test_what_is_trimmed_while_a_room_is_being_opened_is_not_in_it(
    room: Room, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = await say(room, *(str(number) for number in range(10)))
    rooms, newest = Rooms(log), log.newest
    opened = asyncio.Event()

    async def slowly(*args: Any) -> Any:
        page = await newest(*args)
        await opened.wait()
        return page

    monkeypatch.setattr(log, "newest", slowly)
    opening = asyncio.create_task(rooms.get("lobby"))
    await until(lambda: rooms._open)
    await trimmed_below(log, entries[6].seq)
    opened.set()
    again = await opening
    seat, cursor = sit(again, "late", Objects(), after=0)
    await until(lambda: cursor.seq == again.last_seq)
    assert seat.heard("gap") == [{"type": "gap", "from": 1, "to": entries[5].seq}]
    assert seat.texts() == ["6", "7", "8", "9"]
