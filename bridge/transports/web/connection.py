"""One HTTP connection: aiohttp's own, with our limits and clocks, and our last words to what is no HTTP."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

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
