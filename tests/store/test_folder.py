"""Whose a data folder is, and what is said of one that is nobody's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.config import Config
from bridge.model import StoreError
from bridge.server import Server
from bridge.store.folder import claimed


def test_it_belongs_to_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with claimed(folder):
        with pytest.raises(StoreError, match=f"{folder} is in use by another roombridge"):
            with claimed(folder):
                pass
    with claimed(folder):
        pass


def test_what_went_wrong_inside_is_not_taken_for_a_folder_that_does_not_do(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of another matter"):
        with claimed(tmp_path):
            raise OSError("of another matter")
    with claimed(tmp_path):
        pass


UNUSABLE: dict[str, Callable[[Path], object]] = {
    "the folder is a file": lambda data: data.write_text(""),
    "the lock is a folder": lambda data: (data / "lock").mkdir(parents=True),
    "the parts are a file": lambda data: (data.mkdir(), (data / "parts").write_text("")),
    "a folder among the parts": lambda data: (data / "parts" / "mine").mkdir(parents=True),
    "the uploads are a file": lambda data: (data.mkdir(), (data / "uploads").write_text("")),
    "a folder among the uploads": lambda data: (data / "uploads" / "mine").mkdir(parents=True),
    "the ballast is a folder": lambda data: (data / "ballast").mkdir(parents=True),
    "the log is a folder": lambda data: (data / "log.sqlite3").mkdir(parents=True),
}


@pytest.mark.parametrize("make", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_one_that_cannot_be_used_is_named_in_one_sentence(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(data := tmp_path / "data")
    with pytest.raises(StoreError) as refused:
        async with Server(Config(port=0, data=data)):
            pass
    assert str(data) in str(refused.value) and "\n" not in str(refused.value)
    if data.is_dir() and not (data / "lock").is_dir():
        with claimed(data):  # nobody holds it
            pass
