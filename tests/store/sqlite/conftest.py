"""What the tests of the SQLite engine share: a log on a disk, and a way to look into its file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.store.sqlite import SqliteLog

FILE = "log.sqlite3"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(path)
    yield log
    await log.close()


def ask(path: Path, *statements: str) -> list[Any]:
    """Run SQL as another process would; the rows of the last statement."""
    with closing(sqlite3.connect(path)) as other, other:
        return [other.execute(statement).fetchall() for statement in statements][-1]
