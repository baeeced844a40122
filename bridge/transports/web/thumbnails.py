"""A picture made small, for whoever only wants a look at it."""

from __future__ import annotations

from aiohttp import web

from bridge.darkroom import Darkroom
from bridge.log import Files, Log
from bridge.model import FileRef, Refused
from bridge.transports.web.served import file_headers

TYPE = "image/webp"


class ThumbnailHandlers:
    """`GET /thumbs/{id}`."""

    def __init__(self, log: Log, files: Files, darkroom: Darkroom) -> None:
        self._log = log
        self._files = files
        self._darkroom = darkroom

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/thumbs/{id}", self.get)]

    async def get(self, request: web.Request) -> web.Response:
        """The picture, at most 800 by 800; 404 for a file that there is none of."""
        entry = await self._log.file(request.match_info["id"])
        if entry is None or entry.file is None or await self._files.absent([entry.file.id]):
            raise Refused("not_found", "there is no such file here, or no longer")
        file = entry.file
        made = await self._darkroom.thumbnail(file)
        if not made:
            raise Refused("not_found", f"there is no thumbnail of {file.name}")
        headers = {
            **file_headers(FileRef.of(file.id, "thumbnail.webp", len(made), "", TYPE)),
            "ETag": f'"{file.sha256}"',
        }
        if any(tag.value in (file.sha256, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers={name: headers[name] for name in ("Cache-Control", "ETag")})
        return web.Response(body=made, headers=headers)
