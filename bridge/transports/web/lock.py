"""Rooms with a PIN: whatever a request wants of such a room, it shows the PIN, or the cookie that a right one earned.

The page itself is given without anything of the room in it, and asks for the PIN. (`docs/protocols/http.md`)
"""

from __future__ import annotations

import hashlib
from typing import Final

from aiohttp import web

from bridge.room import Room
from bridge.rooms import Rooms
from bridge.transports.web.caller import caller_of
from bridge.transports.web.guard import Handler
from bridge.transports.web.visitor import header_text, is_host

_DEFAULT: Final = frozenset({("POST", "/"), ("PUT", "/"), ("PUT", "/{name}")})
_PAGE: Final = "/r/{room}"
_LOCKED: Final = web.RequestKey("locked", bool)


class Lock:
    """`room` is the one that requests mean which name none."""

    def __init__(self, rooms: Rooms, room: str) -> None:
        self._rooms = rooms
        self._room = room

    def protect(self, app: web.Application) -> None:
        """Behind the guard, whose answers to who is refused are used."""
        app.middlewares.append(self._ask)

    @web.middleware
    async def _ask(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = resource.canonical if resource else ""
        name = self._room if (request.method, path) in _DEFAULT else request.match_info.get("room")
        if name is None or is_host(request):
            return await handler(request)
        room = await self._rooms.get(name)
        if not room.rules.now.pin or await room.opened_by(request.cookies.get(_cookie(request, room), "")):
            return await handler(request)
        pin = header_text(request, "X-Pin") or request.query.get("pin")
        if pin is None and path == _PAGE and request.method in ("GET", "HEAD"):
            request[_LOCKED] = True
            return await handler(request)
        await self._rooms.enter(room, pin, caller_of(request).ip)
        response = await handler(request)
        if not response.prepared:
            response.set_cookie(_cookie(request, room), room.digest(pin or ""), httponly=True, samesite="Lax")
        return response


def is_locked(request: web.BaseRequest) -> bool:
    """Whether nothing of the room may be shown, because its PIN was not."""
    return bool(request.get(_LOCKED, False))


def _cookie(request: web.Request, room: Room) -> str:
    """Cookies ignore ports, and have names in ASCII."""
    return f"pin-{request.url.port}-{hashlib.blake2b(room.name.encode(), digest_size=6).hexdigest()}"
