"""The page's WebSocket: a browser's seat in a room. (`docs/protocols/browser.md`)

The handshake, the reading and the control frames are aiohttp's; what the room says goes to the transport as frames that
all browsers at the same place share.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Final
from weakref import WeakSet

from aiohttp import WSCloseCode, WSMsgType, web

from bridge import gate
from bridge.model import Draft, Entry, Error, Gap, Peer, Refused, Signal, Stored, StoreError, Typing, address
from bridge.outlet import Outlet
from bridge.room import Cursor, Room
from bridge.rooms import Author, Rooms
from bridge.wire import browser

logger = logging.getLogger("roombridge.browser")

HEARTBEAT_S: Final = 30.0
BEATS_MISSED_MAX: Final = 3
CLOSE_S: Final = 1.0
"""How long a browser may take to answer our close."""
TOO_SLOW: Final = 1013
"""RFC 6455's registry: Try Again Later."""
ABREAST_MAX: Final = 256
"""How many messages of one browser may wait for the disk before its next are left in the socket."""
OBJECTS_MAX: Final = 1024
"""How many objects one frame may carry."""
TYPING_S: Final = 1.0
"""More often than this nobody is told that somebody is typing."""


class BrowserSeat:
    """Where a WebSocket meets the room."""

    form = browser.BrowserForm()

    def __init__(self, transport: asyncio.Transport) -> None:
        self._outlet = Outlet(transport, self._stalled)

    def deliver(self, frame: bytes) -> None:
        self._outlet.write(frame)

    def full(self) -> bool:
        return self._outlet.full()

    async def free(self) -> None:
        await self._outlet.free()

    def abort(self) -> None:
        self._outlet.abort()

    def _stalled(self) -> None:
        self.deliver(browser.close(TOO_SLOW, "too slow: come back with after"))


class BrowserTransport:
    """`GET /r/{room}/ws`: one seat for each WebSocket."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._open: WeakSet[web.WebSocketResponse] = WeakSet()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/r/{room}/ws", self.serve, allow_head=False)]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One browser, from its handshake to its leaving."""
        query = request.query
        room = await self._rooms.get(request.match_info["room"])
        after = gate.clean_number(query["after"], "after", -1) if "after" in query else None
        client = gate.clean_client(query["client"]) if query.get("client") else secrets.token_urlsafe(16)
        # Pings are ours: aiohttp's would cut off a reader that is only slow before its minute is over.
        start, gap = await room.place(after, query.get("epoch") or None)  # which may fail, so before the handshake
        ws = web.WebSocketResponse(
            timeout=CLOSE_S, autoping=False, compress=False, max_msg_size=browser.FRAME_IN_MAX_BYTES
        )
        await ws.prepare(request)
        if request.transport is None:
            return ws
        self._open.add(ws)
        addr = address(request.transport.get_extra_info("peername"))
        guest = _Browser(room, self._rooms.author(client), BrowserSeat(request.transport), addr)
        try:
            guest.sit(client, query.get("name"), start, gap)
            await guest.listen(ws)
        finally:
            guest.leave()
        return ws

    async def close(self) -> None:
        """Tell every browser that we are going away; they come back with their place."""
        going = [
            asyncio.ensure_future(ws.close(code=WSCloseCode.GOING_AWAY, message=b"shutting down", drain=False))
            for ws in self._open
        ]
        if going:
            _done, slow = await asyncio.wait(going, timeout=2 * CLOSE_S)
            for task in slow:
                task.cancel()


