"""A row at a time, and everybody has a turn after every asking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import rows
from bridge.rows import Rows


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROW_SEATS", 3)


def test_a_round_is_all_in_their_order_and_then_over() -> None:
    seated = dict.fromkeys("abcdefgh")
    turns = Rows(seated.keys())
    assert turns.over
    turns.ask()
    assert [turns.next(), turns.next()] == [["a", "b", "c"], ["d", "e", "f"]]
    assert not turns.over
    assert turns.next() == ["g", "h"]
    assert turns.over


def test_who_asks_on_the_way_does_not_make_it_start_over() -> None:
    seated = dict.fromkeys("abcde")
    turns = Rows(seated.keys())
    turns.ask()
    assert turns.next() == ["a", "b", "c"]
    turns.ask()
    turns.ask()
    assert [turns.next(), turns.next(), turns.next()] == [["d", "e"], ["a", "b", "c"], ["d", "e"]]
    assert turns.over


def test_who_left_has_no_turn_and_who_came_waits_for_the_next_round() -> None:
    seated = dict.fromkeys("abcdef")
    turns = Rows(seated.keys())
    turns.ask()
    turns.next()
    del seated["e"]
    turns.leave()
    seated["g"] = None
    turns.ask()
    assert [turns.next(), turns.next(), turns.next()] == [["d", "f"], ["a", "b", "c"], ["d", "f", "g"]]
    assert turns.over


def test_an_empty_room_is_done_with_at_once() -> None:
    turns = Rows[str]({}.keys())
    turns.ask()
    assert turns.next() == []
    assert turns.over


@given(st.lists(st.sampled_from(["ask", "row", "come", "leave first", "leave last"]), max_size=60))
def test_after_any_history_an_asking_reaches_everybody_who_stays_and_nobody_else(history: list[str]) -> None:
    seated: dict[int, None] = dict.fromkeys(range(5))
    turns, fresh = Rows(seated.keys()), 5
    waiting: set[int] = set()
    for step in [*history, "ask"]:
        match step:
            case "ask":
                turns.ask()
                waiting = set(seated)
            case "come":
                seated[fresh] = None
                fresh += 1
            case "row" if not turns.over:
                row = turns.next()
                assert set(row) <= set(seated)
                waiting -= set(row)
            case "leave first" | "leave last" if seated:
                gone = min(seated) if step == "leave first" else max(seated)
                del seated[gone]
                waiting.discard(gone)
                turns.leave()
    while not turns.over:
        waiting -= set(turns.next())
    assert not waiting
