"""A data folder copied whole, also one that a server writes to: that is a backup, and on the way back a restore.

The log is copied first, at one moment of its life; then the files that it names, which were all there at that moment.
The copy's log gets its name last: a folder without it is a copy that was broken off.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final, NamedTuple

from bridge.model import StoreError
from bridge.store.files import place, sync_folder
from bridge.store.sqlite import Holds, files, snapshot

LOG: Final = "log.sqlite3"
FILES: Final = "files"


class Copied(NamedTuple):
    """What a copy holds; `str` says it in a line."""

    target: Path
    log: Holds
    files: int
    bytes: int
    missing: int

    def __str__(self) -> str:
        entries, rooms, last_seq = self.log
        lost = f" (no bytes any more: {self.missing})" if self.missing else ""
        return (
            f"{self.target} holds entries: {entries}, rooms: {rooms}, last number: {last_seq}, "
            f"files: {self.files}{lost}, their bytes: {self.bytes}"
        )


def copy(source: Path, target: Path) -> Copied:
    """Copy `source` to `target`. Raises `StoreError`, also for a target that is not empty."""
    try:
        if not (source / LOG).is_file():
            raise StoreError(f"{source} holds no log to copy (--data DIR names another folder)")
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise StoreError(f"{target} is not empty; a copy needs a folder of its own")
        return _copy(source, target)
    except OSError as exc:
        raise StoreError(f"no copy: {exc}") from exc


def _copy(source: Path, target: Path) -> Copied:
    coming = target / f"{LOG}.part"
    coming.touch(mode=0o600)
    log = snapshot(source / LOG, coming)
    (target / FILES).mkdir(mode=0o700)
    count = size = missing = 0
    shared: dict[int, Path] = {}
    for id in files(coming):
        there = place(target / FILES, id)
        if _give(place(source / FILES, id), there, shared):
            count, size = count + 1, size + there.stat().st_size
        else:
            missing += 1
    for shelf in (target / FILES).iterdir():
        sync_folder(shelf)
    sync_folder(target / FILES)
    os.rename(coming, target / LOG)
    sync_folder(target)
    return Copied(target, log, count, size, missing)


def _give(here: Path, there: Path, shared: dict[int, Path]) -> bool:
    """A second name, which is as good as a copy since bytes never change, or a copy. False if they are gone.

    `shared` is where copies lie of bytes that have more names than one here.
    """
    there.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        if _linked(here, there):
            return True
        found = here.stat()
        first = shared.get(found.st_ino)
        if first is None or not _linked(first, there):
            _copy_bytes(here, there)
            if found.st_nlink > 1:
                shared[found.st_ino] = there
    except FileNotFoundError:
        return False
    return True


def _linked(here: Path, there: Path) -> bool:
    try:
        os.link(here, there)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or one that knows no links
        return False
    return True


def _copy_bytes(here: Path, there: Path) -> None:
    with here.open("rb") as source, open(os.open(there, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
