"""Uploads that stop and go on: begun once, held by one sender at a time, finished into their room.

Whoever finds one held asks the holder to stop, save and release; so a connection that hangs keeps nobody from his file.
An upload that nobody went on with for its time is forgotten. (`docs/protocols/tus.md`)
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal

from bridge.log import Announced, Begun, Files, KeptPart, Unfinished
from bridge.model import Failure, Refused, StoreError, Transfer
from bridge.quota import Claim, Quota
from bridge.resumed import Resumed
from bridge.room import Room
from bridge.rooms import Rooms

logger = logging.getLogger("roombridge.uploads")

UNFINISHED_MAX: Final = 1000
"""Each costs a place on its room's board and two small files."""
SWEEP_S: Final = 60.0
GRACE_S: Final = 0.5
BREATH_S: Final = 3.0
"""A sender in chunks takes a breath between two of them; only a longer one is a pause."""


class Moved(Exception):
    """Somebody wanted to go on at another place than where the upload stands: `offset`."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the upload stands at {offset}")
        self.offset = offset


class TakenOver(Exception):
    """Another sender goes on with this upload; what came so far is kept."""


class Uploads:
    """All that are unfinished, by id."""

    def __init__(
        self,
        rooms: Rooms,
        files: Files,
        unfinished: Unfinished,
        quota: Quota,
        kept_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.files = files
        self.quota = quota
        self.kept_s = kept_s
        self._rooms = rooms
        self._unfinished = unfinished
        self._clock = clock
        self._all: dict[str, Upload] = {}
        self._beginning = asyncio.Lock()
        self._sweeping: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._all)

    async def open(self, announced: Announced) -> None:
        """Show the rooms what an earlier server left, and begin to sweep."""
        for begun, part in await self._unfinished.all(announced):
            claim = self.quota.hold(begun.author, begun.size)
            self._keep(await self._rooms.get(begun.room), begun, part, claim).pause()
        self._sweeping = asyncio.create_task(self._sweep_on(), name="uploads sweep")

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        for upload in self._all.values():
            upload.hush()

    async def begin(self, room: Room, begun: Begun) -> Upload:
        """Raises `Refused`: `forbidden`, `too_large`, `disk_full`, or `busy` when too many are unfinished."""
        room.allow(begun.sender, begun.host)
        if len(self._all) >= UNFINISHED_MAX:
            raise Refused("busy", f"{len(self._all)} uploads are unfinished; finish or delete one")
        claim = await self.quota.claim(begun.author, begun.size)
        upload = self._keep(room, begun, await claim.made(self._unfinished.begin(begun)), claim)
        upload.wait()
        return upload

    async def begin_or_go_on(self, room: Room, begun: Begun) -> Upload:
        """The upload of this very file by this owner, begun if there is none; whoever goes on with it is stopped."""
        room.allow(begun.sender, begun.host)
        async with self._beginning:
            for upload in list(self._all.values()):
                if _same(upload.begun, begun):
                    await upload.stop()
                    if not upload.ended:
                        return upload
            return await self.begin(room, begun)

    def find(self, id: str, room: str, owner: str | None) -> Upload | None:
        """The upload, for whoever began it there; None for all others, and when its time is over."""
        upload = self._all.get(id)
        if upload is None or upload.begun.room != room or upload.begun.owner not in (None, owner):
            return None
        return upload if self._clock() < upload.expires or upload.held else None

    def forget(self, upload: Upload) -> None:
        self._all.pop(upload.id, None)

    async def sweep(self) -> None:
        """Finish what is whole, and let go of what nobody went on with in its time."""
        for upload in list(self._all.values()):
            if upload.held:
                continue
            if upload.whole and upload.offset:  # an empty one is finished by whoever begins it
                with suppress(Refused, Moved, TakenOver):  # the room was told
                    await upload.finish()
            elif upload.expires <= self._clock():
                await upload.remove(f"nobody went on with it for {self.kept_s / 3600:.0f} hours", "expired")

    async def _sweep_on(self) -> None:
        while True:
            try:
                await self.sweep()
            except StoreError:  # a disk in trouble now may be well again the next time
                logger.exception("sweeping the unfinished uploads failed")
            await asyncio.sleep(SWEEP_S)

    def _keep(self, room: Room, begun: Begun, part: KeptPart, claim: Claim) -> Upload:
        upload = self._all[part.id] = Upload(self, room, begun, part, claim)
        return upload


def _same(one: Begun, other: Begun) -> bool:
    return (one.room, one.owner, one.name, one.size, one.sha256) == (
        other.room,
        other.owner,
        other.name,
        other.size,
        other.sha256,
    )


class Upload:
    """One file that comes in as many pieces as it takes; its id is the file's. Paused, it keeps the room it claimed."""

    def __init__(self, uploads: Uploads, room: Room, begun: Begun, part: KeptPart, claim: Claim) -> None:
        self.id = part.id
        self.begun = begun
        self.ended = False
        self._uploads = uploads
        self._room = room
        self._part = part
        self._claim = claim
        self._lock = asyncio.Lock()
        self._scope: asyncio.Timeout | None = None
        self._file: Resumed | None = None
        self._breath: asyncio.TimerHandle | None = None

    @property
    def offset(self) -> int:
        return self._part.size

    @property
    def expires(self) -> float:
        """In seconds since the epoch; a sender at work makes it later."""
        return self._part.touched + self._uploads.kept_s

    @property
    def whole(self) -> bool:
        return self.offset == self.begun.size

    @property
    def held(self) -> bool:
        return self._lock.locked()

    async def stop(self) -> None:
        """Ask whoever holds it to stop, save and release. Then `offset` is what a sender may rely on.

        What its connection has brought already is still taken: a sender that was cut off left up to megabytes there.
        """
        self._ask(GRACE_S)
        async with self._lock:
            pass

    @asynccontextmanager
    async def hold(self, offset: int) -> AsyncIterator[Resumed]:
        """Go on at `offset`: the way into the room, as `Intake` is. Left without `finish`, the upload is kept.

        Raises `Moved` when it stands elsewhere, or is just moving; `TakenOver` when somebody else goes on with it;
        `Refused` `not_found` when it has ended.
        """
        if offset != self.offset or (self._file is not None and self._file.moving):
            raise Moved(self.offset)
        self._ask()
        async with self._lock:
            if self.ended:
                raise Refused("not_found", "this upload has ended")
            if offset != self.offset:
                raise Moved(self.offset)
            self.hush()
            try:
                async with asyncio.timeout(None) as self._scope:
                    await self._part.take_up()
                    resumed = Resumed(self._room, self._uploads.files, self._part, self.begun, self._claim)
                    async with resumed as self._file:
                        yield self._file
            except TimeoutError:
                if self._scope is not None and self._scope.expired():
                    raise TakenOver from None
                raise
            finally:
                self._released()

    async def finish(self) -> None:
        """Announce what came whole but was not finished, as when the server was killed at just that moment."""
        async with self.hold(self.begun.size) as file:
            await file.finish()

    async def remove(self, reason: str, code: Failure) -> None:
        """End it: nothing is left but the word why. Harmless when it has ended."""
        self._ask()
        async with self._lock:
            if not self.ended:
                await self._part.abort()
                self._end()
                self._show("failed", reason, code)

    def wait(self) -> None:
        """Its sender takes a breath; when it does not go on, everybody may know."""
        self._show("receiving")
        self._breath = asyncio.get_running_loop().call_later(BREATH_S, self.pause)

    def pause(self) -> None:
        self._show("paused")

    def hush(self) -> None:
        """Say nothing more of a pause."""
        if self._breath is not None:
            self._breath.cancel()

    def _ask(self, grace_s: float = 0) -> None:
        """What is being finished is not stopped: it is whole."""
        if self._scope is None or (self._file is not None and self._file.finishing):
            return
        wanted, asked = asyncio.get_running_loop().time() + grace_s, self._scope.when()
        if asked is None or wanted < asked:
            self._scope.reschedule(wanted)

    def _released(self) -> None:
        file, self._file, self._scope = self._file, None, None
        match file.ending if file is not None else "broken":
            case "over":
                self._end()
            case "breath":
                self.wait()
            case "broken":
                self.pause()

    def _end(self) -> None:
        self.ended = True
        self._claim.end()
        self.hush()
        self._uploads.forget(self)

    def _show(
        self, state: Literal["receiving", "paused", "failed"], reason: str | None = None, code: Failure | None = None
    ) -> None:
        of = self.begun
        self._room.progress(Transfer(self.id, of.name, of.sender, self.offset, of.size, 0, state, reason, code))
