"""What an upload that stopped leaves on the disk, and what the next server makes of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.log import Begun
from bridge.model import Peer, Refused, StoreError
from bridge.store import unfinished as module
from bridge.store.files import DiskFiles
from bridge.store.unfinished import DiskKeptPart, DiskUnfinished
from tests.store.conftest import SmallDisk
from tests.support.nouns import stopped_at

BEGUN = Begun(
    room="lobby",
    author="author",
    key="k",
    sender=Peer("p1", "小明", "http", "127.0.0.1:1"),
    name="报告.pdf",
    size=10,
    sha256=None,
    owner="author",
    about="filename YQ==",
)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[DiskFiles]:
    files = DiskFiles(tmp_path)
    yield files
    await files.close()


@pytest.fixture
def unfinished(files: DiskFiles) -> DiskUnfinished:
    return DiskUnfinished(files)


def there(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def later(folder: Path) -> tuple[DiskFiles, list[tuple[Begun, DiskKeptPart]]]:
    """Another server over the same folder, as after a kill: nobody closed anything."""
    files = DiskFiles(folder)
    return files, await DiskUnfinished(files).all(nothing)


async def nothing(id: str) -> None:
    """No file was announced."""


async def test_what_was_written_is_there_for_the_next_server(unfinished: DiskUnfinished, tmp_path: Path) -> None:
    part = await unfinished.begin(BEGUN)
    await part.take_up()
    await part.write(b"hello ")
    files, found = await later(tmp_path)  # it was not let go of
    ((begun, again),) = found
    assert (begun, again.id, again.size) == (BEGUN, part.id, 6)
    await again.take_up()
    await again.write(b"world")
    digest = await again.commit()
    assert (digest.size, digest.sha256) == (11, sha256(b"hello world"))
    assert files.path(part.id).read_bytes() == b"hello world"
    await again.abort()  # what is left of the upload
    assert there(tmp_path) == {part.id}
    await files.close()


async def test_what_is_there_is_hashed_again_in_slices(
    unfinished: DiskUnfinished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REHASH_BYTES", 1000)
    content = os.urandom(10_500)
    part = await unfinished.begin(BEGUN)
    await part.take_up()
    await part.write(content)
    await part.let_go()
    files, ((_, again),) = await later(tmp_path)
    await again.take_up()
    await again.let_go()
    await again.take_up()  # this process has seen it now
    await again.write(b"more")
    assert (await again.commit()).sha256 == sha256(content + b"more")
    await files.close()


@pytest.mark.parametrize("step", range(8))
async def test_hashing_that_is_cancelled_goes_on_another_time(
    unfinished: DiskUnfinished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(module, "REHASH_BYTES", 1000)
    content = os.urandom(5000)
    part = await unfinished.begin(BEGUN)
    await part.take_up()
    await part.write(content)
    await part.let_go()
    files, ((_, again),) = await later(tmp_path)
    await stopped_at(again.take_up(), step)
    await again.take_up()
    assert (await again.commit()).sha256 == sha256(content)
    await files.close()


async def test_what_was_written_since_a_mark_can_be_taken_back(unfinished: DiskUnfinished) -> None:
    part = await unfinished.begin(BEGUN)
    await part.take_up()
    await part.write(b"abc")
    await part.mark()
    await part.write(b"wrong")
    await part.back()
    assert part.size == 3
    await part.write(b"def")
    assert (await part.commit()).sha256 == sha256(b"abcdef")


async def test_aborting_leaves_nothing_and_may_be_repeated(unfinished: DiskUnfinished, tmp_path: Path) -> None:
    part = await unfinished.begin(BEGUN)
    await part.take_up()
    await part.write(b"abc")
    for _ in range(2):
        await part.abort()
        assert there(tmp_path) == set()


async def test_letting_go_waits_for_the_write_of_a_caller_who_was_cancelled(unfinished: DiskUnfinished) -> None:
    part = await unfinished.begin(BEGUN)
    await part.take_up()
    writing = asyncio.create_task(part.write(b"x" * 20_000_000))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing])
    await part.let_go()
    assert part.size == 20_000_000  # all of it or nothing, and never a number that is not true yet
    await part.abort()


@pytest.mark.parametrize("step", range(4))
async def test_one_that_nobody_waits_for_any_more_is_not_begun(tmp_path: Path, step: int) -> None:
    files = DiskFiles(tmp_path)
    cancelled = await stopped_at(DiskUnfinished(files).begin(BEGUN), step)
    await files.close()
    await asyncio.sleep(0)
    assert len(there(tmp_path)) == (0 if cancelled else 2)


async def test_half_a_record_or_half_a_pair_is_swept_away(
    files: DiskFiles, unfinished: DiskUnfinished, tmp_path: Path
) -> None:
    part = await unfinished.begin(BEGUN)
    for name, content in {
        "1" * 32: b"bytes that nobody knows",
        "2" * 32 + ".json": b'{"room":"lobby"',
        "3" * 32 + ".json": b"",
        "4" * 32 + ".new": b"{}",
    }.items():
        (files.uploads / name).write_bytes(content)
    (files.uploads / ("2" * 32)).write_bytes(b"x")
    again, found = await later(tmp_path)
    assert [one.id for _, one in found] == [part.id]
    assert there(tmp_path) == {part.id, f"{part.id}.json"}
    await again.close()


async def test_nobody_else_may_read_them(unfinished: DiskUnfinished, files: DiskFiles) -> None:
    before = os.umask(0)
    try:
        part = await unfinished.begin(BEGUN)
    finally:
        os.umask(before)
    assert stat.S_IMODE(files.uploads.stat().st_mode) == 0o700
    assert stat.S_IMODE((files.uploads / part.id).stat().st_mode) == 0o600
    assert stat.S_IMODE((files.uploads / f"{part.id}.json").stat().st_mode) & 0o077 == 0


async def test_a_full_disk_takes_back_what_it_took_in_part(disk: SmallDisk) -> None:
    files = DiskFiles(disk.folder)
    part = await DiskUnfinished(files).begin(BEGUN)
    await part.take_up()
    await part.write(b"abc")
    disk.fill()
    with pytest.raises(Refused, match="disk is full"):
        await part.write(b"x" * 4_000_000)
    assert part.size == 3
    await part.let_go()
    disk.free()
    await part.take_up()
    await part.write(b"def")
    assert (await part.commit()).sha256 == sha256(b"abcdef")
    await files.close()


async def test_bytes_that_went_meanwhile_are_a_fault_of_ours(unfinished: DiskUnfinished, files: DiskFiles) -> None:
    part = await unfinished.begin(BEGUN)
    (files.uploads / part.id).unlink()
    with pytest.raises(StoreError, match="files: "):
        await part.take_up()
