"""A table that never grows, whoever asks."""

from __future__ import annotations

import sys

from bridge.policy import Sketch


def test_once_and_then_once_in_so_many_seconds() -> None:
    sketch = Sketch(10.0)
    assert [sketch.take("a", now) for now in (100.0, 100.0, 109.9, 110.0, 110.1, 200.0)] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]


def test_so_many_at_once_and_then_one_by_one() -> None:
    sketch = Sketch(10.0, burst=3)
    assert [sketch.take("a", 5.0) for _ in range(4)] == [True, True, True, False]
    assert [sketch.take("a", 15.0) for _ in range(2)] == [True, False]
    assert [sketch.take("a", 1000.0) for _ in range(4)] == [True, True, True, False]


def test_whoever_asks_a_million_strangers_take_no_more_room_and_no_more_turns() -> None:
    sketch = Sketch(10.0)
    before = sys.getsizeof(sketch._whole_at)
    let_through = sum(sketch.take(("10.0.0.0", number), 1.0) for number in range(20_000))
    assert sys.getsizeof(sketch._whole_at) == before <= 18_000
    assert 0 < let_through <= 2048


def test_two_sketches_mix_their_keys_differently() -> None:
    """Or somebody could work out whose turn to take."""
    one, two = (
        [sketch.take(number, 1.0) for number in range(5000)]
        for sketch in (Sketch(10.0, slots=64), Sketch(10.0, slots=64))
    )
    assert one != two
