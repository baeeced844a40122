"""A room without transports: seats that keep what they are handed, and who sits and speaks there."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any

from bridge.model import Draft, Entry, Error, Peer, Refused
from bridge.room import Cursor, Room
from bridge.wire.browser import encode

_numbers = count(1)


class Objects:
    """A form that frames a stretch as a tuple of bytes, and counts what it encodes."""

    echo = True
    signals = True

    def __init__(self) -> None:
        self.encoded: list[Any] = []

    def encode(self, said: Any) -> bytes:
        self.encoded.append(said)
        return encode(said)

    def frame(self, encoded: Any) -> tuple[bytes, ...]:
        return tuple(encoded)


class Notebook:
    """A seat that keeps its frames; `blocked` makes it full."""

    straight = None

    def __init__(self, form: Any) -> None:
        self.form = form
        self.frames: list[Any] = []
        self.blocked = False

    def deliver(self, frame: Any) -> None:
        self.frames.append(frame)

    def full(self) -> bool:
        return self.blocked

    def show_out(self, why: Refused) -> None:
        self.frames.append((encode(Error(why.code, why.message)),))

    def heard(self, type: str = "text") -> list[dict[str, Any]]:
        objects = [json.loads(one) for frame in self.frames for one in frame]
        return [one for one in objects if one["type"] == type]

    def texts(self) -> list[str]:
        return [one["text"] for one in self.heard()]


def peer(name: str, id: str | None = None) -> Peer:
    return Peer(id or f"p-{name}", name, "web", "127.0.0.1:1")


def sit(room: Room, name: str, form: Any, after: int | None = None) -> tuple[Notebook, Cursor]:
    seat = Notebook(form)
    return seat, room.join(peer(name), seat, room.last_seq if after is None else after)


def withdraw(room: Room, entry: Entry) -> asyncio.Future[Any]:
    sender = entry.sender
    return room.append(Draft("lobby", sender.id, f"k{next(_numbers)}", sender, withdraws=entry.seq))


async def say(room: Room, *texts: str, sender: Peer | None = None) -> list[Entry]:
    sender = sender or peer("writer")
    futures = [room.append(Draft("lobby", sender.id, f"k{next(_numbers)}", sender, text=text)) for text in texts]
    return [stored.entry for stored in await asyncio.gather(*futures)]


async def until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)
