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
from bridge.policy import Policy
from bridge.policy.callers import Sockname
from bridge.policy.zones import bare
from bridge.tally import Tally
from bridge.transports.web.answers import RETRY_AFTER_S, Later, code_for, problem
from bridge.transports.web.caller import caller_of, host_of, is_secure, meet, origin
from bridge.transports.web.door import Door

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
_UPLOADS: Final = frozenset({"multipart/form-data", "application/offset+octet-stream"})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Middleware and headers for the whole application. `names` are the host names that are ours beside loopback."""

    def __init__(self, names: Collection[str], policy: Policy, door: Door, tally: Tally) -> None:
        self._policy = policy
        self._door = door
        self._tally = tally
        self._names = frozenset(name.casefold() for name in names)

    def protect(self, app: web.Application) -> None:
        app.middlewares.append(self._admit)
        app.on_response_prepare.append(self._shield)

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            meet(request, self._policy.callers.of(_end(request, "peername"), request.headers.items()))
            self._check(request)
            answer = self._door.meet(request)
            return await self._within_limits(request, handler) if answer is None else answer
        except Later as later:
            self._tally.refused(later.code, "http")
            return self._door.hold(request, later)
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
            logger.exception("%s %r failed", request.method, request.path)  # never that of a token: it stores nothing
            told = fault.told if isinstance(fault, Unsure) else "the server could not do it; its log says more"
            return self._problem(request, "busy", told, 500)

    def _check(self, request: web.Request) -> None:
        """Raises what is to be answered to who may not ask, or not so."""
        host = host_of(request)
        reached = _end(request, "sockname")
        if not self.is_ours(host, reached[0] if reached else ""):
            raise web.HTTPMisdirectedRequest(
                reason=f"Host {host[:100]!r} is not a name of this server; --allow-host NAME makes it one"
            )
        ours = origin(request)
        if not (ours.startswith("https:") or self._policy.may_speak_plainly(request.remote or "")):
            raise Refused("forbidden", f"this server asks for TLS: https://{host}/")
        page = request.headers.get(hdrs.ORIGIN)
        if page is not None and page.casefold() != ours.casefold():
            raise Refused("forbidden", f"Origin {page[:100]!r} is not this server's own")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.method not in _READING and site in ("cross-site", "same-site"):
            raise Refused("forbidden", f"a {site} page may not change anything here")
        for header, plain in _PLAIN.items():
            if request.headers.get(header, plain).strip().lower() != plain:
                raise Refused("unsupported", f"{header} is not taken: send the bytes as they are")

    async def _within_limits(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Raises `Later` when one address asks for more than it may."""
        limits, ip = self._policy.limits, caller_of(request).ip
        if request.method not in _READING and (wait := limits.messages.wait(ip)):
            most = limits.numbers.messages_per_s
            raise Later(f"one address may send {most} messages a second (--messages-per-s)", wait)
        if not _is_upload(request):
            return await handler(request)
        if not limits.uploads.enter(ip):
            raise Later(f"one address may send {limits.uploads.most} files at once (--uploads-per-address)")
        try:
            return await handler(request)
        finally:
            limits.uploads.leave(ip)

    def _problem(
        self,
        request: web.BaseRequest,
        code: Code,
        message: str,
        status: int | None = None,
        after: float = RETRY_AFTER_S,
    ) -> web.Response:
        self._tally.refused(code, "http")
        return problem(request, code, message, status, after)

    def is_ours(self, host: str, reached: str) -> bool:
        """Whether a `Host` header names this server: loopback, the address that was reached, or a name of ours."""
        return _bare(host) in self._names or _loopback(host) or _same_address(_bare(host), reached)

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
        if is_secure(request) or _loopback(host_of(request)):
            # Elsewhere browsers ignore it and complain in every console: http://room.lan is no secure context.
            response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Server"] = "roombridge"  # which library and version is nobody's business


def _end(request: web.Request, which: str) -> Sockname | None:
    """The address of one end of the connection; one that is gone has none."""
    found: Sockname | None = request.transport.get_extra_info(which) if request.transport else None
    return found


def _is_upload(request: web.Request) -> bool:
    """Whether the body is a file, or holds some."""
    return request.method in ("PUT", "PATCH") or (request.method == "POST" and request.content_type in _UPLOADS)


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


def _same_address(name: str, reached: str) -> bool:
    try:
        return bare(name) == bare(reached)
    except ValueError:
        return False
