"""The doorkeeper: counts who is inside, from where, and shows the silent out first.

A connection counts from its acceptance until its descriptor is closed. The socket itself tells of that, because whoever
holds its transport by then (an opening, a stream, aiohttp) may be anybody. Those who have not said one byte may hold a
quarter of the places: browsers open such connections ahead of need, and anybody could open thousands.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bridge.model import Address
from bridge.policy import Limits, Sketch
from bridge.tally import Tally

logger = logging.getLogger("roombridge.door")

SILENT_SHARE: Final = 4
"""The silent may be one in so many."""
TOLD_EVERY_S: Final = 60.0
"""The log says once in so much time who is turned away: nobody else can say it, before a language is known."""


class Connection(socket.socket):
    """An accepted socket that says when it is gone, and knows its peer even when that is gone first."""

    __slots__ = ("_gone", "_peer", "ip")  # a dictionary each would be a tenth of what an idle browser weighs

    def __init__(self, accepted: socket.socket, peer: Address, gone: Callable[[Connection], None]) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self.setblocking(False)
        self.ip = peer[0]
        self._peer = peer
        self._gone = gone

    def getpeername(self) -> Address:
        return self._peer

    def close(self) -> None:
        super().close()
        self._gone(self)

    def detach(self) -> int:
        """How uvloop closes it."""
        descriptor = super().detach()
        self._gone(self)
        return descriptor

    def has_spoken(self) -> bool:
        """Whether bytes wait to be read: then it is not silent, we only have not listened yet."""
        with suppress(OSError):
            return bool(self.recv(1, socket.MSG_PEEK))
        return False


class Doorkeeper:
    """At most `most` inside. `room_again` is called when somebody leaves a full house."""

    def __init__(self, most: int, room_again: Callable[[], None], tally: Tally, limits: Limits) -> None:
        self._most = most
        self._limits = limits
        self._room_again = room_again
        self._gone = self._leave  # one for all
        self._tally = tally
        self._inside: set[Connection] = set()
        self._silent: dict[Connection, Callable[[], None]] = {}  # oldest first
        self._telling = Sketch(TOLD_EVERY_S, slots=1)

    @property
    def inside(self) -> int:
        return len(self._inside)

    @property
    def full(self) -> bool:
        return len(self._inside) >= self._most

    def admit(self, accepted: socket.socket, peer: Address) -> Connection | None:
        """None, and it is closed before a byte, if its address has too many, or came too often just now."""
        if most := self._too_many(peer[0]):
            accepted.close()
            self._tally.count("connections_turned_away")
            if self._telling.take(None, time.monotonic()):
                logger.warning("closed a connection of %s: one address may open %s", peer[0], most)
            return None
        connection = Connection(accepted, peer, self._gone)
        self._inside.add(connection)
        return connection

    def silent(self, connection: Connection, show_out: Callable[[], None]) -> None:
        """It has said nothing so far; `show_out` ends it. The oldest go when there are too many."""
        self._silent[connection] = show_out
        while len(self._silent) > max(1, self._most // SILENT_SHARE) and self.make_room():
            pass

    def speaks(self, connection: Connection) -> None:
        """Its first byte came, or it is over: it counts as silent no more."""
        self._silent.pop(connection, None)

    def make_room(self) -> bool:
        """Show the oldest of the silent out; False if there is none."""
        for connection in self._silent:
            if not connection.has_spoken():
                self._silent.pop(connection)()
                self._tally.count("silent_connections_closed")
                return True
        return False

    def _too_many(self, ip: str) -> str | None:
        """What one address may open, if that is reached; else one more counts."""
        numbers = self._limits.numbers
        if self._limits.connects.wait(ip):
            return f"{numbers.connects_per_s} a second (--connects-per-s)"
        if not self._limits.connections.enter(ip):
            return f"{numbers.connections} at once (--connections-per-address)"
        return None

    def _leave(self, connection: Connection) -> None:
        if connection not in self._inside:
            return
        was_full = self.full
        self._inside.discard(connection)
        self._limits.connections.leave(connection.ip)
        self._silent.pop(connection, None)
        if was_full and not self.full:
            self._room_again()
