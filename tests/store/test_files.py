"""Bytes on a disk: whole or not there at all, and nobody else's business."""

from __future__ import annotations

import asyncio
import os
import resource
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.log import Files
from bridge.model import Refused, StoreError
from bridge.store.files import DiskFiles
from tests.store.conftest import SmallDisk
from tests.store.files_contract import FilesContract
from tests.support.nouns import stopped_at


class TestDiskFiles(FilesContract):
    def engine(self, folder: Path) -> Files:
        return DiskFiles(folder)

    async def close(self, files: Files) -> None:
        assert isinstance(files, DiskFiles)
        await files.close()


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[DiskFiles]:
    files = DiskFiles(tmp_path)
    yield files
    await files.close()


def there(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_nobody_else_may_read_them(files: DiskFiles, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        coming = await files.create()
        part = await files.create()
        await part.commit()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "parts" / coming.id).stat().st_mode) == 0o600
    assert stat.S_IMODE(files.path(part.id).stat().st_mode) == 0o600
    for folder in (tmp_path / "files", tmp_path / "parts", files.path(part.id).parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    await coming.abort()


async def test_an_id_that_is_taken_is_never_followed_or_overwritten(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "parts" / ("0" * 32)).symlink_to(victim)
    monkeypatch.setattr("bridge.store.files.secrets.token_hex", lambda _: "0" * 32)
    with pytest.raises(StoreError):
        await files.create()
    assert victim.read_text() == "mine"


async def test_what_a_killed_server_left_is_removed_at_start(tmp_path: Path) -> None:
    files = DiskFiles(tmp_path)
    half = await files.create()
    await half.write(b"half")
    kept = await files.create()
    await kept.commit()
    again = DiskFiles(tmp_path)  # as after a kill: nobody closed anything
    assert there(tmp_path) == [again.path(kept.id)]
    await half.abort()
    await again.close()
    await files.close()


@pytest.mark.parametrize("step", range(10))
async def test_no_descriptor_is_left_wherever_the_caller_is_cancelled(tmp_path: Path, step: int) -> None:
    files = DiskFiles(tmp_path)
    await (await files.create()).abort()
    before = descriptors()

    async def keep() -> None:
        part = await files.create()
        try:
            await part.write(b"x" * 100_000)
            await part.commit()
        finally:
            await part.abort()

    await stopped_at(keep(), step)
    await files.close()
    await asyncio.sleep(0)  # what a thread finished is heard of in the loop
    assert descriptors() <= before
    assert there(tmp_path / "parts") == []


async def test_a_full_disk_is_refused_and_its_part_leaves_no_trace(disk: SmallDisk) -> None:
    files = DiskFiles(disk.folder)
    part = await files.create()
    await part.write(b"x" * 10_000)
    disk.fill()
    with pytest.raises(Refused) as refused:
        await part.write(b"x" * 4_000_000)
    assert refused.value.code == "disk_full"
    await part.abort()
    assert there(disk.folder / "parts") == []
    disk.free()
    again = await files.create()
    await again.write(b"there is room")
    await again.commit()
    assert files.path(again.id).read_bytes() == b"there is room"
    await files.close()


async def test_a_folder_that_is_gone_is_a_fault_of_ours(files: DiskFiles, tmp_path: Path) -> None:
    (tmp_path / "parts").rmdir()
    with pytest.raises(StoreError, match="files: "):
        await files.create()


async def test_aborting_waits_for_the_write_of_a_caller_who_was_cancelled(files: DiskFiles, tmp_path: Path) -> None:
    """Its thread still writes; were the descriptor closed under it, the next file to get the number would be hit."""
    part = await files.create()
    os.close(part._fd)
    drain, part._fd = os.pipe()  # a disk as slow as we like
    writing = asyncio.create_task(part.write(b"x" * 100_000))
    assert len(await asyncio.to_thread(os.read, drain, 1)) == 1  # the thread is at it
    writing.cancel()
    await asyncio.wait([writing])
    aborting = asyncio.create_task(part.abort())
    others = [await files.create() for _ in range(3)]
    assert not aborting.done()
    read = 1
    while read < 100_000:
        read += len(await asyncio.to_thread(os.read, drain, 65_536))
    await aborting
    os.close(drain)
    for other in others:
        await other.abort()
    assert there(tmp_path) == []


async def test_without_descriptors_it_is_busy_and_goes_on_when_there_are_some(files: DiskFiles, tmp_path: Path) -> None:
    await (await files.create()).abort()  # its thread is there
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        with pytest.raises(Refused) as refused:
            await files.create()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert refused.value.code == "busy"
    await (await files.create()).commit()