class _Browser:
    """One WebSocket in one room."""

    def __init__(self, room: Room, author: Author, seat: BrowserSeat, addr: str) -> None:
        self._room = room
        self._author = author
        self._seat = seat
        self._addr = addr
        self._cursor: Cursor | None = None
        self._typed_at = 0.0
        self._unanswered = 0
        self._last: asyncio.Future[Stored] | None = None

    def sit(self, client: str, wish: str | None, start: int, gap: Gap | None) -> None:
        """Take a seat and say hello; a name that cannot be is told and replaced."""
        room = self._room
        refused = None
        seated = room.people.get(self._author.id)  # another tab of the same author
        name = seated.name if seated else f"web-{self._addr.rpartition(':')[2]}"
        try:
            name = gate.clean_name(wish) if wish else name
        except Refused as bad_name:
            refused = bad_name
        self._cursor = cursor = room.join(Peer(self._author.id, name, "web", self._addr), self._seat, start)
        self._tell(room.hello(cursor, client))
        if refused:
            self._refuse(browser.refusal(refused))
        if gap:
            self._tell(gap)

    def leave(self) -> None:
        if self._cursor:
            self._cursor.leave()

    def _tell(self, said: Entry | Signal) -> None:
        if self._cursor:
            self._cursor.tell(said)

    def _refuse(self, error: Error) -> None:
        self._room.tally.refused(error.code, "web")
        self._tell(error)

    async def listen(self, ws: web.WebSocketResponse) -> None:
        """Take frame after frame until the browser leaves."""
        missed = 0
        while missed <= BEATS_MISSED_MAX:
            try:
                message = await ws.receive(timeout=HEARTBEAT_S)
            except TimeoutError:
                missed += 1
                if not self._seat.full():
                    self._seat.deliver(browser.PING)
                continue
            missed = 0
            match message.type:
                case WSMsgType.TEXT:
                    self._room.tally.heard("web", len(message.data))
                    for place, heard in enumerate(browser.decode(message.data)):
                        if place >= OBJECTS_MAX:
                            reason = b"more than %d objects in a frame" % OBJECTS_MAX
                            await ws.close(code=WSCloseCode.POLICY_VIOLATION, message=reason)
                            return
                        self._take(heard)
                case WSMsgType.PING:
                    self._seat.deliver(browser.pong(message.data))
                case WSMsgType.PONG:
                    pass
                case WSMsgType.BINARY:
                    await ws.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"text frames only")
                    return
                case _:
                    return
            while self._last is not None and self._unanswered > ABREAST_MAX:
                await asyncio.wait([self._last])
            await self._seat.free()  # answers wait for who does not read them
        self._seat.abort()  # gone without a word

    def _take(self, heard: browser.Heard) -> None:
        match heard:
            case browser.Say(key, text):
                self._say(key, text)
            case browser.Withdraw(key, seq):
                self._say(key, withdraws=seq)
            case browser.Rename(name):
                self._rename(name)
            case browser.Typing():
                self._typing()
            case browser.Fault(error):
                self._refuse(error)

    def _say(self, key: str, text: str | None = None, withdraws: int | None = None) -> None:
        if self._cursor is None:
            return
        draft = Draft(self._room.name, self._author.key, key, self._cursor.peer, text=text, withdraws=withdraws)
        try:
            answer = self._room.append(draft)
        except Refused as refused:
            self._refuse(browser.refusal(refused, key))
            return
        self._last = answer
        self._unanswered += 1
        answer.add_done_callback(lambda future: self._answered(key, future))

    def _answered(self, key: str, future: asyncio.Future[Stored]) -> None:
        """A new entry comes by itself, with all others; what was said before is repeated to this seat alone.

        Unless it lies ahead of this seat: then it comes in its order too, and nobody takes it for the place reached.
        """
        self._unanswered -= 1
        match future.exception():
            case None:
                stored = future.result()
                if not stored.new and self._cursor and stored.entry.seq <= self._cursor.seq:
                    self._tell(stored.entry)
            case Refused() as refused:
                self._refuse(browser.refusal(refused, key))
            case fault:
                logger.error("no entry for %s in room %s", self._addr, self._room.name, exc_info=fault)
                told = fault.told if isinstance(fault, StoreError) else StoreError.told
                self._tell(Error("busy", told, key))

    def _rename(self, name: str) -> None:
        try:
            if self._cursor:
                self._cursor.rename(name)
        except Refused as refused:
            self._refuse(browser.refusal(refused))

    def _typing(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._cursor and now - self._typed_at >= TYPING_S:
            self._typed_at = now
            self._room.say(Typing(self._cursor.peer), apart_from=self._cursor)
