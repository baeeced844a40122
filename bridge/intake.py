"""A file on its way into a room: its bytes to the store, its progress to everybody, at the end its entry.

Every way in comes through here and ends in the same four calls on the store: create, write, commit, abort.
"""

from __future__ import annotations

import asyncio
import logging
import time
from types import TracebackType
from typing import Final, Literal, NamedTuple, Self

from bridge.gate import clean_file_name
from bridge.log import Files, More, Part
from bridge.media import measures, media_type
from bridge.model import Draft, Failure, FileRef, Peer, Refused, Stored, StoreError, Transfer, Unsure
from bridge.quota import Claim, Quota
from bridge.room import Room

logger = logging.getLogger("roombridge.intake")

RATE_WINDOW_S: Final = 1.0
RATE_LEAST_S: Final = 0.1
"""What came with the first call says how much a buffer holds, not how fast its sender is."""
STILL_S: Final = 2.0
"""A sender that is silent for so long has no rate to speak of."""


class Coming(NamedTuple):
    """What is announced: `size` in bytes or None if unknown, `sha256` in hex if it is to be checked.

    `host`: whoever sends it rules the house.
    """

    name: str
    size: int | None
    author: str
    key: str
    sender: Peer
    sha256: str | None = None
    host: bool = False


class Intake:
    """`async with await Intake.begin(...) as file: await file.write(...); stored = await file.finish()`.

    Left without `finish`, it leaves no bytes and no entry, only a failed transfer that says how far it came. `received`
    is what the part holds already.
    """

    def __init__(self, room: Room, files: Files, part: Part, coming: Coming, claim: Claim, received: int = 0) -> None:
        self._room = room
        self._files = files
        self._part = part
        self._coming = coming
        self._name = clean_file_name(coming.name)
        self._claim = claim
        self._received = received
        self._heard = time.monotonic()
        self._marked = (self._heard, received)
        self._rate = 0.0
        self._fresh = True  # no whole window has been measured yet
        self._looking: asyncio.TimerHandle | None = None
        self._announced: asyncio.Future[Stored] | None = None
        self._removing: asyncio.Future[None] | None = None

    @classmethod
    async def begin(cls, room: Room, files: Files, coming: Coming, quota: Quota) -> Intake:
        """Raises `Refused` `forbidden` or `too_large` before a byte is taken, or `disk_full`."""
        room.allow(coming.sender, coming.host)
        claim = await quota.claim(coming.author, coming.size or 0)
        return cls(room, files, await claim.made(files.create(coming.size)), coming, claim)

    async def __aenter__(self) -> Self:
        self._show("receiving")
        self._look()
        return self

    async def write(self, data: bytes | memoryview, more: More | None = None) -> int:
        """The next bytes, and perhaps those that `more` has: how many were taken. Raises `Refused` `too_large` or
        `disk_full`."""
        await self._claim.reach(self._received + len(data))
        taken = await self._part.write(data, more)
        self._received += taken
        self._room.tally.heard(self._coming.sender.via, taken)
        self._measure()
        self._show("receiving")
        return taken

    async def finish(self) -> Stored:
        """All is here: make it last, then announce it. Raises `Refused` if it is not what was announced."""
        coming, size = self._coming, self._coming.size
        if size is not None and size != self._received:
            raise Refused("bad_request", f"{self._received} of {size} bytes came")
        digest = await self._part.commit()
        if coming.sha256 is not None and coming.sha256.lower() != digest.sha256:
            raise Refused("bad_request", f"sha256 is {digest.sha256}, expected {coming.sha256[:64]}")
        type = media_type(self._name, digest.beginning)
        seen = await asyncio.to_thread(measures, digest.beginning) if type.startswith("image/") else None
        file = FileRef.of(self._part.id, self._name, digest.size, digest.sha256, type, seen)
        draft = Draft(self._room.name, coming.author, coming.key, coming.sender, file=file, host=coming.host)
        self._announced = self._room.append(draft)
        # Whoever waits may be cancelled; the file is announced all the same.
        self._announced.add_done_callback(self._settle)
        return await asyncio.shield(self._announced)

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
        if self._announced is None:  # else it is for the log to say what becomes of it
            await self._leave(fault)

    async def _leave(self, fault: BaseException | None) -> None:
        self._show("failed", *self._why(fault))
        try:
            await self._part.abort()
        finally:  # cancelled just here, it must be gone all the same
            self._claim.end()
            await self._files.remove(self._part.id)

    def _settle(self, announced: asyncio.Future[Stored]) -> None:
        self._claim.end(kept=announced.exception() is None and announced.result().new)
        if (fault := announced.exception()) is not None:
            self._show("failed", *self._why(fault))
        elif announced.result().new:
            self._show("done")
            return
        else:
            self._show("done", "it was here already, under the same key")
        if isinstance(fault, Unsure):
            return  # if its entry is there at the next start, so are its bytes; else they are removed then
        self._removing = asyncio.ensure_future(self._files.remove(self._part.id))

    def _measure(self) -> None:
        now, (since, then) = time.monotonic(), self._marked
        self._heard = now
        full = now - since >= RATE_WINDOW_S
        if full or self._fresh:
            self._rate = (self._received - then) / max(now - since, RATE_LEAST_S)
        if full:
            self._marked, self._fresh = (now, self._received), False

    def _look(self) -> None:
        """A sender that has fallen silent keeps no rate; its next one is measured from now on."""
        now = time.monotonic()
        if now - self._heard >= STILL_S:
            if self._rate and self._announced is None:
                self._rate = 0.0
                self._show("receiving")
            self._heard, self._marked, self._fresh = now, (now, self._received), True
        again = self._heard + STILL_S - now
        self._looking = asyncio.get_running_loop().call_later(again, self._look)

    def _why(self, fault: BaseException | None) -> tuple[str, Failure]:
        match fault:
            case Refused():
                return fault.message, fault.code
            case StoreError():
                return fault.told, "not_stored"
            case _:
                of = f" of {self._coming.size}" if self._coming.size is not None else ""
                return f"the sender broke off after {self._received}{of} bytes", "broken_off"

    def _show(
        self,
        state: Literal["receiving", "paused", "done", "failed"],
        reason: str | None = None,
        code: Failure | None = None,
    ) -> None:
        self._room.progress(
            Transfer(
                id=self._part.id,
                name=self._name,
                sender=self._coming.sender,
                received=self._received,
                size=self._coming.size,
                rate=int(self._rate),
                state=state,
                reason=reason,
                code=code,
            )
        )
