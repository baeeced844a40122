"""Thumbnails are made one at a time by a program that may die, and nobody is worse off for it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from bridge import darkroom
from bridge.darkroom import Darkroom
from bridge.model import FileRef, Refused
from bridge.store.files import DiskFiles
from bridge.store.thumbnails import DiskThumbnails
from tests.support.peers import eventually
from tests.support.pictures import bomb, opened, picture


class House:
    """A darkroom over a store, and what programs it has running."""

    def __init__(self, folder: Path, **settings: float) -> None:
        self.folder = folder
        self.files = DiskFiles(folder)
        self.kept = DiskThumbnails(folder, self.files)
        self.darkroom = Darkroom(self.files, self.kept, **settings)

    async def put(self, content: bytes) -> FileRef:
        part = await self.files.create()
        await part.write(content)
        digest = await part.commit()
        return FileRef.of(part.id, "a.png", digest.size, digest.sha256, "image/png")

    @property
    def program(self) -> int | None:
        return self.darkroom._program.pid if self.darkroom._program else None

    async def close(self) -> None:
        await self.darkroom.close()
        await self.files.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    yield house
    await house.close()


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Another one in the place of ours, ready and then as `what` says."""
    (folder / "program.py").write_text(f"import sys, time\nprint(flush=True)\n{what}\n")
    monkeypatch.setattr(darkroom, "PROGRAM", folder / "program.py")


async def test_it_is_started_by_the_first_picture_and_makes_each_once(house: House) -> None:
    """Those who ask at once for the same one are answered with the same."""
    file, other, bad = await house.put(picture()), await house.put(picture(size=(900, 100))), await house.put(bomb())
    assert await house.darkroom.thumbnail(FileRef.of("1", "a.txt", 1, "", "text/plain")) == b""
    assert house.program is None
    made = await asyncio.gather(*(house.darkroom.thumbnail(one) for one in (file, file, other, bad, file)))
    assert made[0] == made[1] == made[4] and [opened(one).size for one in made[1:3]] == [(800, 500), (800, 89)]
    assert made[3] == b""
    pid = house.program
    assert pid is not None and lives(pid)
    assert await house.kept.get(file.id) == made[0] and await house.kept.get(bad.id) == b""
    await house.darkroom.close()
    assert not lives(pid)
    assert await house.darkroom.thumbnail(file) == made[0]  # it is kept: nobody is asked
    assert house.program is None


async def test_a_program_that_dies_of_a_picture_hurts_no_other(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deadly, file = await house.put(picture()), await house.put(picture())
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        program(tmp_path, patch, "sys.stdin.readline(); sys.exit(1)")
        assert await house.darkroom.thumbnail(deadly) == b""
    assert f"no thumbnail of {deadly.id}" in caplog.text
    assert await house.darkroom.thumbnail(file)
    assert await house.darkroom.thumbnail(deadly) == b"", "it is not tried again"


async def test_one_that_takes_too_long_or_that_nobody_waits_for_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "sys.stdin.readline(); time.sleep(1000)")
    house = House(tmp_path, picture_s=0.5)
    assert await house.darkroom.thumbnail(await house.put(picture())) == b"" and house.program is None
    await house.close()
    house = House(tmp_path)
    file = await house.put(picture())
    waiting = asyncio.create_task(house.darkroom.thumbnail(file))
    await eventually(lambda: house.program is not None)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled() and house.program is None
    assert await house.kept.get(file.id) is None, "it may be tried again"
    await house.close()


async def test_an_idle_one_goes(tmp_path: Path) -> None:
    house = House(tmp_path, idle_s=0)
    assert await house.darkroom.thumbnail(await house.put(picture(size=(9, 9))))
    await eventually(lambda: house.program is None)
    assert await house.darkroom.thumbnail(await house.put(picture(size=(9, 9)))), "the next one is started"
    await house.close()


@pytest.mark.parametrize("instead", ["/nowhere/python", "/bin/false"])
async def test_where_none_can_be_started_it_is_said_and_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch, instead: str
) -> None:
    file = await house.put(picture())
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", instead)
        with pytest.raises(Refused) as refused:
            await house.darkroom.thumbnail(file)
        assert refused.value.code == "busy"
    assert await house.darkroom.thumbnail(file)
