"""Files over HTTP: put one in, get one out whole or in ranges."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from aiohttp import ETag, hdrs, web
from aiohttp.abc import AbstractStreamWriter

from bridge import gate
from bridge.intake import Coming, Intake
from bridge.log import Files, Log
from bridge.model import Refused
from bridge.quota import Quota
from bridge.rooms import Rooms
from bridge.transports.web.answers import file_url, json, wants_json
from bridge.transports.web.body import body
from bridge.transports.web.early import EarlyDownload
from bridge.transports.web.served import FILE_CACHE, file_headers
from bridge.transports.web.visitor import header_text, visitor

CHUNK_BYTES: Final = 256 * 1024
_CONDITIONS: Final = (
    hdrs.IF_MATCH,
    hdrs.IF_NONE_MATCH,
    hdrs.IF_MODIFIED_SINCE,
    hdrs.IF_UNMODIFIED_SINCE,
    hdrs.IF_RANGE,
)


class FileHandlers:
    """`PUT /r/{room}/{name}` and `GET /files/{id}/{name}`."""

    def __init__(self, rooms: Rooms, log: Log, files: Files, room: str, quota: Quota) -> None:
        self._rooms = rooms
        self._log = log
        self._files = files
        self._room = room
        self._quota = quota
        self._early = EarlyDownload(log, files)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/r/{room}", self.put_without_slash),
            web.put("/r/{room}/", self.put),
            web.put("/r/{room}/{name:.+}", self.put),
            web.put("/", self.put),
            web.put("/{name:[^/]+}", self.put),
            web.get("/files/{id}/{name:.*}", self.get),
        ]

    async def put_without_slash(self, request: web.Request) -> web.Response:
        raise Refused("not_found", "a slash is missing: PUT /r/ROOM/ or /r/ROOM/NAME (curl -T FILE URL/)")

    async def put(self, request: web.Request) -> web.Response:
        """The body is a file: 201 and its URL as one line, or the entry as JSON. 200 if its key was known."""
        room = await self._rooms.get(request.match_info.get("room", self._room))
        who = visitor(request, self._rooms, room)
        name = request.match_info.get("name") or header_text(request, "X-Filename") or "upload"
        said = request.headers.get("X-Sha256")
        sha256 = gate.clean_sha256(said) if said is not None else None
        coming = Coming(name, request.content_length, who.author, who.key, who.peer, sha256, host=who.host)
        async with await Intake.begin(room, self._files, coming, self._quota) as file:
            async for piece in body(request):
                await file.write(piece)
            stored = await file.finish()
        status = 201 if stored.new else 200
        url = file_url(request, stored.entry)
        response = json(stored.entry, status) if wants_json(request) else web.Response(status=status, text=f"{url}\n")
        response.headers["Location"] = url
        return response

    async def get(self, request: web.Request) -> web.StreamResponse:
        """The bytes, whole, in a range, or 304. The name in the URL is for people; the id decides."""
        id = request.match_info["id"]
        entry = await self._log.file(id)
        if entry is None and (coming := self._rooms.coming(id)):
            return await self._early.give(request, *coming)
        if entry is None or entry.file is None:
            raise Refused("not_found", "there is no such file here, or no longer")
        file = entry.file
        if await self._files.absent([file.id]):
            raise Refused("not_found", f"{file.name} is no longer kept here")
        if_none_match = request.if_none_match or ()
        if any(tag.value in (file.sha256, "*") for tag in if_none_match):
            return web.Response(status=304, headers={"Cache-Control": FILE_CACHE, "ETag": f'"{file.sha256}"'})
        if_match = request.if_match
        if if_match is not None and not any(tag.value in (file.sha256, "*") for tag in if_match):
            return web.Response(status=412)
        return _Blob(self._files.path(file.id), file.sha256, entry.at, headers=file_headers(file))


class _Blob(web.FileResponse):
    """A file whose entity tag is its digest and whose time its entry's, whatever `FileResponse` makes of the disk's.

    Other files may have the same bytes on the disk, and it is nobody's business when those came.
    """

    def __init__(self, path: Path, sha256: str, at: int, headers: dict[str, str]) -> None:
        super().__init__(path, chunk_size=CHUNK_BYTES, headers=headers)
        self._tag = ETag(sha256)
        self._at = datetime.fromtimestamp(at / 1000, UTC)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """The conditions were settled against the digest; a range with an If-Range of another digest is not asked."""
        headers = request.headers.copy()
        if headers.get(hdrs.IF_RANGE, f'"{self._tag.value}"') != f'"{self._tag.value}"':
            headers.popall(hdrs.RANGE, None)
        for name in _CONDITIONS:
            headers.popall(name, None)
        return await super().prepare(request.clone(headers=headers))

    @property
    def etag(self) -> ETag | None:
        return self._tag

    @etag.setter
    def etag(self, value: ETag | str | None) -> None:
        self.headers[hdrs.ETAG] = f'"{self._tag.value}"'

    @property
    def last_modified(self) -> datetime:
        return self._at

    @last_modified.setter
    def last_modified(self, value: object) -> None:
        self.headers[hdrs.LAST_MODIFIED] = format_datetime(self._at, usegmt=True)
