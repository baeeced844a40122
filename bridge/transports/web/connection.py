"""One HTTP connection: aiohttp's own, with our limits and clocks, and our last words to what is no HTTP."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import StreamReader, web
from aiohttp.streams import EMPTY_PAYLOAD

from bridge.transports.web.guard import Guard, http_logger

KEEPALIVE_S: Final = 30.0
"""How long a connection may be silent, or take over the headers of a request. aiohttp would wait for an hour."""
LINE_MAX_BYTES: Final = 8190
"""Of a request's target, and of each header."""
HEADERS_MAX: Final = 64
WORDS_MAX: Final = 200


class Connection(web.RequestHandler):
    """What is no HTTP never reaches a handler or the guard's middleware, so the guard is asked for the answer here."""

    def __init__(self, manager: web.Server, guard: Guard) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEPALIVE_S,
            max_line_size=LINE_MAX_BYTES,
            max_field_size=LINE_MAX_BYTES,
            max_headers=HEADERS_MAX,
            auto_decompress=False,
            logger=http_logger,
            access_log=None,  # type: ignore[arg-type]  # which means none
        )
        self._guard = guard
        self._answered = 0
        self._newest: StreamReader = EMPTY_PAYLOAD
        """The body of the newest request."""
        self.half_closed = False
        """Whether the client has closed its own side: it asks nothing more, and may still read."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages and self._newest.is_eof():  # after half a body comes nothing but the complaint about it
            self._newest = self._messages[-1][1]

    def eof_received(self) -> bool:  # type: ignore[override]  # aiohttp's returns nothing, and so closes at once
        """Who asked and closed its own side (`nc -N`) is answered first; half a request gets no answer.

        `_request_count` and `_messages` are aiohttp's own affairs, held by tests/transports/web/test_connection.py.
        """
        self.half_closed = True
        return self._answered < self._request_count and self._newest.is_eof()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send it; the last answer to a client that closed its own side ends the connection."""
        try:
            finished = await super().finish_response(request, resp, start_time)
        except RuntimeError as exc:
            # asyncio's `sendfile` says it thus when the client went while the file was being opened.
            if self.transport is None or self.transport.is_closing():
                raise ConnectionResetError("the client has gone") from exc
            raise
        self._answered += 1
        if self.half_closed and self._answered >= self._request_count:
            self.close()
        return finished

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Logged and closed as aiohttp does it, in words of ours: its own name its version and repeat what was sent."""
        super().handle_error(request, status, exc, message)
        answer = self._guard.problem(request, status, _words(status, message or ""))
        answer.force_close()
        return answer


def _words(status: int, message: str) -> str:
    if status >= 500:
        return "the server has a fault of its own; its log says more"
    what = message.partition("\n")[0].partition(": b")[0].rstrip(": ")[:WORDS_MAX]
    hint = " (percent-encode what is not ASCII)" if "url" in what else ""
    return f"this is no HTTP request that can be read: {what}{hint}"
