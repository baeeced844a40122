"""Finding what was said, over HTTP. (`docs/protocols/http.md`)"""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web

from bridge import gate, words
from bridge.log import Log
from bridge.model import Entry, Refused
from bridge.transports.web.answers import json
from bridge.transports.web.visitor import query_number

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500


class FoundPage(msgspec.Struct, frozen=True):
    """What was found: entries, each with `hits`, the pieces of it that were meant."""

    epoch: str
    entries: list[Found]


class Found(Entry, frozen=True, kw_only=True, omit_defaults=True, rename={"sender": "from"}):
    """An entry with the pieces of its text, or of its file's name, that were meant."""

    hits: list[str]


class SearchHandlers:
    """`GET /r/{room}/search`."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/r/{room}/search", self.search)]

    async def search(self, request: web.Request) -> web.Response:
        """Ascending: the newest entries below `before` that have all words of `q`, each with its `hits`.

        With `type=file` only files, and `q` may be left out.
        """
        room = gate.clean_room(request.match_info["room"])
        query, type = request.query.get("q", ""), request.query.get("type")
        if type not in (None, "file"):
            raise Refused("bad_request", f"type={type!r}, expected file or nothing")
        asked = [] if type and not query.strip() else words.phrases(query)
        limit = min(query_number(request, "limit", 1) or LIMIT_DEFAULT, LIMIT_MAX)
        page = await self._log.search(room, asked, limit, query_number(request, "before", 0), type == "file")
        return json(FoundPage(self._log.epoch, [_with_hits(entry, asked) for entry in page.entries]))


def _with_hits(entry: Entry, asked: list[list[str]]) -> Found:
    said = entry.file.name if entry.file else entry.text or ""
    return Found(**msgspec.structs.asdict(entry), hits=words.hits(said, asked))
