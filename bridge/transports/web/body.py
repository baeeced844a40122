"""A request's body, taken only when it is wanted and never waited for without end.

`Expect: 100-continue` is answered here, when a handler has checked everything and asks for the first byte: what is
refused before costs the sender nothing (RFC 9110 section 10.1.1). aiohttp has no clock for bodies; this is ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Final, TypeVar

from aiohttp import hdrs, web

from bridge.model import Refused
from bridge.policy import Zone
from bridge.transports.web.caller import caller_of

T = TypeVar("T")

SILENCE_S: Final = 60.0
"""A body may pause for so long, then it is over."""
GRACE_S: Final = 20.0
RATE_BYTES_S: Final = 500
"""From elsewhere a body must come so fast, once it had so long (Apache: `RequestReadTimeout body=20,MinRate=500`)."""
_WAITED: Final = web.RequestKey("waited", float)


async def hold(request: web.Request) -> web.StreamResponse | None:
    """The expect handler of every route: nothing yet, the body decides."""
    return None


async def body(request: web.Request) -> AsyncIterator[bytes]:
    """The body in pieces as they come. Raises `HTTPRequestTimeout` when its sender falls silent."""
    await go_on(request)
    while piece := await timely(request, request.content.readany()):
        yield piece


async def go_on(request: web.Request) -> None:
    """Tell a sender that waits for leave that its body is wanted. Whoever reads a body by `timely` begins with this."""
    expectation = request.headers.get(hdrs.EXPECT)
    if expectation is None or request.version < (1, 1):
        return
    if expectation.strip().lower() != "100-continue":
        raise web.HTTPExpectationFailed(reason=f"expectation {expectation[:64]!r} is unknown")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0


async def timely(request: web.Request, coming: Awaitable[T]) -> T:
    """What the body brings next. Raises `HTTPRequestTimeout` when its sender falls silent, or is too slow."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    patience = _patience(request)
    try:
        async with asyncio.timeout(min(SILENCE_S, patience)):
            return await coming
    except TimeoutError:
        if patience < SILENCE_S:
            raise web.HTTPRequestTimeout(reason=f"less than {RATE_BYTES_S} bytes a second of the body") from None
        raise web.HTTPRequestTimeout(reason=f"no byte of the body for {SILENCE_S:.0f} s") from None
    finally:
        request[_WAITED] = request.get(_WAITED, 0.0) + loop.time() - began


def _patience(request: web.Request) -> float:
    """How long its sender may still be waited for; what we need for the disk in between is not his."""
    if caller_of(request).zone is not Zone.ELSEWHERE:
        return SILENCE_S
    waited: float = request.get(_WAITED, 0.0)
    return GRACE_S + request.content.total_bytes / RATE_BYTES_S - waited


async def whole(request: web.Request, most: int, what: str) -> bytes:
    """The whole body if it is at most `most` bytes; of a longer one no more than that is read."""
    if request.content_length is not None and request.content_length > most:
        raise Refused("too_long", what)
    held = bytearray()
    async for piece in body(request):
        held += piece
        if len(held) > most:
            raise Refused("too_long", what)
    return bytes(held)
