"""A question can never be syntax, and none walks the log."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from bridge import words
from bridge.model import Refused
from bridge.store.sqlite import SqliteLog, search
from tests.support.nouns import anything, draft, nasty


@given(query=anything | nasty)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_asked_is_no_syntax(log: SqliteLog, query: str) -> None:
    try:
        asked = words.phrases(query)
    except Refused:
        return
    await log.search("lobby", asked, 10)  # FTS5 would raise what reaches us as `StoreError`


def test_a_question_is_quoted_phrases_that_may_go_on() -> None:
    assert search.match([["温", "度"], ["OR"]]) == '"温 度"* "OR"*'


@pytest.mark.parametrize("query", [search._MATCHING, search._FILES])
async def test_no_question_walks_the_log(log: SqliteLog, path: Path, query: str) -> None:
    await log.append(draft())
    whole = f"SELECT entry.seq FROM entry JOIN room ON room.id = entry.room {query}"
    with closing(sqlite3.connect(path)) as other:
        plan = [row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {whole}", ["1"] * query.count("?"))]
    assert [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE INDEX" not in step] == []
    assert [step for step in plan if "TEMP B-TREE" in step] == [], "nothing is sorted"
