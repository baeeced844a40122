"""A data folder belongs to one at a time, be it a server or a command that sets it right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bridge.model import StoreError


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """It is ours alone inside the block. Raises `StoreError` if it is somebody's, or cannot be anybody's."""
    lock = FileLock(folder / "lock", timeout=0)
    with faults_named(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            message = f"the data folder {folder} is in use by another roombridge (--data DIR takes another)"
            raise StoreError(message) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def faults_named(folder: Path) -> Iterator[None]:
    """What does not do as a folder, or as a file in it, is told in one sentence."""
    try:
        yield
    except OSError as exc:
        raise StoreError(f"the data folder {folder} cannot be used: {exc}") from exc
