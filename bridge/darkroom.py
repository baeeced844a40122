"""Where thumbnails are made: one at a time, when somebody looks, by a program that is there only while there is work.

The program (`bridge/shrink.py`) may die of a picture; then that picture has no thumbnail, which is remembered, and the
next one finds a new program. What was made is kept beside the bytes and goes with them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Final

from bridge.log import Files, Thumbnails
from bridge.model import FileRef, Refused

logger = logging.getLogger("roombridge.darkroom")

PICTURE_S: Final = 30.0
"""How long one picture may take; a third of it as processor time ends the program before."""
START_S: Final = 30.0
IDLE_S: Final = 60.0
"""How long the program waits for another picture before it goes: it weighs some 30 MiB."""
PROGRAM: Final = Path(__file__).with_name("shrink.py")


class Darkroom:
    """Makes thumbnails until `close`."""

    def __init__(self, files: Files, kept: Thumbnails, picture_s: float = PICTURE_S, idle_s: float = IDLE_S) -> None:
        self._files = files
        self._kept = kept
        self._picture_s = picture_s
        self._idle_s = idle_s
        self._one_at_a_time = asyncio.Lock()
        self._program: Process | None = None
        self._idle: asyncio.Task[None] | None = None

    async def thumbnail(self, file: FileRef) -> bytes:
        """A small WebP picture; empty when there can be none. Raises `Refused` `busy` when nothing can be started."""
        if not file.media_type.startswith("image/"):
            return b""
        if (made := await self._kept.get(file.id)) is not None:
            return made
        async with self._one_at_a_time:
            if (made := await self._kept.get(file.id)) is None:  # somebody was before us
                made = await self._develop(self._files.path(file.id))
                await self._kept.keep(file.id, made)
        return made

    async def close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            await asyncio.wait([self._idle])
        await self._end()

    async def _develop(self, path: Path) -> bytes:
        try:
            program = await self._ready()
            async with asyncio.timeout(self._picture_s):
                return await _asked(program, path)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError) as fault:
            logger.warning("no thumbnail of %s: its program ended (%s)", path.name, type(fault).__name__)
            await self._end()
            return b""
        except BaseException:  # nobody waits any more, and its answer would be taken for the next one's
            await self._end()
            raise

    async def _ready(self) -> Process:
        """The program, started if it is not there; it will be ended when it was idle for its time."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.create_task(self._end_when_idle(), name="darkroom idle")
        if self._program is None or self._program.returncode is not None:
            try:
                self._program = await _started()
                async with asyncio.timeout(START_S):
                    await _output(self._program).readexactly(1)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as fault:
                raise Refused("busy", f"no thumbnail can be made just now: {type(fault).__name__}") from fault
        return self._program

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._idle_s)
        async with self._one_at_a_time:
            await self._end()

    async def _end(self) -> None:
        """It holds nothing that would be lost."""
        if (program := self._program) is not None:
            if program.returncode is None:
                program.kill()
            await program.wait()
            self._program = None


async def _started() -> Process:
    # By its path and alone (-I): it needs nothing of the house, and nothing that lies in the folder we were started in.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-IB", str(PROGRAM)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("ROOMBRIDGE_")},  # no secrets
    )


async def _asked(program: Process, path: Path) -> bytes:
    if program.stdin is None:
        raise RuntimeError("a program that hears nothing")
    program.stdin.write(json.dumps(str(path)).encode() + b"\n")
    await program.stdin.drain()
    output = _output(program)
    (size,) = struct.unpack(">I", await output.readexactly(4))
    return await output.readexactly(size)


def _output(program: Process) -> asyncio.StreamReader:
    if program.stdout is None:
        raise RuntimeError("a program that says nothing")
    return program.stdout
