"""Where a WebSocket changes hands: aiohttp shakes them, and lets go of the connection without closing it."""

from __future__ import annotations

import asyncio

from aiohttp import web


class Handshake(web.WebSocketResponse):
    """aiohttp's handshake and no more: afterwards the connection is somebody else's."""

    def __init__(self) -> None:
        super().__init__(compress=False)

    async def take_over(self, request: web.Request) -> tuple[asyncio.Transport, bytes] | None:
        """The transport, not reading, and what the client sent ahead of our answer; None if it has gone.

        `_message_tail` and what follows the handshake are aiohttp's own affairs: pinned in pyproject.toml, and held by
        tests/transports/test_handshake.py.
        """
        protocol, transport = request.protocol, request.transport
        if transport is None:
            return None
        transport.pause_reading()  # nothing may come between two protocols
        ahead, protocol._message_tail = protocol._message_tail, b""
        try:
            await self.prepare(request)
        except web.HTTPException:  # no handshake after all: its next request is aiohttp's as before
            protocol._message_tail = ahead
            transport.resume_reading()
            raise
        protocol.transport = None  # or it would close the connection when it hears of its loss
        protocol.connection_lost(None)
        return transport, ahead

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing: what aiohttp takes for the end is the beginning."""
