"""The door: what a stranger shows to be let in, and where to he is let in or turned away. (`docs/protocols/http.md`)

A program shows the token with each request. A browser shows it once, by a link or on the page that a stranger gets, and
has a cookie from then on, which is not the token: so it counts also from an address that was shut out for guessing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

from aiohttp import hdrs, web

from bridge.policy import Policy, Role
from bridge.tally import Tally
from bridge.transports.web.answers import Later, problem
from bridge.transports.web.body import whole
from bridge.transports.web.caller import caller_of, grant, is_secure, role_of

COOKIE_S: Final = 30 * 24 * 60 * 60
FORM_MAX_BYTES: Final = 4096
_OPEN: Final = frozenset({"/healthz", "/j", "/j/{token}", "/static/{path}", "/favicon.ico"})
_BROWSERS: Final = ("Sec-Fetch-Mode", hdrs.ACCEPT_LANGUAGE)
"""Every browser sends one of them with whatever it asks for: the first, where it takes a page for secure."""
_PATH: Final = re.compile(r"/(?![/\\])[!-~]*")
_CHALLENGE: Final = 'Basic realm="roombridge", charset="UTF-8"'
FORM_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Of the page that asks for the token: a form may be sent, to us."""
ASKED: Final = "a token is asked for here: ?token=TOKEN, Authorization: Bearer TOKEN, or curl -u :TOKEN"
UNBELIEVED: Final = (
    "a proxy or a tunnel passed this on, and who comes that way needs a token: start with --token, which makes one, or "
    "with --proxy CIDR where a proxy tells whom it speaks for"
)


class Render(Protocol):
    """Makes a page of a template, in the reader's language."""

    def __call__(self, request: web.Request, template: str, **values: Any) -> str: ...


class Door:
    """`GET /j/{token}`, `POST /j`, and who is turned away from everything else."""

    def __init__(self, policy: Policy, tally: Tally, render: Render) -> None:
        self._policy = policy
        self._tally = tally
        self._render = render

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/j/{token}", self.link), web.post("/j", self.form)]

    def meet(self, request: web.Request) -> web.Response | None:
        """Grant the request its role; the answer to one that ends here, None to one that may go on."""
        resource = request.match_info.route.resource
        is_open = resource is not None and resource.canonical in _OPEN
        role = self._role(request, () if is_open else _shown(request))
        grant(request, role)
        if is_open:
            return None
        if role is Role.STRANGER:
            return self._turn_away(request)
        if _is_navigation(request) and "token" in request.query:  # it shall not stay in the address bar
            return self._let_in(request, role, str(request.rel_url.without_query_params("token")))
        return None

    async def link(self, request: web.Request) -> web.Response:
        """The token as a link: to the room, with a cookie."""
        return self._weighed(request, request.match_info["token"], "/")

    async def form(self, request: web.Request) -> web.Response:
        """The token as it was typed: to where its reader wanted to go, with a cookie."""
        raw = await whole(request, FORM_MAX_BYTES, f"a form of more than {FORM_MAX_BYTES} bytes")
        fields = parse_qs(raw.decode(errors="replace"))
        return self._weighed(request, fields.get("token", [""])[0].strip(), fields.get("to", ["/"])[0])

    def hold(self, request: web.Request, later: Later) -> web.Response:
        """429: a page for people, which says when; a line for programs."""
        answer = problem(request, later.code, later.message, after=later.seconds)
        if _is_navigation(request):
            answer.text = self._render(request, "later.html", seconds=later.seconds)
            answer.content_type = "text/html"
            answer.headers[hdrs.CACHE_CONTROL] = "no-store"
        return answer

    def _weighed(self, request: web.Request, token: str, to: str) -> web.Response:
        role = self._weigh(request, token)
        if role is Role.STRANGER and role_of(request) is Role.STRANGER:
            return self._turn_away(request, wrong=True, to=to)
        return self._let_in(request, role, to)

    def _role(self, request: web.Request, secrets: Iterable[str]) -> Role:
        """The most of what address, cookie and secrets are worth."""
        cookie = self._policy.role_with_cookie(request.cookies.get(_cookie_name(request), ""))
        role = max(self._policy.role_in(caller_of(request).zone), cookie)
        shown = [secret for secret in secrets if secret]
        if shown and (role is Role.STRANGER or self._policy.guesses.allow(caller_of(request).ip)):
            role = max([role, *(self._weigh(request, secret) for secret in shown)])
        return role

    def _weigh(self, request: web.Request, secret: str) -> Role:
        """What a secret is worth; a wrong one is remembered. Raises `Later` where too many were wrong."""
        guesses, ip = self._policy.guesses, caller_of(request).ip
        if left := guesses.shut_for(ip):
            hours = f"{left / 3600:.0f} h" if left > 3600 else f"{left / 60:.0f} min"
            raise Later(f"too many wrong tokens came from your address; none is looked at for {hours}", left)
        role = self._policy.role_with(secret)
        if role is Role.STRANGER:
            guesses.wrong(ip, secret)
            self._tally.count("wrong_tokens")
        return role

    def _let_in(self, request: web.Request, role: Role, to: str) -> web.Response:
        answer = web.Response(status=303, headers={hdrs.LOCATION: _local(to), hdrs.CACHE_CONTROL: "no-store"})
        name = _cookie_name(request)
        if role > self._policy.role_with_cookie(request.cookies.get(name, "")):  # the host's own link makes no less
            cookie = self._policy.cookie(role)
            answer.set_cookie(name, cookie, max_age=COOKIE_S, httponly=True, samesite="Lax", secure=is_secure(request))
        return answer

    def _turn_away(self, request: web.Request, wrong: bool = False, to: str | None = None) -> web.Response:
        """401: a page for people, a line for programs, and for those a challenge; a browser would ask in a window."""
        asked = self._policy.tokens.member is not None
        self._tally.refused("forbidden", "http")
        if _is_navigation(request):
            to = to or str(request.rel_url.without_query_params("token"))
            wrong = wrong or any(_shown(request))
            page = self._render(request, "pass.html", asked=asked, wrong=wrong, to=_local(to))
            headers = {
                hdrs.CACHE_CONTROL: "no-store",
                "Content-Security-Policy": FORM_POLICY,
                "Referrer-Policy": "same-origin",  # without one, a browser posts the form as from nowhere: Origin: null
            }
            return web.Response(status=401, text=page, content_type="text/html", headers=headers)
        answer = problem(request, "forbidden", ASKED if asked else UNBELIEVED, 401)
        if not any(header in request.headers for header in _BROWSERS):
            answer.headers[hdrs.WWW_AUTHENTICATE] = _CHALLENGE
        return answer


def _shown(request: web.Request) -> Iterator[str]:
    """Every secret that a request shows, as a program may show it."""
    kind, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    match kind.casefold():
        case "bearer":
            yield value.strip()
        case "basic":
            try:
                yield base64.b64decode(value.strip(), validate=True).decode(errors="replace").partition(":")[2]
            except (binascii.Error, ValueError):
                yield value
    if token := request.query.get("token"):
        yield token


def _is_navigation(request: web.Request) -> bool:
    """Whether a person will read the answer."""
    return "text/html" in request.headers.get(hdrs.ACCEPT, "")


def _cookie_name(request: web.Request) -> str:
    """Cookies ignore ports, and another room may live on another."""
    sockname = request.transport.get_extra_info("sockname") if request.transport else None
    return f"roombridge-{sockname[1]}" if sockname else "roombridge"


def _local(to: str) -> str:
    """A path of ours: nothing that a browser takes for another server's."""
    return to if _PATH.fullmatch(to) else "/"
