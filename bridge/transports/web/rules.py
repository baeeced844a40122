"""How a room is ruled, over HTTP: what holds, and what a host lays down. (`docs/protocols/http.md`)"""

from __future__ import annotations

from aiohttp import web

from bridge.model import Draft
from bridge.rooms import Rooms
from bridge.ruling import ruled
from bridge.transports.web.answers import json
from bridge.transports.web.body import whole
from bridge.transports.web.visitor import visitor
from bridge.wire import rule


class RuleHandlers:
    """`GET` and `POST /r/{room}/rules`."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/r/{room}/rules", self.now), web.post("/r/{room}/rules", self.lay_down)]

    async def now(self, request: web.Request) -> web.Response:
        return json((await self._rooms.get(request.match_info["room"])).rules.now)

    async def lay_down(self, request: web.Request) -> web.Response:
        """The answer is the entry that says what was done: 201, or 200 if its key was known."""
        room = await self._rooms.get(request.match_info["room"])
        who = visitor(request, self._rooms, room)
        wish = rule.decode(await whole(request, rule.WISH_MAX_BYTES, f"a rule has at most {rule.WISH_MAX_BYTES} bytes"))
        blank = Draft(room.name, who.author, who.key, who.peer, host=who.host)
        stored = await room.append(ruled(room, wish, blank))
        return json(stored.entry, 201 if stored.new else 200)
