"""Who may ask: only pages of our own reach us through a browser, and every answer carries its shield.

A name that rebinding DNS points at us fails on `Host`; a page of another origin fails on `Origin` or on
`Sec-Fetch-Site`. Programs send none of the latter two and are let through. (`docs/security.md`)
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError

from bridge.model import Code, Refused, StoreError, Unsure
from bridge.policy import Policy, Role
from bridge.tally import Tally
from bridge.transports.web.answers import code_for, problem
from bridge.transports.web.caller import grant, role_of

logger = logging.getLogger("roombridge.web")
http_logger = logging.getLogger("roombridge.web.http")
"""Where aiohttp tells of requests that it could not read."""


def _whose_fault(record: logging.LogRecord) -> bool:
    """aiohttp calls everything an error; what is no HTTP is the sender's fault, and worth one line."""
    fault = record.exc_info[1] if record.exc_info else None
    if isinstance(fault, HttpProcessingError):
        record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
        record.msg, record.args = "a request was no HTTP: %s", (type(fault).__name__,)  # its message quotes headers
    return http_logger.isEnabledFor(record.levelno)


http_logger.addFilter(_whose_fault)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_SHIELD: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": PAGE_POLICY,
}
_PLAIN: Final = {hdrs.CONTENT_ENCODING: "identity", hdrs.TRANSFER_ENCODING: "chunked"}
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Middleware and headers for the whole application. `names` are the host names that are ours beside loopback."""

    def __init__(self, names: Collection[str], policy: Policy, tally: Tally) -> None:
        self._policy = policy
        self._tally = tally
        self._names = frozenset(name.casefold() for name in names)

    def protect(self, app: web.Application) -> None:
        app.middlewares.append(self._admit)
        app.router.add_get("/j/{token}", self._link)
        app.on_response_prepare.append(self._shield)

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._check(request)
            return await handler(request)
        except Refused as refused:
            return self._problem(request, refused.code, refused.message)
        except web.HTTPError as error:
            answer = self._problem(request, code_for(error.status), _reason(error), error.status)
            if isinstance(error, web.HTTPMethodNotAllowed):
                answer.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
            if isinstance(error, web.HTTPRequestTimeout):
                answer.force_close()  # the rest of its body may still come, and is not to be read as a request
            return answer
        except ConnectionError:  # theirs: the body broke off, and nobody is left to hear of it
            return self._problem(request, "bad_request", "the connection broke off")
        except StoreError as fault:
            logger.exception("%s %r failed", request.method, request.path)
            told = fault.told if isinstance(fault, Unsure) else "the server could not do it; its log says more"
            return self._problem(request, "busy", told, 500)

    def _check(self, request: web.Request) -> None:
        """Raises what is to be answered to who may not ask, or not so."""
        host = request.headers.get(hdrs.HOST, "")
        if not self.is_ours(host):
            raise web.HTTPMisdirectedRequest(
                reason=f"Host {host[:100]!r} is not a name of this server; --allow-host NAME makes it one"
            )
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin.casefold() != f"{request.scheme}://{host}".casefold():
            raise Refused("forbidden", f"Origin {origin[:100]!r} is not this server's own")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.method not in _READING and site in ("cross-site", "same-site"):
            raise Refused("forbidden", f"a {site} page may not change anything here")
        grant(request, self._role(request))
        if role_of(request) is Role.STRANGER:
            raise web.HTTPUnauthorized(reason="a token is asked for here")
        for header, plain in _PLAIN.items():
            if request.headers.get(header, plain).strip().lower() != plain:
                raise Refused("unsupported", f"{header} is not taken: send the bytes as they are")

    def _role(self, request: web.Request) -> Role:
        """The most of what address, token and cookie are worth."""
        kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        shown = [token] if kind == "Bearer" else []
        shown += [*request.query.getall("token", []), request.cookies.get(f"roombridge-{request.url.port}", "")]
        return max(self._policy.role_of(request.remote or ""), *(self._policy.role_with(secret) for secret in shown))

    async def _link(self, request: web.Request) -> web.Response:
        """The token as a link: to the room, with a cookie."""
        answer = web.Response(status=303, headers={hdrs.LOCATION: "/"})
        token = request.match_info["token"]
        answer.set_cookie(f"roombridge-{request.url.port}", token, httponly=True, samesite="Lax")
        return answer

    def _problem(self, request: web.BaseRequest, code: Code, message: str, status: int | None = None) -> web.Response:
        self._tally.refused(code, "http")
        return problem(request, code, message, status)

    def is_ours(self, host: str) -> bool:
        """Whether a `Host` header names this server: loopback, an address we listen on, or an allowed name."""
        return _bare(host) in self._names or _loopback(host)

    def problem(self, request: web.BaseRequest, status: int, message: str) -> web.Response:
        """The answer to a request that never came as far as the middleware."""
        answer = self._problem(request, code_for(status), message, status)
        self._dress(request, answer)
        return answer

    async def _shield(self, request: web.Request, response: web.StreamResponse) -> None:
        self._dress(request, response)

    def _dress(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        self._tally.count("answer_bytes", response.content_length or 0)
        for name, value in _SHIELD.items():
            response.headers.setdefault(name, value)
        if request.secure or _loopback(request.headers.get(hdrs.HOST, "")):
            # Elsewhere browsers ignore it and complain in every console: http://room.lan is no secure context.
            response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Server"] = "roombridge"  # which library and version is nobody's business


def _reason(error: web.HTTPError) -> str:
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{error.method} does nothing here, but {', '.join(sorted(error.allowed_methods))} may"
    return error.reason


def _bare(host: str) -> str:
    """A `Host` header without its port."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.casefold().rstrip(".")


def _loopback(host: str) -> bool:
    name = _bare(host)
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
