"""Bytes on a disk: whole or not there at all, and nobody else's business."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import resource
import stat
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.log import Files, Part
from bridge.model import Refused, StoreError
from bridge.store.files import EARLY_BYTES, NICENESS, SMALL_BYTES, DiskFiles
from tests.store.conftest import SmallDisk
from tests.store.files_contract import FilesContract
from tests.support.nouns import stopped_at


class TestDiskFiles(FilesContract):
    def engine(self, folder: Path) -> Files:
        return DiskFiles(folder)

    async def close(self, files: Files) -> None:
        assert isinstance(files, DiskFiles)
        await files.close()


class SmallFiles(DiskFiles):
    """As if all that came were known to be small."""

    async def create(self, size: int | None = None) -> Part:
        return await super().create(0)


class TestSmallFiles(TestDiskFiles):
    def engine(self, folder: Path) -> Files:
        return SmallFiles(folder)


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


async def test_a_file_that_is_known_to_be_small_touches_the_disk_only_when_it_is_whole(
    files: DiskFiles, tmp_path: Path
) -> None:
    small, large, unknown = [await files.create(size) for size in (SMALL_BYTES, SMALL_BYTES + 1, None)]
    for part in (small, large, unknown):
        await part.write(b"x" * SMALL_BYTES)
    assert {path.name for path in there(tmp_path)} == {large.id, unknown.id}
    await small.commit()
    assert files.path(small.id).read_bytes() == b"x" * SMALL_BYTES
    for part in (large, unknown):
        await part.abort()


async def test_a_full_disk_refuses_a_small_file_when_it_is_whole(disk: SmallDisk) -> None:
    files = DiskFiles(disk.folder)
    part = await files.create(SMALL_BYTES)
    disk.fill()
    await part.write(b"x" * SMALL_BYTES)
    with pytest.raises(Refused) as refused:
        await part.commit()
    assert refused.value.code == "disk_full"
    await part.abort()
    assert there(disk.folder / "parts") == []
    await files.close()


@pytest.mark.parametrize("size", [1, None])
async def test_a_file_for_which_no_descriptor_is_left_is_refused_for_now(
    files: DiskFiles, tmp_path: Path, size: int | None
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 8, before[1]))
    try:
        with suppress(OSError):
            while True:
                held.append(os.dup(0))
        with pytest.raises(Refused) as refused:
            await (await files.create(size)).commit()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for descriptor in held:
            os.close(descriptor)
    assert refused.value.code == "busy"
    assert there(tmp_path / "parts") == []


async def twins(files: DiskFiles) -> list[str]:
    """Two files with the same bytes."""
    ids = []
    for _ in range(2):
        part = await files.create()
        await part.write(b"the same")
        await part.commit()
        ids.append(part.id)
    return ids


@pytest.mark.skipif(sys.platform != "linux", reason="niceness belongs to the process there")
async def test_writers_come_after_the_loop(files: DiskFiles) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    theirs = await files.run(os.getpriority, os.PRIO_PROCESS, 0)
    assert theirs == min(ours + NICENESS, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == ours


@pytest.mark.skipif(sys.platform != "linux", reason="nobody is advised there")
async def test_the_disk_begins_with_a_large_file_while_it_still_comes(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[int, int]] = []

    def advise(fd: int, start: int, size: int, advice: int, really: Callable[..., None] = os.posix_fadvise) -> None:
        really(fd, start, size, advice)
        begun.append((start, start + size))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    part, content = await files.create(), os.urandom(EARLY_BYTES // 2 + 1)
    for _ in range(7):
        await part.write(content)
    await part.write(content * 6)
    assert [start for start, _ in begun] == [0, *(stop for _, stop in begun[:-1])], "one after the other, nothing twice"
    assert begun[-1][1] == 6 * EARLY_BYTES and len(begun) == 4
    digest = await part.commit()
    assert digest.size == 13 * len(content) and digest.sha256 == hashlib.sha256(content * 13).hexdigest()


async def test_the_same_bytes_are_on_the_disk_once(files: DiskFiles, tmp_path: Path) -> None:
    first, second = await twins(files)
    for _ in range(2):  # a second time it changes nothing
        files.share(second, first)
    await files.close()
    assert files.path(second).samefile(files.path(first))
    assert files.path(first).stat().st_nlink == 2 and there(tmp_path / "parts") == []


@pytest.mark.parametrize("call", ["link", "replace"])
async def test_a_disk_that_knows_no_second_names_keeps_two(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    first, second = await twins(files)
    monkeypatch.setattr(os, call, unknown)
    files.share(second, first)
    await files.close()
    assert [files.path(id).read_bytes() for id in (first, second)] == [b"the same"] * 2
    assert not files.path(second).samefile(files.path(first)) and there(tmp_path / "parts") == []


async def test_a_file_that_is_removed_while_it_is_shared_stays_gone(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await twins(files)
    at_it, go_on = threading.Event(), threading.Event()

    def slow(source: Path, target: Path) -> None:
        at_it.set()
        assert go_on.wait(10)
        os.rename(source, target)

    monkeypatch.setattr(os, "replace", slow)
    files.share(second, first)
    assert await asyncio.to_thread(at_it.wait, 10)
    files.let_go(second)
    removing = asyncio.ensure_future(files.remove(second))
    await asyncio.sleep(0.05)
    assert files.path(second).exists() and not removing.done()
    go_on.set()
    await removing
    assert not files.path(second).exists() and files.path(first).read_bytes() == b"the same"
