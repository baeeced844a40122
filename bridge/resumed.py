"""The way into the room of an upload that is gone on with: as any file's, but left before its end it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

from bridge.intake import Coming, Intake
from bridge.log import Begun, Files, KeptPart, More
from bridge.model import Refused, Stored
from bridge.quota import Claim
from bridge.room import Room

T = TypeVar("T")


class Resumed(Intake):
    """The way into the room of an upload that is held. Left before its end, what came is kept."""

    def __init__(self, room: Room, files: Files, part: KeptPart, begun: Begun, claim: Claim) -> None:
        coming = Coming(begun.name, begun.size, begun.author, begun.key, begun.sender, begun.sha256, begun.host)
        super().__init__(room, files, part, coming, claim, part.size)
        self.moving = False
        """Whether bytes are just being written: its sender is alive."""
        self.finishing = False
        self.ending: Literal["over", "breath", "broken"] = "broken"
        self._kept = part
        self._left = begun.size - part.size

    @property
    def whole(self) -> bool:
        return not self._left

    async def write(self, data: bytes | memoryview, more: More | None = None) -> int:
        """The next bytes; those behind the announced size are passed over."""
        self.moving = True
        try:
            taken = await super().write(data[: self._left], more)
        finally:
            self.moving = False
        self._left -= taken
        return taken

    async def finish(self) -> Stored:
        self.finishing = True
        return await _to_the_end(self._finish())

    async def _finish(self) -> Stored:
        try:
            return await super().finish()
        finally:
            if self._announced is not None:
                self.ending = "over"
                await self._kept.abort()  # what is known of it; the bytes have their place

    @asynccontextmanager
    async def all_or_nothing(self) -> AsyncIterator[None]:
        """What is written inside counts only if the block is left well; else it is taken back."""
        before = self._received, self._left
        await self._kept.mark()
        try:
            yield
        except BaseException:
            await _to_the_end(self._kept.back())
            self._received, self._left = before
            raise

    async def _leave(self, fault: BaseException | None) -> None:
        if isinstance(fault, Refused) and fault.code != "disk_full":
            self.ending = "over"
            await super()._leave(fault)
            return
        await _to_the_end(self._kept.let_go())
        self.ending = "broken" if fault else "breath"


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Cancelled or not, it is done when this returns or raises; what went wrong with it is more than who stopped us."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.result()
        raise
