"""Messages over HTTP: post a text, read entries, list rooms."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web

from bridge import gate
from bridge.log import Log
from bridge.model import Draft, Refused
from bridge.rooms import Rooms
from bridge.transports.web.answers import json
from bridge.transports.web.body import whole
from bridge.transports.web.visitor import visitor
from bridge.wire import plain

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500
BODY_MAX_BYTES: Final = gate.TEXT_MAX_BYTES + 8
"""A byte order mark and a line ending do not count as text."""


class MessageHandlers:
    """`POST /r/{room}`, `GET /r/{room}/entries`, `GET /rooms`."""

    def __init__(self, rooms: Rooms, log: Log, room: str) -> None:
        self._rooms = rooms
        self._log = log
        self._room = room

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/", self.post),
            web.post("/r/{room}", self.post),
            web.get("/r/{room}/entries", self.entries),
            web.get("/rooms", self.rooms),
        ]

    async def post(self, request: web.Request) -> web.Response:
        """The raw body is the message, whatever its content type says: 201 and the entry, 200 if its key was known."""
        if request.content_type == "multipart/form-data":
            raise Refused("unsupported", "multipart is not taken yet: PUT the file to /r/ROOM/NAME (curl -T FILE URL/)")
        room = await self._rooms.get(request.match_info.get("room", self._room))
        who = visitor(request, self._rooms, room)
        raw = await whole(
            request, BODY_MAX_BYTES, f"a text of more than {gate.TEXT_MAX_BYTES} bytes (PUT it as a file)"
        )
        text = plain.decode(raw).removesuffix("\n").removesuffix("\r")
        stored = await room.append(Draft(room.name, who.author, who.key, who.peer, text=text))
        return json(stored.entry, 201 if stored.new else 200)

    async def entries(self, request: web.Request) -> web.Response:
        """Ascending: those behind `after`, or those just below `before`, or the newest."""
        name = gate.clean_room(request.match_info["room"])
        after, before = _number(request, "after", 0), _number(request, "before", 0)
        limit = _number(request, "limit", 1) or LIMIT_DEFAULT
        limit = min(limit, LIMIT_MAX)
        if after is not None:
            page = await self._log.read(name, after, limit)
            entries = [entry for entry in page.entries if before is None or entry.seq < before]
        else:
            page = await self._log.newest(name, limit, before)
            entries = page.entries
        room = await self._rooms.get(name)
        lost = {} if page.gap is None else {"gap": page.gap}
        return json({"epoch": self._log.epoch, "last_seq": room.last_seq, "entries": entries, **lost})

    async def rooms(self, request: web.Request) -> web.Response:
        rooms = await self._log.rooms()
        return json([{**msgspec.structs.asdict(info), "seats": self._rooms.seats(info.name)} for info in rooms])


def _number(request: web.Request, name: str, lowest: int) -> int | None:
    value = request.query.get(name)
    return None if value is None else gate.clean_number(value, name, lowest)
