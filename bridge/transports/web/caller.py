"""Who asks, and what he may: found out once at the guard, and kept with the request from there on."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from bridge.policy import Caller, Role, Zone

_CALLER: Final = web.RequestKey("caller", Caller)
_ROLE: Final = web.RequestKey("role", Role)
_NOBODY: Final = Caller("?", "?", Zone.ELSEWHERE)


def meet(request: web.Request, caller: Caller) -> None:
    request[_CALLER] = caller


def grant(request: web.Request, role: Role) -> None:
    request[_ROLE] = role


def caller_of(request: web.BaseRequest) -> Caller:
    """Who asks; of a request that never came as far as the guard: nobody."""
    caller: Caller = request.get(_CALLER, _NOBODY)
    return caller


def role_of(request: web.BaseRequest) -> Role:
    """What he may do."""
    role: Role = request.get(_ROLE, Role.STRANGER)
    return role


def host_of(request: web.BaseRequest) -> str:
    """By which name and port we were called, as the caller said it, or the proxy that speaks for him."""
    return caller_of(request).host or str(request.headers.get(hdrs.HOST, ""))


def origin(request: web.BaseRequest) -> str:
    """That of a page which came from here."""
    return f"{'https' if is_secure(request) else 'http'}://{host_of(request)}"


def is_secure(request: web.BaseRequest) -> bool:
    return (caller_of(request).scheme or request.scheme) == "https"
