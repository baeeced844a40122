"""At once while quiet, at a distance while busy; on a clock that only the test moves."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from bridge.pace import Pace


class Clock:
    """As much of an event loop as `Pace` asks for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.faults: list[BaseException] = []
        self._due: list[tuple[float, int, asyncio.Handle]] = []
        self._order = count()

    def time(self) -> float:
        return self.now

    def call_soon(self, work: Callable[[], None]) -> asyncio.Handle:
        return self.call_at(self.now, work)

    def call_at(self, when: float, work: Callable[[], None]) -> asyncio.Handle:
        """A handle that cannot say when: uvloop's for less than half a millisecond are such."""
        handle = asyncio.Handle(work, (), self)  # type: ignore[arg-type]
        heapq.heappush(self._due, (when, next(self._order), handle))
        return handle

    def call_exception_handler(self, told: dict[str, Any]) -> None:
        self.faults.append(told["exception"])

    def get_debug(self) -> bool:
        return False

    def pass_until(self, when: float) -> None:
        while self._due and self._due[0][0] <= when:
            self.now, _, handle = heapq.heappop(self._due)
            if not handle.cancelled():
                handle._run()
        self.now = when


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    return clock


def runs(clock: Clock, distance: float) -> tuple[Pace, list[float]]:
    at: list[float] = []

    def work() -> float:
        at.append(clock.now)
        return distance

    return Pace(work), at


def test_quiet_work_is_done_at_once_and_only_once(clock: Clock) -> None:
    pace, at = runs(clock, 1.0)
    for _ in range(100):
        pace.ask()
    assert at == []  # not within the asking
    clock.pass_until(5)
    assert at == [0]


def test_busy_work_keeps_its_distance_and_is_not_forgotten(clock: Clock) -> None:
    pace, at = runs(clock, 1.0)
    for tenth in range(30):
        clock.pass_until(tenth / 10)
        pace.ask()
    clock.pass_until(10)
    assert at == [0, 1, 2, 3]


def test_after_a_pause_it_is_at_once_again(clock: Clock) -> None:
    pace, at = runs(clock, 1.0)
    pace.ask()
    clock.pass_until(7.5)
    pace.ask()
    clock.pass_until(7.5)
    assert at == [0, 7.5]


def test_a_later_wish_does_not_delay_a_sooner_one(clock: Clock) -> None:
    pace, at = runs(clock, 0.0)
    pace.ask(after=5)
    pace.ask(after=2)
    pace.ask(after=9)
    clock.pass_until(20)
    assert at == [2]
    pace.ask(after=5)
    pace.ask()
    clock.pass_until(40)
    assert at == [2, 20]


def asking(
    clock: Clock, *wishes: float, distance: float = 0.0, fault: Exception | None = None
) -> tuple[Pace, list[float]]:
    """Work that asks for itself, the first two times."""
    at: list[float] = []

    def work() -> float:
        at.append(clock.now)
        for wish in wishes if len(at) < 3 else ():
            pace.ask(after=wish)
        if fault:
            raise fault
        return distance

    pace = Pace(work)
    pace.ask()
    return pace, at


def test_work_may_ask_for_itself(clock: Clock) -> None:
    _, at = asking(clock, 0.5, distance=0.1)
    clock.pass_until(9)
    assert at == [0, 0.5, 1.0]


def test_what_the_work_asks_of_itself_keeps_the_distance_that_it_then_returns(clock: Clock) -> None:
    _, at = asking(clock, 5, 0, distance=0.25)
    clock.pass_until(9)
    assert at == [0, 0.25, 0.5]


def test_a_late_timer_does_not_put_off_the_next(clock: Clock) -> None:
    """Due every quarter, met every tenth too late: they still come to four a second."""
    at: list[float] = []

    def work() -> float:
        at.append(clock.now)
        pace.ask()
        return 0.25

    def late(when: float, work: Callable[[], None], punctual: Callable[..., asyncio.Handle] = clock.call_at) -> Any:
        return punctual(when + 0.125 * (when > clock.now), work)

    clock.call_at = late  # type: ignore[method-assign]
    pace = Pace(work)
    pace.ask()
    clock.pass_until(10)
    assert len(at) == 40


def test_what_work_asked_of_itself_holds_though_it_fails(clock: Clock) -> None:
    pace, at = asking(clock, 0.5, fault=ValueError("no row"))
    clock.pass_until(9)
    assert at == [0, 0.5, 1.0] and len(clock.faults) == 3
    pace.ask()
    clock.pass_until(9)
    assert at[3:] == [9]
