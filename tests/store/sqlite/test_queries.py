"""Queries, asked of the file itself: they find their rows by an index, however long the log is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.store.sqlite import SqliteLog, queries
from tests.support.nouns import draft, file

QUERIES = [
    queries._AFTER,
    queries._AFTER_BY,
    queries._BEFORE,
    queries._BEFORE_BY,
    queries._BY_KEY,
    queries._BY_FILE,
]


@pytest.mark.parametrize("query", QUERIES)
async def test_no_query_walks_the_log(log: SqliteLog, path: Path, query: str) -> None:
    await log.append(draft(text=None, file=file()))
    with closing(sqlite3.connect(path)) as other:
        plan = [row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {query}", [1] * query.count("?"))]
    assert [step for step in plan if step.startswith("SCAN")] == []
    assert [step for step in plan if "TEMP B-TREE" in step] == [], "nothing is sorted"
