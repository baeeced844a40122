"""Room on the disk: what is kept for chat, on a disk small enough to fill."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bridge.model import Refused
from bridge.store.space import SHARE, Space
from tests.store.conftest import SmallDisk

WEIGHT = 64 * 1024


def ballast(disk: SmallDisk) -> int:
    """Bytes of ballast on the disk itself."""
    path = disk.folder / "ballast"
    return path.stat().st_blocks * 512 if path.exists() else 0


def refused(space: Space, size: int) -> str:
    with pytest.raises(Refused) as refused:
        space.claim(size)
    assert refused.value.code == "disk_full"
    return refused.value.message


def test_ballast_is_real_goes_when_it_is_needed_and_comes_back_with_the_space(disk: SmallDisk) -> None:
    space = Space(disk.folder, 0, WEIGHT)
    assert ballast(disk) == WEIGHT
    disk.fill()
    assert shutil.disk_usage(disk.folder).free == 0
    assert space.relieve()
    assert shutil.disk_usage(disk.folder).free == WEIGHT
    assert not space.relieve(), "there is no more"
    space.refit()
    assert ballast(disk) == WEIGHT
    assert space.relieve()
    disk.fill()
    space.refit()
    assert ballast(disk) == 0, "no room for it"
    disk.free()
    space.refit()
    assert ballast(disk) == WEIGHT


def test_it_is_found_again_and_changed_with_the_setting(disk: SmallDisk) -> None:
    Space(disk.folder, 0, WEIGHT)
    disk.fill()
    assert Space(disk.folder, 0, WEIGHT).relieve(), "it was there already"
    disk.free()
    Space(disk.folder, 0, WEIGHT)
    Space(disk.folder, 0, WEIGHT // 2)
    assert ballast(disk) == WEIGHT // 2
    assert not Space(disk.folder, 0, 0).relieve()
    assert not (disk.folder / "ballast").exists()


def test_it_takes_no_more_than_its_share_of_a_small_disk(disk: SmallDisk) -> None:
    Space(disk.folder, 0, 10**9)
    assert 0 < ballast(disk) <= shutil.disk_usage(disk.folder).total // SHARE + 4096


def test_files_are_refused_while_there_is_still_room_for_chat(disk: SmallDisk) -> None:
    free = shutil.disk_usage(disk.folder).free
    space = Space(disk.folder, 500_000, 0)
    space.claim(free - 500_000)
    assert "500000 are kept for chat (--reserve-bytes)" in refused(space, free - 500_000 + 1)
    disk.fill()
    refused(space, 0)
    disk.free()
    space.claim(1)


def test_what_ballast_made_room_for_is_not_for_files(disk: SmallDisk) -> None:
    space = Space(disk.folder, 0, WEIGHT)
    disk.fill()
    space.relieve()
    refused(space, 1)
    disk.free()
    space.claim(shutil.disk_usage(disk.folder).free - WEIGHT)


def test_the_usual_reserve_suits_the_disk(disk: SmallDisk, tmp_path: Path) -> None:
    total = shutil.disk_usage(disk.folder).total
    assert f"{total // SHARE} are kept" in refused(Space(disk.folder), total)
    large = shutil.disk_usage(tmp_path).total
    assert f"{min(1024**3, large // SHARE)} are kept" in refused(Space(tmp_path), large)


def test_without_the_system_s_help_it_is_as_real(disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.posix_fallocate")
    Space(disk.folder, 0, WEIGHT)
    assert ballast(disk) == WEIGHT
