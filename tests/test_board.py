"""A reader that looks at any moments ends with the truth."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import board
from bridge.board import Board

KEYS = st.sampled_from("abcdef")
STEPS = st.lists(
    st.one_of(st.tuples(st.just("put"), KEYS), st.tuples(st.just("drop"), KEYS), st.just("look")), max_size=80
)


@settings(deadline=None)
@given(STEPS)
def test_a_reader_who_looks_now_and_then_knows_what_is_there(steps: list[tuple[str, str] | str]) -> None:
    told: Board[int] = Board()
    known: dict[str, int] = {}
    version = 0
    values = iter(range(1000))
    names: dict[int, str] = {}
    for step in [*steps, "look"]:
        if step == "look":
            changes = told.since(version)
            assert changes is not None
            for key in changes.gone:
                known.pop(key, None)
            assert not {names[value] for value in changes.changed} - known.keys(), "changed, yet never known"
            known |= {names[value]: value for value in changes.new + changes.changed}
            version = told.version
            assert sorted(known.values()) == sorted(told)
        elif step[0] == "put":
            value = next(values)
            names[value] = step[1]
            told.put(step[1], value)
        else:
            told.drop(step[1])


def test_who_looked_too_long_ago_is_told_to_start_over() -> None:
    told: Board[int] = Board()
    for number in range(board.CHANGES_KEPT + 1):
        told.put("a", number)
    assert told.since(0) is None
    changes = told.since(told.version - 1)
    assert changes is not None and changes.changed == [board.CHANGES_KEPT]


def test_many_changes_are_told_as_one() -> None:
    told: Board[int] = Board()
    told.put("a", 1)
    seen = told.version
    for number in range(2, 100):
        told.put("a", number)
    assert told.since(seen) == ([], [99], [])
    assert told.get("a") == 99 and told.get("b") is None and len(told) == 1


def test_dropping_what_is_not_there_changes_nothing() -> None:
    told: Board[int] = Board()
    told.drop("a")
    assert told.version == 0
