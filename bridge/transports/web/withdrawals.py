"""Taking back over HTTP what was said, or a file. (`docs/protocols/http.md`)"""

from __future__ import annotations

from aiohttp import web

from bridge import gate
from bridge.log import Log
from bridge.model import Draft, Refused
from bridge.rooms import Rooms
from bridge.transports.web.answers import json
from bridge.transports.web.visitor import visitor


class WithdrawalHandlers:
    """`DELETE /r/{room}/entries/{seq}` and `DELETE /files/{id}/{name}`: the answer is the entry that withdraws."""

    def __init__(self, rooms: Rooms, log: Log) -> None:
        self._rooms = rooms
        self._log = log

    def routes(self) -> list[web.RouteDef]:
        return [
            web.delete("/r/{room}/entries/{seq}", self.entry),
            web.delete("/files/{id}/{name:.*}", self.file),
        ]

    async def entry(self, request: web.Request) -> web.Response:
        seq = gate.clean_number(request.match_info["seq"], "seq", 1)
        return await self._withdraw(request, request.match_info["room"], seq)

    async def file(self, request: web.Request) -> web.Response:
        """The id decides, as for `GET`."""
        entry = await self._log.file(request.match_info["id"])
        if entry is None:
            raise Refused("not_found", "there is no such file here")
        return await self._withdraw(request, entry.room, entry.seq)

    async def _withdraw(self, request: web.Request, name: str, seq: int) -> web.Response:
        room = await self._rooms.get(name)
        who = visitor(request, self._rooms, room)
        stored = await room.append(Draft(room.name, who.author, who.key, who.peer, withdraws=seq, host=who.host))
        return json(stored.entry)
