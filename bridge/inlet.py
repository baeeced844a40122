"""The way in from one stream peer that sends much: into two buffers by turns, while one is read the other fills.

Bytes are received where they are read, not copied from hand to hand: the kernel writes into a buffer of ours, whoever
reads is given a view of it. When the other is full too, the rest stays in the socket. Buffers begin small and grow with
what comes at once, so a crowd of small files weighs little (`bench/ingest.py`).

Of a large file a thread that writes it asks the socket itself for all that has come, so the loop is not woken for every
piece; it only sees that there is something again.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

BUFFER_MIN_BYTES: Final = 16 * 1024
BUFFER_MAX_BYTES: Final = 1024 * 1024
LEND_MIN_BYTES: Final = 256 * 1024
"""Of what is shorter the loop's own reading is done before a thread has begun."""


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
        self._lends = False  # then a first bite is enough for the loop

    async def read(self) -> memoryview:
        """What has come, a byte at least; it may be looked at until the next is asked for. Empty at the end."""
        if not self._filled and not self._ended:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        came, full = self._filling[: self._filled], self._filled == len(self._filling)
        if not self._spare or (full and len(self._spare) < BUFFER_MAX_BYTES and not self._lends):
            self._spare = memoryview(bytearray(min((1 + full) * len(self._filling), BUFFER_MAX_BYTES)))
        self._filling, self._spare, self._filled = self._spare, self._filling, 0
        if full and not self._transport.is_closing():
            self._transport.resume_reading()
        return came

    @contextmanager
    def lend(self, most: int) -> Iterator[Callable[[memoryview], int] | None]:
        """While the block lasts the loop leaves the socket alone, and a thread may have its own buffer filled with what
        comes next and is there already, at most `most` bytes in all: how many came. 0: nothing just now, or never more.

        None: not here (TLS, other loops than asyncio's for Unix), or not worth while.
        """
        whole = not self._filled  # else what came earlier comes first
        own = self._duplicate() if whole and most >= LEND_MIN_BYTES else None
        if own is None:
            yield None
            return
        self._lends = True
        hand = _Hand(own, most)
        self._transport.pause_reading()
        try:
            yield hand.receive
        finally:
            hand.give_back()
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def _duplicate(self) -> socket.socket | None:
        """The socket by a descriptor of its own: whatever becomes of the connection meanwhile, it is nobody else's."""
        here = sys.platform != "win32" and isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)
        if not here or self._transport.is_closing() or self._transport.get_extra_info("sslcontext") is not None:
            return None
        ours = self._transport.get_extra_info("socket")
        with suppress(OSError):
            return socket.socket(ours.family, ours.type, ours.proto, os.dup(ours.fileno()))
        return None

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


class _Hand:
    """A socket in the hand of a thread; whoever lent it may have it back at any time."""

    def __init__(self, own: socket.socket, left: int) -> None:
        self._own: socket.socket | None = own
        self._left = left
        self._lock = threading.Lock()

    def receive(self, into: memoryview) -> int:
        with self._lock:
            if self._own is None or not self._left:
                return 0
            size = 0
            with suppress(OSError):  # nothing, or nobody: the loop will see nothing either, or the end
                size = self._own.recv_into(into[: self._left])
            self._left -= size
            return size

    def give_back(self) -> None:
        with self._lock:
            if self._own is not None:
                self._own.close()
                self._own = None
