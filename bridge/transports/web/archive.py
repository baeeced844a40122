"""A room's files as one ZIP, made while it is sent: never whole in memory, never on the disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import zipstream
from aiohttp import web

from bridge import gate
from bridge.log import Files, Log
from bridge.model import FileRef, Refused
from bridge.transports.web.served import FILE_CACHE, disposition

logger = logging.getLogger("roombridge.web")

PIECE_BYTES: Final = 256 * 1024


class ArchiveHandlers:
    """`GET /r/{room}/files.zip`; `?id=` takes only those, and may be repeated."""

    def __init__(self, log: Log, files: Files) -> None:
        self._log = log
        self._files = files

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/r/{room}/files.zip", self.archive)]

    async def archive(self, request: web.Request) -> web.StreamResponse:
        """Stored, not deflated: most of what people send is packed already, and so its length is known before."""
        room = gate.clean_room(request.match_info["room"])
        wanted = request.query.getall("id", [])
        files = [entry.file for entry in await self._log.files_of(room) if entry.file is not None]
        if unknown := set(wanted) - {file.id for file in files}:
            raise Refused("not_found", f"room {room} has no file {min(unknown)[:64]}")
        chosen = [file for file in files if not wanted or file.id in wanted]
        made = await asyncio.to_thread(self._packed, chosen)
        if not made:
            raise Refused("not_found", f"room {room} has no files")
        headers = {
            "Content-Type": "application/zip",
            "Content-Disposition": disposition(f"{room}.zip"),
            "Cache-Control": FILE_CACHE,
        }
        response = web.StreamResponse(headers=headers)
        response.content_length = len(made)
        await response.prepare(request)
        if request.method != "HEAD":
            await _pour(request, response, iter(made))
        return response

    def _packed(self, files: Iterable[FileRef]) -> zipstream.ZipStream:
        """What is to be sent; the bytes are read when it is. Those that are gone are left out.

        Not by their paths: a file on the disk may be older than its entry, when another had the same bytes before.
        """
        made = zipstream.ZipStream(sized=True)
        for name, file in named_apart(files):
            path = self._files.path(file.id)
            if path.is_file():
                made.add(_read(path), name, size=file.size)
        return made


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


async def _pour(request: web.Request, response: web.StreamResponse, pieces: Iterator[bytes]) -> None:
    try:
        while piece := await asyncio.to_thread(_gathered, pieces):
            await response.write(piece)
    except (OSError, RuntimeError) as fault:  # its reader went, or a file: what is sent must not look whole
        if not isinstance(fault, ConnectionError):
            logger.warning("the archive %s broke off: %s", request.path, fault)
        if request.transport is not None:
            request.transport.abort()


def _gathered(pieces: Iterator[bytes]) -> bytes:
    """As many as are worth a hop between threads."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= PIECE_BYTES:
            break
    return bytes(held)


def named_apart(files: Iterable[FileRef]) -> Iterator[tuple[str, FileRef]]:
    """Each file under a name of its own: the second `a.txt` is `a (2).txt`, also where `A.TXT` is the same."""
    taken: set[str] = set()
    for file in files:
        stem, dot, extension = file.name.rpartition(".")
        if not stem:
            stem, dot, extension = file.name, "", ""
        name, number = file.name, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem} ({number}){dot}{extension}"
        taken.add(name.casefold())
        yield name, file
