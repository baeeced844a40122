"""How often is often enough: at once while quiet, at a distance while busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pace:
    """Runs `work` soon after it is asked for, once however often it was asked, and not again until the distance that
    `work` returned (seconds) has passed. A timer's lateness counts as distance, so that many short ones come to what
    they should."""

    def __init__(self, work: Callable[[], float]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._not_before = 0.0
        self._handle: asyncio.Handle | None = None
        self._timer: asyncio.Handle | None = None
        self._due = 0.0  # uvloop's handle for a very short time cannot tell
        self._working = False
        self._wish: float | None = None  # of the work itself, whose distance is not known yet

    def ask(self, after: float = 0.0) -> None:
        """Run at the next turn of the loop, or when the distance (or `after`) is over."""
        if self._working:
            self._wish = after if self._wish is None else min(self._wish, after)
            return
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
        late = self._loop.time() - self._due if self._timer is not None else 0.0
        self._handle = None
        self._stop_timer()
        self._working, self._wish, distance = True, None, 0.0
        try:
            distance = self._work()
        finally:
            self._working = False
            self._not_before = self._loop.time() + distance - late
            if self._wish is not None:
                self.ask(self._wish)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
