"""The room as a stream over HTTP, for `curl -N`, `EventSource` and programs. (`docs/protocols/events.md`)"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import hdrs, web

from bridge import gate
from bridge.model import Error, Refused
from bridge.outlet import Outlet
from bridge.rooms import Rooms
from bridge.transports.web.connection import Connection
from bridge.transports.web.visitor import visitor
from bridge.wire import events

COMMENT_S: Final = 15.0
LOOK_S: Final = 1.0
"""How soon it is noticed that a reader has gone."""


class EventsSeat(Outlet):
    """Where a reading request meets the room."""

    def __init__(self, transport: asyncio.Transport, form: events.EventsForm | events.LinesForm) -> None:
        super().__init__(transport)
        self.form = form

    def show_out(self, why: Refused) -> None:
        last = self.form.frame([self.form.encode(Error(why.code, why.message))])
        self.deliver(last + events.chunk(b"", self.form.chunked))
        self._cut()


class EventHandlers:
    """`GET /r/{room}/events`."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/r/{room}/events", self.serve, allow_head=False)]

    def close(self) -> None:
        """End every stream; readers come back with their place."""
        self._closing.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Server-Sent Events for `Accept: text/event-stream`, else NDJSON; without `after` only what comes."""
        room = await self._rooms.get(request.match_info["room"])
        sse = "text/event-stream" in request.headers.get(hdrs.ACCEPT, "")
        start, gap = await room.place(*_wanted(request))
        who = visitor(request, self._rooms, room)  # which may refuse, so before anything is written
        room.admit(who.peer, who.host)
        response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.content_type = "text/event-stream" if sse else "application/x-ndjson"
        response.charset = "utf-8"
        await response.prepare(request)
        if request.transport is None:
            return response
        chunked = request.version >= (1, 1)
        form = events.EventsForm(room.epoch, chunked) if sse else events.LinesForm(chunked)
        seat = EventsSeat(request.transport, form)
        cursor = room.join(who.peer, seat, start, who.host)
        try:
            cursor.tell(room.hello(cursor, who.client))
            if gap:
                cursor.tell(gap)
            await self._stay(request, seat, events.chunk(events.COMMENT, chunked) if sse else None)
        finally:
            cursor.leave()
        return response

    async def _stay(self, request: web.Request, seat: EventsSeat, comment: bytes | None) -> None:
        """Until the reader goes or the server does; the room writes meanwhile."""
        loop = asyncio.get_running_loop()
        due = loop.time() + COMMENT_S
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._closing.wait()
                return
            except TimeoutError:
                pass
            if not _there(request):
                return
            if comment is not None and loop.time() >= due:
                due += COMMENT_S
                if not seat.full():
                    seat.deliver(comment)


def _there(request: web.Request) -> bool:
    """Whether it still reads. One that closed its own side has what there was; it may as well be gone, and nothing
    but a word in the room would tell."""
    transport, protocol = request.transport, request.protocol
    half_closed = isinstance(protocol, Connection) and protocol.half_closed
    return transport is not None and not transport.is_closing() and not half_closed


def _wanted(request: web.Request) -> tuple[int, str | None]:
    """Where to start: the event after which a reader lost us, else `after` and `epoch`, else only what comes."""
    if resumed := request.headers.get("Last-Event-ID"):
        epoch, seq = events.last_event_id(resumed)
        return gate.clean_number(seq, "Last-Event-ID", 0), epoch
    query = request.query
    return gate.clean_number(query.get("after", "-1"), "after", -1), query.get("epoch") or None
