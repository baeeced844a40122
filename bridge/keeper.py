"""Who keeps the house from growing for ever: the oldest goes, a little at a time, and never what is of today.

At start it puts in order what a kill or a lost disk left: bytes without an entry go, entries without bytes are told of.
Then, every so often, messages and files that are too old or too many go, in steps so short that nobody waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bridge.log import Files, Keeping
from bridge.model import Refused, StoreError

logger = logging.getLogger("roombridge.keeper")

DAY_MS: Final = 24 * 60 * 60 * 1000
"""Nothing younger goes, whatever is asked for: keys are remembered that long (`docs/protocols/entries.md`)."""
EVERY_S: Final = 600.0
PAUSE_S: Final = 0.02
"""Between two steps, so that the disk belongs to those who speak most of the time."""
PAGE: Final = 500
ANY_BYTES: Final = 2**62


class Keep(NamedTuple):
    """What is kept of messages and of files; 0 is no limit."""

    days: int = 0
    bytes: int = 0
    files_days: int = 0
    files_bytes: int = 0


class Keeper:
    """Works from `start` to `close`. `clock` is seconds since the epoch; `also` is done in a thread each time round."""

    def __init__(
        self,
        log: Keeping,
        files: Files,
        keep: Keep,
        also: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._files = files
        self._keep = keep
        self._also = also
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="keeper")
        self._task.add_done_callback(_hear)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        chores = [self.put_in_order, self.tidy]
        while True:
            for chore in chores:
                try:
                    await chore()
                except (StoreError, Refused) as fault:
                    logger.warning("not done, tried again in %.0f s: %s", EVERY_S, fault)
            chores = [self.tidy]
            await asyncio.sleep(EVERY_S)

    async def put_in_order(self) -> None:
        """Bytes that were there at start and have no entry go; entries without bytes are told of."""
        stray = missing = 0
        async for ids in self._files.settled():
            named = await self._log.named(ids)
            stray += await self._remove([id for id in ids if id not in named])
        after = 0
        while page := await self._log.files(after, PAGE):
            missing += len(await self._files.absent([id for _seq, id in page]))
            after = page[-1][0]
        if stray:
            logger.warning("removed %d files that no entry names, of a server that was killed", stray)
        if missing:
            logger.warning("the bytes of %d files are gone; their entries stay", missing)

    async def tidy(self) -> None:
        """Once round: messages, files, and the space that they leave."""
        entries, files = await self._trim(), await self._release()
        while await self._log.shrink():
            await self._pause()
        await asyncio.to_thread(self._also)
        if entries or files:
            logger.info("%d entries and the bytes of %d files are no longer kept", entries, files)

    async def _trim(self) -> int:
        keep, gone = self._keep, 0
        while keep.days or keep.bytes:
            days = 1 if keep.bytes and await self._log.size() > keep.bytes else keep.days
            if not days:
                break
            step = await self._log.trim(self._ago(days))
            if not step.count:
                break
            gone += step.count
            await self._remove(step.files)
            await self._pause()
        return gone

    async def _release(self) -> int:
        keep, gone = self._keep, 0
        while keep.files_days or keep.files_bytes:
            excess = await self._log.file_bytes() - keep.files_bytes if keep.files_bytes else 0
            days, enough = (1, excess) if excess > 0 else (keep.files_days, ANY_BYTES)
            if not days:
                break
            step = await self._log.release(self._ago(days), enough)
            if not step.count:
                break
            gone += await self._remove(step.files)
            await self._pause()
        return gone

    async def _remove(self, ids: list[str]) -> int:
        for id in ids:
            await self._files.remove(id)
        return len(ids)

    async def _pause(self) -> None:
        await asyncio.sleep(PAUSE_S)

    def _ago(self, days: int) -> int:
        return int(self._clock() * 1000) - days * DAY_MS


def _hear(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()):
        logger.error("the keeper has stopped; nothing is trimmed any more", exc_info=fault)
