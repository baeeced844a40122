"""The page's WebSocket: a browser's seat in a room. (`docs/protocols/browser.md`)

The handshake is aiohttp's, and then the connection changes hands: a protocol of a few words' weight reads it, because
most of ten thousand browsers say nothing for hours. What the room says goes straight out, as frames that all browsers
at the same place share.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from aiohttp import web

from bridge import gate
from bridge.model import Draft, Entry, Error, Gap, Peer, Refused, Signal, Stored, StoreError, Typing
from bridge.outlet import Outlet, cut
from bridge.policy import Caller, Limits, Zone
from bridge.policy.knocks import Knocks
from bridge.room import Cursor, Room
from bridge.rooms import Rooms
from bridge.ruling import ruled
from bridge.transports.handshake import Handshake
from bridge.wire import browser, websocket
from bridge.wire.rule import Wish

logger = logging.getLogger("roombridge.browser")

HEARTBEAT_S: Final = 30.0
BEATS_MISSED_MAX: Final = 3
CLOSE_S: Final = 1.0
"""How long a browser may take to answer our close."""
ABREAST_MAX: Final = 256
"""How many messages of one browser may wait for the disk before its next are left in the socket."""
OBJECTS_MAX: Final = 1024
"""How many objects one frame may carry."""
TYPING_S: Final = 1.0
"""More often than this nobody is told that somebody is typing."""
REMOVED: Final = "removed"
"""Why a connection was closed that is of no use for some minutes."""
_NOTHING: Final[Iterator[websocket.Event]] = iter(())


class BrowserSeat(Outlet):
    """Where a WebSocket meets the room."""

    __slots__ = ()
    form = browser.BrowserForm()

    def show_out(self, why: Refused) -> None:
        protocol = self._transport.get_protocol() if isinstance(self._transport, asyncio.Transport) else None
        if isinstance(protocol, _Browser):
            protocol.show_out(why)

    def _stalled(self) -> None:
        self.deliver(websocket.close(websocket.TOO_SLOW, "too slow: come back with after"))


class BrowserTransport:
    """`GET /r/{room}/ws`: one seat for each WebSocket; `is_host` says who rules the house."""

    def __init__(
        self,
        rooms: Rooms,
        limits: Limits,
        caller_of: Callable[[web.Request], Caller],
        is_host: Callable[[web.Request], bool],
        knocks: Knocks,
    ) -> None:
        self.limits = limits
        self.knocks = knocks
        self._rooms = rooms
        self._caller_of = caller_of
        self._is_host = is_host
        self._open: set[_Browser] = set()
        self._beating: asyncio.TimerHandle | None = None
        self._closing: asyncio.Future[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/r/{room}/ws", self.serve, allow_head=False)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """From the handshake to the seat; from there on the connection is a `_Browser`'s."""
        query = request.query
        room = await self._rooms.get(request.match_info["room"])
        after = gate.clean_number(query["after"], "after", -1) if "after" in query else None
        client = gate.clean_client(query["client"]) if query.get("client") else secrets.token_urlsafe(16)
        start, gap = await room.place(after, query.get("epoch") or None)  # which may fail, so before the handshake
        if self._closing is not None:
            raise Refused("busy", "the server is shutting down; come back later")
        handshake = Handshake()
        if (taken := await handshake.take_over(request)) is None:
            return handshake
        transport, ahead = taken
        author = self._rooms.author(client)
        one = _Browser(room, author.key, transport, self, self._caller_of(request))
        self._open.add(one)
        if self._beating is None:
            self._beating = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._beat)
        transport.set_protocol(one)
        try:
            one.sit(author.id, client, query.get("name"), start, gap, self._is_host(request))
            one.data_received(ahead)
        except Exception:
            transport.abort()  # nobody else would: aiohttp no longer knows of it
            raise
        return handshake

    async def close(self) -> None:
        """Tell every browser that we are going away; they come back with their place."""
        self._closing = asyncio.get_running_loop().create_future()
        for one in list(self._open):
            one.end(websocket.GOING_AWAY, "shutting down")
        if self._open:
            await asyncio.wait([self._closing], timeout=2 * CLOSE_S)
        if self._beating is not None:
            self._beating.cancel()

    def _beat(self) -> None:
        """One heart for all: a timer for each would weigh more than what it watches."""
        for one in list(self._open):
            one.beat()
        self._beating = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._beat) if self._open else None

    def left(self, one: _Browser) -> None:
        """This one's connection is gone."""
        self._open.discard(one)
        if self._closing is not None and not self._open and not self._closing.done():
            self._closing.set_result(None)


