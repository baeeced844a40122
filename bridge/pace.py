"""How often is often enough: at once while quiet, at a distance while busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pace:
    """Runs `work` soon after it is asked for, once however often it was asked, and not again until the distance that
    `work` returned (seconds) has passed."""

    def __init__(self, work: Callable[[], float]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._not_before = 0.0
        self._handle: asyncio.Handle | None = None
        self._timer: asyncio.Handle | None = None
        self._due = 0.0  # uvloop's handle for a very short time cannot tell

    def ask(self, after: float = 0.0) -> None:
        """Run at the next turn of the loop, or when the distance (or `after`) is over."""
        if self._handle is not None:
            return
        now = self._loop.time()
        due = max(self._not_before, now + after)
        if due <= now:
            self._stop_timer()
            self._handle = self._loop.call_soon(self._run)
        elif self._timer is None or due < self._due:
            self._stop_timer()
            self._due = due
            self._timer = self._loop.call_at(due, self._run)

    def _run(self) -> None:
        self._handle = None
        self._stop_timer()
        distance = self._work()
        self._not_before = self._loop.time() + distance

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
