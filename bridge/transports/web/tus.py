"""Uploads that stop and go on over HTTP: tus 1.0 and most of its extensions. (`docs/protocols/tus.md`)"""

from __future__ import annotations

from contextlib import nullcontext
from email.utils import formatdate
from typing import Final
from urllib.parse import quote

from aiohttp import web

from bridge import gate
from bridge.log import Begun, Log
from bridge.model import Entry, Refused
from bridge.resumed import Resumed
from bridge.rooms import Rooms
from bridge.transports.web.body import body
from bridge.transports.web.visitor import visitor
from bridge.uploads import Moved, TakenOver, Upload, Uploads
from bridge.wire import tus

NO_STORE: Final = "no-store"
_SPEAKS_TUS: Final = web.RequestKey("speaks_tus", bool)
"""Set on a request that is to be answered in tus, also when it is refused."""


class _Locked(web.HTTPClientError):
    status_code = 423


class _ChecksumMismatch(web.HTTPClientError):
    status_code = 460


class TusHandlers:
    """`/r/{room}/uploads` and what is made below it."""

    def __init__(self, rooms: Rooms, log: Log, uploads: Uploads) -> None:
        self._rooms = rooms
        self._log = log
        self._uploads = uploads

    def routes(self) -> list[web.RouteDef]:
        made, one = "/r/{room}/uploads", "/r/{room}/uploads/{id}"
        return [
            web.options(made, self.options),
            web.options(one, self.options),
            web.post(made, self.create),
            web.head(one, self.head),
            web.patch(one, self.patch),
            web.delete(one, self.delete),
            web.post(one, self.overridden),
            web.put(one, self.put),
        ]

    async def sign(self, request: web.Request, response: web.StreamResponse) -> None:
        """Every answer to tus says which version it is, errors too; to be called when an answer is prepared."""
        if request.get(_SPEAKS_TUS):
            response.headers["Tus-Resumable"] = tus.VERSION
            response.headers.setdefault("Cache-Control", NO_STORE)
            if response.status == web.HTTPPreconditionFailed.status_code:
                response.headers["Tus-Version"] = tus.VERSION

    async def options(self, request: web.Request) -> web.Response:
        """What this server can do; the one request that need not name its version."""
        request[_SPEAKS_TUS] = True
        headers = {
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Max-Size": str(self._uploads.quota.max_file_bytes),
            "Tus-Checksum-Algorithm": ",".join(tus.CHECKSUMS),
        }
        return web.Response(status=204, headers=headers)

    async def overridden(self, request: web.Request) -> web.Response:
        """For clients whose network lets no PATCH through."""
        match request.headers.get("X-HTTP-Method-Override", "").upper():
            case "PATCH":
                return await self.patch(request)
            case "DELETE":
                return await self.delete(request)
            case "HEAD":
                return await self.head(request)
            case _:
                raise web.HTTPMethodNotAllowed("POST", ["HEAD", "PATCH", "DELETE", "OPTIONS"])

    async def put(self, request: web.Request) -> web.Response:
        """Else the file that somebody meant to go on with would begin anew, under the name of its id."""
        raise web.HTTPMethodNotAllowed("PUT", ["HEAD", "PATCH", "DELETE", "OPTIONS"])

    async def create(self, request: web.Request) -> web.Response:
        """201 and where to go on. Bytes that come along are taken at once."""
        _check_version(request)
        room = await self._rooms.get(request.match_info["room"])
        size = tus.number(request.headers.get("Upload-Length"), "Upload-Length")
        said = tus.metadata(request.headers.get("Upload-Metadata", ""))
        who = visitor(request, self._rooms, room, said.get("name"))
        begun = Begun(
            room=room.name,
            author=who.author,
            key=who.key,
            sender=who.peer,
            name=gate.clean_file_name(said.get("filename", "upload")),
            size=size,
            sha256=gate.clean_sha256(said["sha256"]) if "sha256" in said else None,
            owner=self._owner(request),
            about=tus.told(said),
            host=who.host,
        )
        upload = await self._uploads.begin(room, begun)
        headers = {"Location": f"/r/{quote(room.name)}/uploads/{upload.id}"}
        if (request.body_exists and request.content_type == tus.CONTENT_TYPE) or not size:
            try:
                headers |= await self._take(upload, 0, request)
            except BaseException:
                # Nobody heard where it is, so nobody can go on with it.
                await upload.remove("the sender broke off before it knew where to go on", "broken_off")
                raise
        return web.Response(status=201, headers=headers | _expiry(upload))

    async def head(self, request: web.Request) -> web.Response:
        """How far it came. Whoever still holds it is asked to stop first, so that the answer stays true."""
        _check_version(request)
        upload = await self._find(request)
        if isinstance(upload, Entry):
            size = str(upload.file.size if upload.file else 0)
            return web.Response(headers={"Upload-Offset": size, "Upload-Length": size})
        await upload.stop()
        if upload.whole and not upload.ended:
            await upload.finish()
        headers = {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.begun.size)}
        if upload.begun.about:
            headers["Upload-Metadata"] = upload.begun.about
        return web.Response(headers=headers | _expiry(upload))

    async def patch(self, request: web.Request) -> web.Response:
        """The next bytes: 204 and where the upload stands now."""
        _check_version(request)
        if request.content_type != tus.CONTENT_TYPE:
            raise web.HTTPUnsupportedMediaType(reason=f"Content-Type must be {tus.CONTENT_TYPE}")
        offset = tus.number(request.headers.get("Upload-Offset"), "Upload-Offset")
        upload = await self._find(request)
        if isinstance(upload, Entry):
            raise web.HTTPConflict(reason="this upload is complete")
        headers = await self._take(upload, offset, request)
        return web.Response(status=204, headers=headers | _expiry(upload))

    async def delete(self, request: web.Request) -> web.Response:
        """204, and nothing of it is left."""
        _check_version(request)
        upload = await self._find(request)
        if isinstance(upload, Entry):
            raise web.HTTPConflict(reason="this upload is complete: it is a file now")
        await upload.remove("its sender took it back", "taken_back")
        return web.Response(status=204)

    async def _take(self, upload: Upload, offset: int, request: web.Request) -> dict[str, str]:
        """The bytes of one request; where the upload stands then, and when it is complete where its file is."""
        checksum = tus.checksum(request.headers.get("Upload-Checksum"))
        headers: dict[str, str] = {}
        try:
            async with upload.hold(offset) as file:
                async with file.all_or_nothing() if checksum else nullcontext():
                    await _receive(file, request, checksum)
                if file.whole:
                    stored = await file.finish()
                    headers["Content-Location"] = stored.entry.file.url if stored.entry.file else ""
        except Moved as moved:
            raise web.HTTPConflict(reason=str(moved)) from None
        except TakenOver:
            raise _Locked(reason="another request goes on with this upload") from None
        return headers | {"Upload-Offset": str(upload.offset)}

    async def _find(self, request: web.Request) -> Upload | Entry:
        """The upload, or the entry that it became."""
        id, room = request.match_info["id"], gate.clean_room(request.match_info["room"])
        owner = self._owner(request)
        if upload := self._uploads.find(id, room, owner):
            return upload
        entry = await self._log.file(id)
        if entry is None or entry.room != room:
            raise Refused("not_found", "there is no such upload of yours")
        return entry

    def _owner(self, request: web.Request) -> str | None:
        """Who may go on with it: its author, if he said who he is. Else everybody who knows the id."""
        client = request.headers.get("X-Client")
        return self._rooms.author(gate.clean_client(client)).key if client is not None else None


async def _receive(file: Resumed, request: web.Request, checksum: tus.Checksum | None) -> None:
    async for piece in body(request):
        if checksum:
            checksum.hash.update(piece)
        await file.write(piece)
        if file.whole:  # what comes behind its end is not listened to
            break
    if checksum and not checksum.right:
        raise _ChecksumMismatch(reason="Checksum Mismatch")


def _check_version(request: web.Request) -> None:
    request[_SPEAKS_TUS] = True
    if request.headers.get("Tus-Resumable") != tus.VERSION:
        raise web.HTTPPreconditionFailed(reason=f"Tus-Resumable must be {tus.VERSION}")


def _expiry(upload: Upload) -> dict[str, str]:
    """Until when it may go on; one that is complete stays."""
    return {} if upload.ended else {"Upload-Expires": formatdate(upload.expires, usegmt=True)}