class _Browser(asyncio.Protocol):
    """One WebSocket in one room."""

    __slots__ = (
        "_addr",
        "_author",
        "_cursor",
        "_decoder",
        "_events",
        "_house",
        "_limited",
        "_missed",
        "_room",
        "_seat",
        "_transport",
        "_typed_at",
        "_unanswered",
    )

    def __init__(
        self, room: Room, author: str, transport: asyncio.Transport, house: BrowserTransport, caller: Caller
    ) -> None:
        self._room = room
        self._author = author
        self._transport = transport
        self._seat = BrowserSeat(transport)
        self._house = house
        self._addr = caller.addr
        self._limited = caller.ip if caller.zone is Zone.ELSEWHERE else ""
        self._decoder = websocket.Decoder(browser.FRAME_IN_MAX_BYTES)
        self._events = _NOTHING  # what was received and is not yet taken
        self._cursor: Cursor | None = None
        self._missed = 0
        self._typed_at = 0.0
        self._unanswered = 0

    def sit(self, id: str, client: str, wish: str | None, start: int, gap: Gap | None, host: bool) -> None:
        """Take a seat and say hello; a name that cannot be is told and replaced, and who was removed is told that."""
        room = self._room
        refused = None
        seated = room.people.get(id)  # another tab of the same author
        name = seated.name if seated else f"web-{self._addr.rpartition(':')[2]}"
        try:
            name = gate.clean_name(wish) if wish else name
        except Refused as bad_name:
            refused = bad_name
        try:
            self._cursor = cursor = room.join(Peer(id, name, "web", self._addr), self._seat, start, host)
        except Refused as removed:
            room.tally.refused(removed.code, "web")
            self.show_out(removed)
            return
        self._tell(room.hello(cursor, client))
        if refused:
            self._refuse(browser.refusal(refused))
        if gap:
            self._tell(gap)
        if host:
            for knock in self._house.knocks:
                self._tell(knock)

    def _tell(self, said: Entry | Signal) -> None:
        if self._cursor:
            self._cursor.tell(said)

    def _refuse(self, error: Error) -> None:
        self._room.tally.refused(error.code, "web")
        self._tell(error)

    # What asyncio calls

    def data_received(self, data: bytes) -> None:
        self._missed = 0
        self._events = self._decoder.feed(data)
        self._go_on()

    def resume_writing(self) -> None:
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._house.left(self)

    # Leaving

    def end(self, code: int, reason: str = "") -> None:
        """Say why; then the other side has a second to say so too, and its unread words are read away meanwhile, for
        a connection that is closed on them is reset, and with it goes what we said."""
        if self._cursor is not None:
            self._leave()
            self._close(code, reason)

    def show_out(self, why: Refused) -> None:
        """A host removed this one: that is said, and is the end."""
        self._cursor = None
        self._seat.deliver(self._seat.form.frame([browser.encode(browser.refusal(why))]))
        self._close(websocket.BROKE_A_RULE, REMOVED)

    def _close(self, code: int, reason: str) -> None:
        self._seat.deliver(websocket.close(code, reason))
        asyncio.get_running_loop().call_later(CLOSE_S, cut, self._transport)

    def beat(self) -> None:
        """Ask whether it is still there, and let it go when it answered nothing four times."""
        self._missed += 1
        if self._cursor is not None and not self._seat.full():
            self._seat.deliver(websocket.PING)
        if self._missed > BEATS_MISSED_MAX:
            self._transport.abort()

    def _leave(self) -> None:
        if self._cursor:
            self._cursor.leave()
            self._cursor = None

    # Hearing

    def _go_on(self) -> None:
        """Take event after event; while too many answers wait, for the disk or to be read, the rest stays where it is,
        and what follows in the socket."""
        try:
            for event in self._events:
                self._meet(event)
                if self._unanswered > ABREAST_MAX or self._seat.full():
                    self._transport.pause_reading()
                    return
        except Exception:
            logger.exception("a fault of ours ended a browser in room %s", self._room.name)
            self.end(websocket.OUR_FAULT, "a fault of ours; the server's log says more")
        self._events = _NOTHING
        self._transport.resume_reading()

    def _meet(self, event: websocket.Event) -> None:
        match event:
            case websocket.Text(text):
                self._hear(text)
            case websocket.Ping(data):
                self._seat.deliver(websocket.pong(data))
            case websocket.Pong():
                pass
            case websocket.Closed(code):
                self.end(code)
                self._transport.close()
            case websocket.Broken(code, reason):
                self.end(code, reason)

    def _hear(self, frame: str) -> None:
        self._room.tally.heard("web", len(frame))
        for place, heard in enumerate(browser.decode(frame)):
            if place >= OBJECTS_MAX:
                self.end(websocket.BROKE_A_RULE, f"more than {OBJECTS_MAX} objects in a frame")
                return
            self._take(heard)

    def _take(self, heard: browser.Heard) -> None:
        if self._limited and self._too_often(heard):
            return
        match heard:
            case browser.Say(key, text):
                self._say(key, text)
            case browser.Withdraw(key, seq):
                self._say(key, withdraws=seq)
            case browser.Rule(key, wish):
                self._rule(key, wish)
            case browser.Rename(name):
                self._rename(name)
            case browser.Typing():
                self._typing()
            case browser.Admit(id, always):
                self._answer_knock(lambda knocks: knocks.admit(id, always))
            case browser.Refuse(id):
                self._answer_knock(lambda knocks: knocks.refuse(id))
            case browser.Fault(error):
                self._refuse(error)

    def _too_often(self, heard: browser.Heard) -> bool:
        """Whether this is one more than its address may send; then it was told so. Typing has a clock of its own."""
        if isinstance(heard, browser.Typing) or not (wait := self._house.limits.messages.wait(self._limited)):
            return False
        most = self._house.limits.numbers.messages_per_s
        told = f"one address may send {most} messages a second (--messages-per-s); go on in {wait:.2f} s"
        key = heard.key if isinstance(heard, browser.Say | browser.Withdraw) else None
        self._refuse(Error("rate_limited", told, key))
        return True

    def _say(self, key: str, text: str | None = None, withdraws: int | None = None) -> None:
        if self._cursor is not None:
            self._append(msgspec.structs.replace(self._blank(self._cursor, key), text=text, withdraws=withdraws))

    def _rule(self, key: str, wish: Wish) -> None:
        if self._cursor is None:
            return
        try:
            draft = ruled(self._room, wish, self._blank(self._cursor, key))
        except Refused as refused:
            self._refuse(browser.refusal(refused, key))
        else:
            self._append(draft)

    def _blank(self, cursor: Cursor, key: str) -> Draft:
        return Draft(self._room.name, self._author, key, cursor.peer, host=cursor.host)

    def _append(self, draft: Draft) -> None:
        try:
            answer = self._room.append(draft)
        except Refused as refused:
            self._refuse(browser.refusal(refused, draft.key))
            return
        self._unanswered += 1
        answer.add_done_callback(lambda future: self._answered(draft.key, future))

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
        if self._events is not _NOTHING:
            self._go_on()

    def _rename(self, name: str) -> None:
        try:
            if self._cursor:
                self._cursor.rename(name)
        except Refused as refused:
            self._refuse(browser.refusal(refused))

    def _answer_knock(self, answer: Callable[[Knocks], None]) -> None:
        try:
            if self._cursor is None or not self._cursor.host:
                raise Refused("forbidden", "only a host lets people in")
            answer(self._house.knocks)
        except Refused as refused:
            self._refuse(browser.refusal(refused))

    def _typing(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._cursor and now - self._typed_at >= TYPING_S:
            self._typed_at = now
            self._room.say(Typing(self._cursor.peer), apart_from=self._cursor)
