"""From a host's wish to a draft: what is taken, what is refused and why."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.model import Draft, Refused, Rule
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.ruling import REMOVED_MAX_MINUTES, REMOVED_MINUTES, ruled
from bridge.store.sqlite import SqliteLog
from bridge.wire.rule import Wish
from tests.support.seats import Objects, peer, say, sit

HOST = peer("host")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    log = SqliteLog(tmp_path / "log.sqlite3")
    rooms = Rooms(log)
    yield await rooms.get("lobby")
    await log.close()


def ask(room: Room, host: bool = True, **wish: Any) -> Rule:
    draft = ruled(room, Wish(**wish), Draft(room.name, "author", "k", HOST, host=host))
    assert draft.rule is not None
    digest = room.digest(wish["pin"]) if wish.get("pin") else None
    assert draft == Draft(room.name, "author", "k", HOST, rule=draft.rule, host=True, pin=digest)
    return draft.rule


async def test_each_wish_is_a_rule(room: Room) -> None:
    _seat, bob = sit(room, "bob", Objects())
    await say(room, "hi", sender=peer("gone"))
    assert ask(room, topic="  Maths \n today ") == Rule(topic="Maths today")
    assert ask(room, topic="") == Rule(topic="")
    assert ask(room, read_only=True) == Rule(read_only=True)
    assert ask(room, mute=bob.peer.id) == Rule(mute=bob.peer)
    assert ask(room, unmute=bob.peer.id) == Rule(unmute=bob.peer)
    assert ask(room, rename=bob.peer.id, name="Robert") == Rule(rename=bob.peer, name="Robert")
    assert ask(room, rename=bob.peer.id, name="") == Rule(rename=bob.peer, name="")
    assert ask(room, mute="p-gone") == Rule(mute=peer("gone"))  # who spoke of late need not be here
    assert ask(room, pin="1234") == Rule(pin=True)
    assert ask(room, pin="") == Rule(pin=False)
    now = time.time() * 1000
    for wish, minutes in (({}, REMOVED_MINUTES), ({"minutes": 60}, 60)):
        rule = ask(room, remove=bob.peer.id, **wish)
        assert rule.remove == bob.peer
        assert rule.until is not None and abs(rule.until - now - minutes * 60_000) < 30_000


async def test_a_hosts_name_for_somebody_is_free_as_any(room: Room) -> None:
    _seat, bob = sit(room, "bob", Objects())
    sit(room, "alice", Objects())
    assert ask(room, rename=bob.peer.id, name="аlice").name == "аlice-2"  # a Cyrillic а
    assert ask(room, rename=bob.peer.id, name="server").name == "server-2"
    assert ask(room, rename=bob.peer.id, name=" Bob ").name == "Bob"


@pytest.mark.parametrize(
    ("wish", "code", "words"),
    [
        ({}, "bad_request", "a rule says one thing: topic, read_only, pin, mute, unmute, rename, remove"),
        ({"topic": "x", "read_only": True}, "bad_request", "a rule says one thing"),
        ({"mute": "nobody"}, "not_found", "nobody of the id 'nobody' is here, or was of late"),
        ({"mute": "p-chief"}, "forbidden", "chief is a host too"),
        ({"remove": "p-chief"}, "forbidden", "chief is a host too"),
        ({"rename": "p-bob"}, "bad_request", "a name is missing"),
        ({"rename": "p-bob", "name": "[x]"}, "bad_name", "brackets"),
        ({"remove": "p-bob", "minutes": 0}, "bad_request", f"expected 1 to {REMOVED_MAX_MINUTES}"),
        ({"remove": "p-bob", "minutes": REMOVED_MAX_MINUTES + 1}, "bad_request", "minutes=10081"),
        ({"topic": "x" * 201}, "too_long", "topic of 201 characters, at most 200"),
        ({"topic": "\ud800"}, "bad_text", "lone surrogate"),
        ({"topic": "a\x1b[2J"}, "bad_text", "U+001B"),
    ],
)
async def test_what_cannot_be_is_refused(room: Room, wish: dict[str, Any], code: str, words: str) -> None:
    sit(room, "bob", Objects())
    _seat, chief = sit(room, "chief", Objects())
    chief.host = True
    with pytest.raises(Refused) as refused:
        ask(room, **wish)
    assert refused.value.code == code
    assert words in refused.value.message


async def test_nobody_else_may(room: Room) -> None:
    for wish in ({"topic": "x"}, {}, {"mute": "nobody"}):
        with pytest.raises(Refused) as refused:
            ask(room, host=False, **wish)
        assert refused.value.code == "forbidden"
    assert msgspec.json.decode(b'{"topic":"x","later":1}', type=Wish) == Wish(topic="x")
