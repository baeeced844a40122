"""TCP lines: `nc HOST PORT` is in the room. (`docs/protocols/line.md`)"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Final

from bridge.guest import Guest
from bridge.model import Address, Refused, address
from bridge.outlet import Outlet
from bridge.policy import Role
from bridge.policy.knocks import Answer
from bridge.porch import KNOCK_S, KNOCKED, OUTSIDE, Porch, order
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.tally import Tally
from bridge.wire import line, plain

READ_BYTES: Final = 64 * 1024
DOORSTEP_READ_BYTES: Final = 4 * 1024
HELD_MAX: Final = 64
"""So many lines of one that is not in yet are held, read in small pieces; what follows stays in the socket."""
TURN_LINES: Final = 128
"""After so many lines of one client, others have their turn."""
ABREAST_MAX: Final = 64
"""How many lines of one client may wait for the disk before its next are left in the socket."""
AWAY_MAX_BYTES: Final = 64 * 1024 * 1024
"""How much of what is no text is read away, so that its sender gets as far as reading why..."""
AWAY_S: Final = 2.0
"""...and how long it may pause: plain `nc` never says that it is done."""


class LineSeat(Outlet):
    """Where a line client meets the room."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer.transport)
        scheme = "https" if writer.get_extra_info("sslcontext") else "http"
        self.form = line.LineForm(f"{scheme}://{address(writer.get_extra_info('sockname'))}")
        self.hung_up = False
        self.slowed = False
        """Whether it knows that it speaks too fast."""

    def notice(self, text: str) -> None:
        """To one who reads nothing it is not told: what it says wrong would pile up here."""
        if not self.full():
            self.deliver(line.notice(text))

    def bare(self, text: str) -> None:
        self.deliver(line.bare(text))

    def hang_up(self) -> None:
        self.hung_up = True

    def show_out(self, why: Refused) -> None:
        self.bye(why.message)
        self.hung_up = True
        self._cut()  # which ends the reading, too

    def _stalled(self) -> None:
        self.bye("you read nothing for too long; /history has what you missed")

    def bye(self, why: str) -> None:
        self.deliver(line.notice(f"bye: {why}"))


