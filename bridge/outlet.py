"""The way out to one stream peer: written without waiting, watched for standing still.

Bytes go straight to the socket while the transport holds none, because that is what a crowd costs: one system call a
seat and little else (`bench/fanout.py`). What the socket does not take is the transport's, and so is all that follows
until it holds nothing again. A socket that is closed takes nothing, whoever has its descriptor by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

HIGH_WATER_BYTES: Final = 128 * 1024
"""A seat that holds more than this is passed over; it stays behind as a cursor and costs no more memory."""
FREE_S: Final = 0.05
STALL_S: Final = 60.0
"""A reader that takes nothing at all for so long is let go; its place is kept by itself."""
_NOWHERE: Final = -1


class Outlet:
    """A seat's way to its peer. A seat of streams is one of these with a form."""

    __slots__ = ("_held", "_held_since", "_send", "_stall_s", "_transport", "straight")

    def __init__(self, transport: asyncio.WriteTransport, stall_s: float = STALL_S) -> None:
        self._transport = transport
        self._stall_s = stall_s
        self._send = _send(transport)
        self.straight: Callable[[bytes], int] | None = None  # perhaps it holds something: `full` looks
        self._held = 0
        self._held_since = 0.0

    def deliver(self, data: bytes) -> None:
        """Never waits, never raises; what is written to a connection that is going is lost."""
        if self.straight is not None:
            try:
                sent = self.straight(data)
            except OSError:  # there is no room, or nobody: the transport will know which
                sent = 0
            if sent == len(data):
                return
            self.straight = None
            data = data[sent:]
        if not self._transport.is_closing():
            self._transport.write(data)

    def full(self) -> bool:
        """Whether the peer had better be passed over; also where standing still is noticed."""
        if self.straight is not None:
            return False
        held = self._transport.get_write_buffer_size()
        if held <= HIGH_WATER_BYTES:
            self.straight = None if held else self._send
            self._held = 0
            return False
        now = asyncio.get_running_loop().time()
        if not self._held or held < self._held:  # the first look, or something left
            self._held, self._held_since = held, now
        elif now - self._held_since > self._stall_s and not self._transport.is_closing():
            self._stalled()
            self._cut()
        return True

    async def free(self) -> None:
        """Wait until there is room; for a peer's own task alone, so that its wishes do not outrun its reading."""
        while self.full() and not self._transport.is_closing():  # noqa: ASYNC110 - the transport tells only its protocol
            await asyncio.sleep(FREE_S)

    def abort(self) -> None:
        self._shut()
        self._transport.abort()

    def _stalled(self) -> None:
        """It stood still too long and is about to be cut: a language that has words for that says them here."""

    def _cut(self) -> None:
        """What it holds may still be read, but not for ever."""
        self._shut()
        self._transport.close()
        asyncio.get_running_loop().call_later(self._stall_s, cut, self._transport)

    def _shut(self) -> None:
        """The socket lives a moment longer than the connection."""
        self._send = self.straight = None


def cut(transport: asyncio.WriteTransport) -> None:
    """Abort, by a timer: asyncio's own `abort` fails on a transport that was closed with bytes in it and has got rid of
    them since."""
    connection = transport.get_extra_info("socket")
    if connection is None or connection.fileno() != _NOWHERE:
        transport.abort()


def _send(transport: asyncio.WriteTransport) -> Callable[[bytes], int] | None:
    """The socket's own; None under TLS, and where the loop keeps its sockets to itself (uvloop).

    `_sock` is asyncio's own affair: held by tests/test_outlet.py.
    """
    if transport.get_extra_info("sslcontext") is not None:
        return None
    return getattr(getattr(transport.get_extra_info("socket"), "_sock", None), "send", None)
