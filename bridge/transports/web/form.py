"""A form: files and words in one request, taken whole or not at all. (`docs/protocols/http.md`)

Its parts are read as they come, each file into an intake of its own. Only when the last boundary has come are they
announced, in the order of the form: a form that breaks off leaves nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from typing import Final, TypeVar

from aiohttp import BodyPartReader, MultipartReader, hdrs, web
from aiohttp.http import HttpProcessingError

from bridge import gate
from bridge.intake import Coming, Intake
from bridge.log import Files
from bridge.model import Draft, Refused, Stored
from bridge.quota import Quota
from bridge.room import Room
from bridge.transports.web.body import go_on, timely
from bridge.transports.web.visitor import Visitor
from bridge.wire import plain

T = TypeVar("T")

TYPE: Final = "multipart/form-data"
PARTS_MAX: Final = 100
"""Each file keeps a descriptor open until the form has ended."""
TEXT_FIELD: Final = "text"
READ_BYTES: Final = 256 * 1024
_AS_IT_IS: Final = ("binary", "8bit", "7bit", "identity")


class Forms:
    """Takes the files and the words of forms into rooms."""

    def __init__(self, files: Files, quota: Quota) -> None:
        self._files = files
        self._quota = quota

    async def take(self, request: web.Request, room: Room, who: Visitor) -> list[Stored]:
        """One entry for each file and each `text` field, in their order, under keys that are the same each time.

        Raises `Refused`; then nothing was taken, unless the disk got full between the first entry and the last.
        """
        drafts: list[Draft | Intake] = []
        keys = _keys(who.key)
        room.allow(who.peer, who.host)
        async with AsyncExitStack() as stack:
            async for part in _parts(request):
                if part.filename:
                    coming = Coming(part.filename, None, who.author, next(keys), who.peer, host=who.host)
                    file = await Intake.begin(room, self._files, coming, self._quota)
                    drafts.append(await stack.enter_async_context(file))
                    await _copy(request, part, file)
                elif text := await _text(request, part):
                    words = gate.clean_text(text)
                    drafts.append(Draft(room.name, who.author, next(keys), who.peer, text=words, host=who.host))
            if not drafts:
                raise Refused("empty", f"a form without a file and without a field {TEXT_FIELD!r}")
            return [await (one.finish() if isinstance(one, Intake) else room.append(one)) for one in drafts]


def _keys(first: str) -> Iterator[str]:
    """K, K-2, K-3, ...: who sends a form again finds each of its entries known."""
    yield first
    for number in count(2):
        yield gate.clean_key(f"{first}-{number}")


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    """The parts as they come, up to the end of the form."""
    await go_on(request)
    try:
        reader = MultipartReader(request.headers, request.content)
    except ValueError as exc:
        raise Refused("bad_request", f"the form cannot be read: {exc}") from None
    parts = count(1)
    while (part := await _read(request, reader.next())) is not None:
        if next(parts) > PARTS_MAX:
            raise Refused("too_large", f"more than {PARTS_MAX} parts in one form")
        if not isinstance(part, BodyPartReader) or not (part.name or part.filename):
            raise Refused("bad_request", "a part of the form is neither a field nor a file with a name")
        for header in (hdrs.CONTENT_ENCODING, hdrs.CONTENT_TRANSFER_ENCODING):
            if part.headers.get(header, "binary").lower() not in _AS_IT_IS:
                raise Refused("unsupported", f"{header} of a part is not taken: send the bytes as they are")
        yield part


async def _copy(request: web.Request, part: BodyPartReader, file: Intake) -> None:
    while not part.at_eof():
        if piece := await _read(request, part.read_chunk(READ_BYTES)):
            await file.write(piece)


async def _text(request: web.Request, part: BodyPartReader) -> str:
    """What a field says, if it is the one for words; of any other nothing."""
    held = bytearray()
    while not part.at_eof():
        held += await _read(request, part.read_chunk(gate.TEXT_MAX_BYTES))
        if len(held) > gate.TEXT_MAX_BYTES:
            raise Refused("too_long", f"a field of more than {gate.TEXT_MAX_BYTES} bytes (send it as a file)")
    return plain.message(bytes(held)) if part.name == TEXT_FIELD else ""


async def _read(request: web.Request, coming: Awaitable[T]) -> T:
    """What the form brings next; what is no form is its sender's fault, whatever aiohttp calls it."""
    try:
        return await timely(request, coming)
    except (ValueError, RuntimeError, HttpProcessingError) as exc:
        raise Refused("bad_request", f"the form is broken: {exc}") from None
