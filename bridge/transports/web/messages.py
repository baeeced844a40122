"""Messages over HTTP: post a text, read entries, list rooms."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web

from bridge import gate
from bridge.log import Log
from bridge.model import Draft, Entry, Gap, Stored
from bridge.rooms import Rooms
from bridge.transports.web import form
from bridge.transports.web.answers import file_url, json, wants_json
from bridge.transports.web.body import whole
from bridge.transports.web.visitor import query_number, visitor
from bridge.wire import plain

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500
BODY_MAX_BYTES: Final = gate.TEXT_MAX_BYTES + 8
"""A byte order mark and a line ending do not count as text."""


class EntriesPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch of a room, with the gap before it if some is no longer kept."""

    epoch: str
    last_seq: int
    entries: list[Entry]
    gap: Gap | None = None


class RoomLine(msgspec.Struct, frozen=True):
    """A room in the list of rooms."""

    name: str
    last_seq: int
    seats: int


class MessageHandlers:
    """`POST /r/{room}`, `GET /r/{room}/entries`, `GET /rooms`."""

    def __init__(self, rooms: Rooms, log: Log, room: str, forms: form.Forms) -> None:
        self._rooms = rooms
        self._log = log
        self._room = room
        self._forms = forms

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/", self.post),
            web.post("/r/{room}", self.post),
            web.get("/r/{room}/entries", self.entries),
            web.get("/rooms", self.rooms),
        ]

    async def post(self, request: web.Request) -> web.Response:
        """The raw body is the message, whatever its content type says, unless that is a form.

        201 and the entry, 200 if its key was known.
        """
        room = await self._rooms.get(request.match_info.get("room", self._room))
        who = visitor(request, self._rooms, room)
        if request.content_type == form.TYPE:
            return _answer(request, await self._forms.take(request, room, who))
        raw = await whole(
            request, BODY_MAX_BYTES, f"a text of more than {gate.TEXT_MAX_BYTES} bytes (PUT it as a file)"
        )
        self._rooms.tally.heard("http", len(raw))
        draft = Draft(room.name, who.author, who.key, who.peer, text=plain.message(raw), host=who.host)
        stored = await room.append(draft)
        return json(stored.entry, 201 if stored.new else 200)

    async def entries(self, request: web.Request) -> web.Response:
        """Ascending: those behind `after`, or those just below `before`, or the newest; `from`: one peer's."""
        name = gate.clean_room(request.match_info["room"])
        after, before = query_number(request, "after", 0), query_number(request, "before", 0)
        limit = query_number(request, "limit", 1) or LIMIT_DEFAULT
        limit, sender = min(limit, LIMIT_MAX), request.query.get("from")
        if after is not None:
            page = await self._log.read(name, after, limit, sender)
            entries = [entry for entry in page.entries if before is None or entry.seq < before]
        else:
            page = await self._log.newest(name, limit, before, sender)
            entries = page.entries
        room = await self._rooms.get(name)
        return json(EntriesPage(self._log.epoch, room.last_seq, entries, page.gap))

    async def rooms(self, request: web.Request) -> web.Response:
        rooms = await self._log.rooms()
        return json([RoomLine(info.name, info.last_seq, self._rooms.seats(info.name)) for info in rooms])


def _answer(request: web.Request, stored: list[Stored]) -> web.Response:
    """For a form: the whole URL of each file as a line, or all entries as JSON. 200 if every key was known."""
    status = 201 if any(one.new for one in stored) else 200
    entries = [one.entry for one in stored]
    if wants_json(request):
        return json(entries, status)
    urls = [file_url(request, entry) for entry in entries if entry.file]
    return web.Response(status=status, text="".join(f"{url}\n" for url in urls))
