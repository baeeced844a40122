"""Who asks, and what he may: found out once at the guard, and kept with the request from there on."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bridge.policy import Role

_ROLE: Final = web.RequestKey("role", Role)


def grant(request: web.Request, role: Role) -> None:
    request[_ROLE] = role


def role_of(request: web.BaseRequest) -> Role:
    """What he may do."""
    role: Role = request.get(_ROLE, Role.STRANGER)
    return role
