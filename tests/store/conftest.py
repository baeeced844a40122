"""What the engines' suites share: a disk small enough to fill."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import tool, unavailable

pytest.register_assert_rewrite(
    "tests.store.log_contract",
    "tests.store.withdrawal_contract",
    "tests.store.rules_contract",
    "tests.store.files_contract",
)


class SmallDisk:
    """A folder that is a disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Until not one byte more fits."""
        with self._filler.open("wb") as filler:
            block = b"\0" * 65_536
            while block:
                try:
                    os.write(filler.fileno(), block)
                except OSError:
                    block = block[: len(block) // 2]

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = [tool("mount"), "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        unavailable(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield SmallDisk(folder)
    subprocess.run([tool("umount"), "--lazy", str(folder)], check=True)
