"""A file fetched while it still comes in: its reader waits for the sender's bytes.

The reader has what the room was told has come. The last piece is held back until the file is announced and what was
given hashes to its digest, so a broken upload is a broken download, never a short or wrong file that looks whole.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from aiohttp import HttpVersion11, web

from bridge.log import Files, Log
from bridge.media import media_type
from bridge.model import FileRef, Refused, Transfer
from bridge.room import Room
from bridge.transports.web.served import file_headers

CHUNK_BYTES: Final = 256 * 1024
BEGINNING_BYTES: Final = 4096
"""So much, if it is here, tells whether what comes is what its name promises."""
LOOK_S: Final = 15.0
"""How often a reader who waits is looked after: it may be gone."""


class _Broken(Exception):
    """The rest will not come."""


class EarlyDownload:
    """Gives what is on its way."""

    def __init__(self, log: Log, files: Files) -> None:
        self._log = log
        self._files = files

    async def give(self, request: web.Request, room: Room, transfer: Transfer) -> web.StreamResponse:
        """Raises `Refused` `not_found` when its bytes cannot be read yet."""
        if transfer.size is None and request.version < HttpVersion11:
            raise Refused("busy", "its size is not known yet, and HTTP/1.0 could not tell its end from a break")
        handle = await self._files.open(transfer.id)
        if handle is None:
            raise Refused("not_found", "there is no such file here")
        try:
            beginning = await asyncio.to_thread(_beginning, handle)
            type = media_type(transfer.name, beginning)
            ref = FileRef.of(transfer.id, transfer.name, transfer.size or 0, "", type)
            response = web.StreamResponse(headers=file_headers(ref))
            if transfer.size is not None:
                response.content_length = transfer.size
            elif request.method != "HEAD":
                response.enable_chunked_encoding()
            await response.prepare(request)
            if request.method != "HEAD":
                await self._pour(request, response, room, transfer, handle)
            return response
        finally:
            await asyncio.to_thread(handle.close)

    async def _pour(
        self, request: web.Request, response: web.StreamResponse, room: Room, transfer: Transfer, handle: BinaryIO
    ) -> None:
        try:
            async for piece in self._pieces(request, room, transfer, handle):
                await response.write(piece)
        except (_Broken, ConnectionError):  # ours to break, or broken already
            if request.transport is not None:
                request.transport.abort()

    async def _pieces(
        self, request: web.Request, room: Room, transfer: Transfer, handle: BinaryIO
    ) -> AsyncIterator[bytes]:
        given = _Given(handle)
        coming: Transfer | None = transfer
        while coming is not None and coming.state in ("receiving", "paused"):
            while given.size < coming.received - 1:  # the last byte is the file's word that it is whole
                yield await given.next(coming.received - 1 - given.size)
            coming = await _moved(request, room, coming)
        entry = await self._log.file(transfer.id)
        if entry is None or entry.file is None:
            raise _Broken
        while given.size < entry.file.size:
            piece = await given.next(entry.file.size - given.size)
            if given.size == entry.file.size and given.sha256 != entry.file.sha256:
                raise _Broken
            yield piece


def _beginning(handle: BinaryIO) -> bytes:
    beginning = handle.read(BEGINNING_BYTES)
    handle.seek(0)
    return beginning


async def _moved(request: web.Request, room: Room, transfer: Transfer) -> Transfer | None:
    """What is told of it next. Raises `_Broken` when the reader is gone meanwhile."""
    while True:
        if request.transport is None or request.transport.is_closing():
            raise _Broken
        try:
            async with asyncio.timeout(LOOK_S):
                return await room.moved(transfer)
        except TimeoutError:
            continue


class _Given:
    """What one reader was given: how much, and its digest."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def next(self, most: int) -> bytes:
        """The next piece, of at most so many bytes. Raises `_Broken` when they are not there: taken back by a rule."""
        piece = await asyncio.to_thread(self._read, min(most, CHUNK_BYTES))
        if not piece:
            raise _Broken
        return piece

    def _read(self, size: int) -> bytes:
        piece = self._handle.read(size)
        self._hash.update(piece)
        self.size += len(piece)
        return piece
