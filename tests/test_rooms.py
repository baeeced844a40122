"""Rooms are opened when somebody asks, and authors keep their ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model import Draft, Peer, Refused
from bridge.rooms import Rooms
from bridge.store.sqlite import SqliteLog

ALICE = Peer("p1", "alice", "web", "a:1")


async def test_a_room_is_one_as_long_as_somebody_holds_it(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite3")
    rooms = Rooms(log)
    room = await rooms.get("lobby")
    assert await rooms.get("lobby") is room
    assert await rooms.get("Lobby") is not room
    assert await rooms.get("cafe\u0301") is await rooms.get("caf\u00e9")  # one spelling of one name
    assert await rooms.all() == []  # made by its first entry
    await room.append(Draft("lobby", "a", "k", ALICE, text="hi"))
    assert [(info.name, info.last_seq) for info in await rooms.all()] == [("lobby", room.last_seq)]
    assert rooms.seats("lobby") == rooms.seats("nowhere") == 0
    with pytest.raises(Refused):
        await rooms.get("no/room")
    await log.close()


async def test_an_author_keeps_its_id_after_a_restart_and_its_secret_always(tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        log = SqliteLog(tmp_path / "log.sqlite3")
        author = Rooms(log).author("my secret")
        ids.append(author)
        assert "secret" not in author.key + author.id
        assert Rooms(log).author("another").id != author.id
        await log.close()
    assert ids[0] == ids[1]
    other = SqliteLog(tmp_path / "other.sqlite3")
    assert Rooms(other).author("my secret") != ids[0]
    await other.close()
