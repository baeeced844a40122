"""The page: first painted here with what was said last, then taken over by its modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import jinja2
import msgspec
from aiohttp import web

from bridge import __version__, gate
from bridge.model import Peer, Refused, Ruling
from bridge.rooms import Rooms
from bridge.transports.web.answers import json, wants_json
from bridge.transports.web.lock import is_locked

LANGUAGES: Final = ("en", "zh-CN")
# Set here and not looked up: a machine's registry may call .js something else, and modules then refuse to load.
_TYPES: Final = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
    ".html": "text/html",
}


class RoomAbout(msgspec.Struct, frozen=True):
    """A room's description: `peers` are some of the `count` who are here."""

    name: str
    epoch: str
    last_seq: int
    seats: int
    peers: list[Peer]
    count: int
    rules: Ruling


class PageHandlers:
    """`GET /`, `GET /r/{room}` and `GET /static/…`. `folder` holds `static/` and `templates/`."""

    def __init__(self, rooms: Rooms, room: str, folder: Path, max_file_bytes: int) -> None:
        self._rooms = rooms
        self._room = room
        self._static = (folder / "static").resolve()
        self._max_file_bytes = max_file_bytes
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._words = {language: _words(self._static / "i18n" / f"{language}.json") for language in LANGUAGES}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.home),
            web.get("/r/{room}", self.page),
            web.get("/static/{path:.+}", self.static),
            web.get("/favicon.ico", self.icon),
        ]

    async def home(self, request: web.Request) -> web.Response:
        query = f"?{request.query_string}" if request.query_string else ""
        raise web.HTTPFound(f"/r/{self._room}{query}")

    async def page(self, request: web.Request) -> web.Response:
        """The room for people; with `Accept: application/json` its description for programs."""
        room = await self._rooms.get(request.match_info["room"])
        if wants_json(request):
            if is_locked(request):
                raise Refused("forbidden", f"room {room.name} asks for a PIN")
            who = room.people
            about = RoomAbout(room.name, room.epoch, room.last_seq, room.seats, who.some(), len(who), room.rules.now)
            return json(about)
        locked = is_locked(request)
        html = self.render(
            request,
            "room.html",
            room=room.name,
            entries=[] if locked else msgspec.to_builtins((await room.history(50)).entries),
            count=0 if locked else len(room.people),
            last_seq=0 if locked else room.last_seq,
            locked=locked,
            epoch=room.epoch,
            text_max_bytes=gate.TEXT_MAX_BYTES,
            max_file_bytes=self._max_file_bytes,
        )
        return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-cache"})

    def render(self, request: web.Request, template: str, **values: Any) -> str:
        """A page of this template, in the reader's language."""
        language = _language(request)
        known = {"lang": language, "t": self._words[language], "version": __version__}
        return self._templates.get_template(template).render(known | values)

    async def static(self, request: web.Request) -> web.StreamResponse:
        try:
            path = (self._static / request.match_info["path"]).resolve()
            found = path.is_relative_to(self._static) and path.suffix in _TYPES and path.is_file()
        except (OSError, ValueError):  # a name that no file system takes: too long, or with a NUL in it
            found = False
        if not found:
            raise web.HTTPNotFound(reason="there is no such part of the page")
        headers = {"Content-Type": _content_type(path), "Cache-Control": "no-cache"}
        return web.FileResponse(path, headers=headers)

    async def icon(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/static/favicon.svg")


def _content_type(path: Path) -> str:
    type = _TYPES[path.suffix]
    return type if type.startswith("image/") else f"{type}; charset=utf-8"


def _words(path: Path) -> dict[str, Any]:
    words: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return words


def _language(request: web.Request) -> str:
    """What was asked for, else what was chosen once, else what the browser prefers."""
    for wish in (request.query.get("lang"), request.cookies.get("lang")):
        if wish in LANGUAGES:
            return wish
    for item in request.headers.get("Accept-Language", "").split(","):
        wish = item.partition(";")[0].strip().lower()
        if wish.startswith("zh"):
            return "zh-CN"
        if wish.startswith("en"):
            return "en"
    return "en"
