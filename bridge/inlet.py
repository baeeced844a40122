"""The way in from one stream peer that sends much: into two buffers by turns, while one is read the other fills.

Bytes are received where they are read, not copied from hand to hand: the kernel writes into a buffer of ours, whoever
reads is given a view of it. When the other is full too, the rest stays in the socket. Buffers begin small and grow with
what comes at once, so a crowd of small files weighs little (`bench/ingest.py`).
"""

from __future__ import annotations

import asyncio
from typing import Final

BUFFER_MIN_BYTES: Final = 16 * 1024
BUFFER_MAX_BYTES: Final = 1024 * 1024


class Inlet(asyncio.BufferedProtocol):
    """What `transport` brings after what was `held` already. `ended`: nothing more will come."""

    def __init__(self, transport: asyncio.Transport, held: bytes, ended: bool = False) -> None:
        self._transport = transport
        self._filling = memoryview(bytearray(len(held) + BUFFER_MIN_BYTES))
        self._filling[: len(held)] = held
        self._filled = len(held)
        self._spare = memoryview(b"")  # until there is something to read
        self._ended = ended
        self._waiting: asyncio.Future[None] | None = None

    async def read(self) -> memoryview:
        """What has come, a byte at least; it may be looked at until the next is asked for. Empty at the end."""
        if not self._filled and not self._ended:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        came, full = self._filling[: self._filled], self._filled == len(self._filling)
        if not self._spare or (full and len(self._spare) < BUFFER_MAX_BYTES):
            self._spare = memoryview(bytearray(min((1 + full) * len(self._filling), BUFFER_MAX_BYTES)))
        self._filling, self._spare, self._filled = self._spare, self._filling, 0
        if full and not self._transport.is_closing():
            self._transport.resume_reading()
        return came

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._filling[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        if self._filled == len(self._filling):
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return True  # half-closed: it may still want to read

    def connection_lost(self, exc: Exception | None) -> None:
        """What came is read to its end, also when the peer reset the connection: a file that is whole is done."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
