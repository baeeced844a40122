"""The way out to one stream peer: written without waiting, watched for standing still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

HIGH_WATER_BYTES: Final = 128 * 1024
"""A seat that holds more than this is passed over; it stays behind as a cursor and costs no more memory."""
FREE_S: Final = 0.05
STALL_S: Final = 60.0
"""A reader that takes nothing at all for so long is let go; its place is kept by itself."""


class Outlet:
    """Wraps a transport. `stalled` is called once when it stood still too long; then the connection is cut."""

    def __init__(
        self, transport: asyncio.WriteTransport, stalled: Callable[[], None], stall_s: float = STALL_S
    ) -> None:
        self._transport = transport
        self._stalled = stalled
        self._stall_s = stall_s
        self._held = 0
        self._held_since = 0.0

    def write(self, data: bytes) -> None:
        """Never waits, never raises; what is written to a connection that is going is lost."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def full(self) -> bool:
        """Whether the peer had better be passed over; also where standing still is noticed."""
        held = self._transport.get_write_buffer_size()
        if held <= HIGH_WATER_BYTES:
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
        self._transport.abort()

    def _cut(self) -> None:
        """What it holds may still be read, but not for ever."""
        self._transport.close()
        asyncio.get_running_loop().call_later(self._stall_s, self._transport.abort)
