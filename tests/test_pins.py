"""Who tries PINs: slips are forgotten, guessing is slow, and memory has an end."""

from __future__ import annotations

from bridge.pins import ADDRESSES_MAX, WRONG_MAX, WRONG_S, Tries


def test_slips_are_free_and_guessing_waits() -> None:
    tries = Tries()
    for number in range(WRONG_MAX):
        assert tries.wait("10.0.0.5", number) == 0
        tries.wrong("10.0.0.5", number)
    assert tries.wait("10.0.0.5", WRONG_MAX) == WRONG_S - WRONG_MAX
    assert tries.wait("10.0.0.6", WRONG_MAX) == 0
    assert tries.wait("10.0.0.5", WRONG_S + 0.5) == 0
    tries.wrong("10.0.0.5", WRONG_S + 0.5)
    assert tries.wait("10.0.0.5", WRONG_S + 0.5) == 0.5


def test_a_right_one_forgives_the_wrong_ones() -> None:
    tries = Tries()
    for _ in range(WRONG_MAX):
        tries.wrong("10.0.0.5", 0)
    tries.right("10.0.0.5")
    tries.right("10.0.0.6")
    assert tries.wait("10.0.0.5", 0) == 0


def test_memory_has_an_end() -> None:
    tries = Tries()
    for number in range(ADDRESSES_MAX + 10):
        tries.wrong(str(number), 0)
    assert len(tries._wrong) == ADDRESSES_MAX
    assert "0" not in tries._wrong
