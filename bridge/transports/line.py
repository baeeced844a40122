"""TCP lines: `nc HOST PORT` is in the room. (`docs/protocols/line.md`)"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import Final

from bridge.guest import Guest
from bridge.model import Refused, address
from bridge.outlet import Outlet
from bridge.policy import Policy, Role
from bridge.rooms import Rooms
from bridge.wire import line

READ_BYTES: Final = 64 * 1024
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
        self.form = line.LineForm(f"http://{address(writer.get_extra_info('sockname'))}")
        self.hung_up = False

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

    def __init__(self, rooms: Rooms, room: str, policy: Policy) -> None:
        self._rooms = rooms
        self._room = room
        self._policy = policy

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until its end; the last words of a client that closed only its own side are stored too."""
        if self._policy.role_of((writer.get_extra_info("peername") or ("",))[0]) is Role.STRANGER:
            self._rooms.tally.refused("forbidden", "tcp")
            return
        guest: Guest | None = None
        seat = LineSeat(writer)
        decoder = line.Decoder()
        turn = count(1)
        try:
            while not seat.hung_up:
                data = await reader.read(READ_BYTES)
                self._rooms.tally.heard("tcp", len(data))
                for heard in decoder.feed(data) if data else decoder.end():
                    if guest is None:
                        room = await self._rooms.get(self._room)
                        guest = Guest(self._rooms, room, seat, "tcp", address(writer.get_extra_info("peername")))
                    await self._take(guest, seat, heard)
                    if next(turn) % TURN_LINES == 0:
                        await asyncio.sleep(0)
                    if seat.hung_up:
                        break
                if not data:
                    break
            if guest:
                await guest.settle()
        except Refused as refused:  # at the door
            self._rooms.tally.refused(refused.code, "tcp")
            seat.bye(refused.message)
        except line.NotLines:
            self._rooms.tally.refused("bad_request", "tcp")
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


async def _read_away(reader: asyncio.StreamReader) -> None:
    left = AWAY_MAX_BYTES
    with suppress(TimeoutError):
        while left > 0:
            async with asyncio.timeout(AWAY_S):
                data = await reader.read(READ_BYTES)
            if not data:
                return
            left -= len(data)