class LineTransport:
    """Seats whoever sends a line in the default room."""

    def __init__(self, rooms: Rooms, room: str, porch: Porch) -> None:
        self._rooms = rooms
        self._room = room
        self._porch = porch

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until its end; the last words of a client that closed only its own side are stored too."""
        peer: Address = writer.get_extra_info("peername") or ("", 0)
        guest: Guest | None = None
        seat = LineSeat(writer)
        said = _Said(reader, self._rooms.tally)
        turn = count(1)
        try:
            if self._porch.stranger("tcp", peer[0]):
                role = await _Doorstep(self._porch, peer, seat, said).let_in()
                if role is Role.STRANGER:
                    return
                guest = await self._guest(seat, peer, role is Role.HOST, *said.held[:1])
            while not seat.hung_up and (lines := await said.more()) is not None:
                for heard in lines:
                    if guest is None:
                        guest = await self._guest(seat, peer, first=heard)
                    await self._pace(seat, peer[0])
                    await self._take(guest, seat, heard)
                    if next(turn) % TURN_LINES == 0:
                        await asyncio.sleep(0)
                    if seat.hung_up:
                        break
            if guest:
                await guest.settle()
        except Refused as refused:  # at the door
            self._rooms.tally.refused(refused.code, "tcp")
            seat.bye(refused.message)
        except line.NotLines:
            self._rooms.tally.refused("bad_request", "tcp")
            if guest:
                await guest.settle()  # the end tells that all before it is stored
            writer.transport.abort()
        except line.NotText:
            seat.notice(f"this is no text: send a file with curl -T FILE {seat.form.base}/")
            await _read_away(reader)
            if guest:
                await guest.settle()  # what it said before is stored, or it is told why not
        except asyncio.CancelledError:
            if guest:
                seat.bye("the server is shutting down")
            raise
        finally:
            if guest:
                guest.leave()

    async def _guest(
        self, seat: LineSeat, peer: Address, host: bool = False, first: line.Line | line.Fault | None = None
    ) -> Guest:
        room = await self._rooms.get(self._room)
        weigh = partial(self._porch.weigh, "tcp", peer[0])
        opened = await self._opens(room, peer[0], first)
        return Guest(self._rooms, room, seat, "tcp", address(peer), weigh=weigh, host=host, opened=opened)

    async def _opens(self, room: Room, ip: str, first: line.Line | line.Fault | None) -> bool:
        """Whether the first line shows the PIN of this room. Raises `Refused` when it shows a wrong one."""
        match order(first.text) if isinstance(first, line.Line) else None:
            case plain.Join(room.name, str() as pin) if room.rules.now.pin:
                await self._rooms.enter(room, pin, ip)
                return True
        return False

    async def _pace(self, seat: LineSeat, ip: str) -> None:
        """What one address says too fast waits, in the end in its socket; nothing of it is lost."""
        limits = self._porch.limits
        while wait := limits.messages.wait(ip):
            if not seat.slowed:
                seat.slowed = True
                most = limits.numbers.messages_per_s
                seat.notice(f"{most} messages a second is all that one address may send: yours are taken at that pace")
            await asyncio.sleep(wait)

    async def _take(self, guest: Guest, seat: LineSeat, heard: line.Line | line.Fault) -> None:
        match heard:
            case line.Fault(refused):
                self._rooms.tally.refused(refused.code, "tcp")
                seat.notice(refused.message)
            case line.Line(text):
                if text.startswith("/"):
                    await seat.free()  # answers wait for who does not read them; mere words do not
                if (answer := guest.hear(text)) is not None:
                    await answer
                await guest.settle(at_most=ABREAST_MAX)


class _Said:
    """What one client says, line by line; what it said before it was let in comes first."""

    def __init__(self, reader: asyncio.StreamReader, tally: Tally) -> None:
        self._reader = reader
        self._tally = tally
        self._decoder = line.Decoder()
        self.held: list[line.Line | line.Fault] = []
        self.ended = False

    async def more(self) -> Iterable[line.Line | line.Fault] | None:
        """The next lines; None when all have been said."""
        if self.held:
            held, self.held = self.held, []
            return held
        return None if self.ended else await self.read(READ_BYTES)

    async def read(self, at_most: int) -> Iterable[line.Line | line.Fault]:
        data = await self._reader.read(at_most)
        self._tally.heard("tcp", len(data))
        self.ended = not data
        return self._decoder.feed(data) if data else self._decoder.end()


class _Doorstep:
    """Where a client from elsewhere stands until it shows the secret or a host lets it in: a minute, and one notice."""

    def __init__(self, porch: Porch, peer: Address, seat: LineSeat, said: _Said) -> None:
        self._porch = porch
        self._peer = peer
        self._seat = seat
        self._said = said
        self._told = False
        self._answer: Answer | None = None

    async def let_in(self) -> Role:
        """As whom it may come in, if it may. What it said meanwhile is held by `said`."""
        if not self._porch.greets("tcp", self._peer[0]):
            return Role.STRANGER
        try:
            async with asyncio.timeout(KNOCK_S):
                while (verdict := await self._verdict()) is None:
                    pass
                return verdict
        except (TimeoutError, line.NotLines, line.NotText):
            return Role.STRANGER
        finally:
            if self._answer is not None:
                self._answer.cancel()

    async def _verdict(self) -> Role | None:
        """What follows from the next thing that happens: something is said, or a host answers."""
        listens = not self._said.ended and len(self._said.held) < HELD_MAX
        listening = asyncio.ensure_future(self._said.read(DOORSTEP_READ_BYTES)) if listens else None
        happening = {future for future in (listening, self._answer) if future is not None}
        if not happening:
            return Role.STRANGER
        try:
            await asyncio.wait(happening, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if listening is not None and not listening.done():
                listening.cancel()
                await asyncio.wait([listening])  # or two would listen at once
        if listening is not None and not listening.cancelled():
            verdict = None
            for heard in listening.result():
                if verdict is None:
                    verdict = self._hear(heard)
                else:
                    self._said.held.append(heard)
            if verdict is not None:
                return verdict
        if self._answer is not None and self._answer.done():
            admitted = not self._answer.cancelled() and self._answer.result()
            return Role.MEMBER if admitted else Role.STRANGER
        return None

    def _hear(self, heard: line.Line | line.Fault) -> Role | None:
        text = heard.text.strip() if isinstance(heard, line.Line) else ""
        match order(text):
            case plain.Pass(secret):
                return self._weighed(secret)
            case plain.Quit():
                return Role.STRANGER
            case None:
                self._tell(OUTSIDE)
            case _:
                self._said.held.append(heard)
                if self._answer is None:
                    self._answer = self._porch.knock("tcp", self._peer, text)
                self._tell(OUTSIDE if self._answer is None else KNOCKED)
        return None

    def _weighed(self, secret: str) -> Role:
        try:
            return self._porch.weigh("tcp", self._peer[0], secret)
        except Refused as refused:
            self._tell(refused.message)
            return Role.STRANGER

    def _tell(self, notice: str) -> None:
        if not self._told:
            self._told = True
            self._seat.notice(notice)


async def _read_away(reader: asyncio.StreamReader) -> None:
    left = AWAY_MAX_BYTES
    with suppress(TimeoutError):
        while left > 0:
            async with asyncio.timeout(AWAY_S):
                data = await reader.read(READ_BYTES)
            if not data:
                return
            left -= len(data)
