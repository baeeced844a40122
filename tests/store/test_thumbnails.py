"""Thumbnails on a disk: nobody else's business, and never without the bytes they were made of."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.model import Refused, StoreError
from bridge.store.files import DiskFiles
from bridge.store.thumbnails import DiskThumbnails


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[DiskFiles]:
    files = DiskFiles(tmp_path)
    yield files
    await files.close()


async def stored(files: DiskFiles) -> str:
    part = await files.create()
    await part.commit()
    return part.id


def there(folder: Path) -> list[Path]:
    return [path for path in (folder / "thumbs").rglob("*") if path.is_file()]


async def test_what_was_made_and_what_could_not_be_made_is_remembered(files: DiskFiles, tmp_path: Path) -> None:
    thumbnails = DiskThumbnails(tmp_path, files)
    good, bad, unknown = [await stored(files) for _ in range(3)]
    await thumbnails.keep(good, b"small")
    await thumbnails.keep(bad, b"")
    (tmp_path / "thumbs" / "left.new").write_bytes(b"ha")  # of a server that was killed
    again = DiskThumbnails(tmp_path, files)
    assert [await again.get(id) for id in (good, bad, unknown)] == [b"small", b"", None]
    assert len(there(tmp_path)) == 2
    for path in (tmp_path / "thumbs").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


async def test_they_go_with_the_bytes_and_come_no_more(files: DiskFiles, tmp_path: Path) -> None:
    """Removed, let go of, or gone while its thumbnail was being made."""
    thumbnails = DiskThumbnails(tmp_path, files)
    removed, let_go = [await stored(files) for _ in range(2)]
    for id in (removed, let_go):
        await thumbnails.keep(id, b"small")
    assert len(there(tmp_path)) == 2
    await files.remove(removed)
    files.let_go(let_go)
    await files.run(lambda: None)
    await thumbnails.keep(removed, b"late")
    await files.close()
    assert there(tmp_path) == []


async def test_a_thumbnail_goes_first(files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two leaves bytes without an entry, which are looked for at start; never the other way."""
    thumbnails = DiskThumbnails(tmp_path, files)
    id = await stored(files)
    await thumbnails.keep(id, b"small")

    def killed(path: Path, missing_ok: bool = False) -> None:
        raise OSError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(StoreError):
            await files.remove(id)
    assert files.path(id).exists()
    await files.remove(id)
    assert not files.path(id).exists() and there(tmp_path) == []


async def test_where_there_is_no_room_none_is_kept(files: DiskFiles, tmp_path: Path) -> None:
    thumbnails = DiskThumbnails(tmp_path, files)
    id = await stored(files)

    def full(size: int) -> None:
        raise Refused("disk_full", "full")

    files.claim = full
    await thumbnails.keep(id, b"small")
    assert await thumbnails.get(id) is None and there(tmp_path) == []
