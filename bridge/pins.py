"""Wrong PINs, by the address they came from: a few are slips of a finger, more are somebody who tries them all."""

from __future__ import annotations

from typing import Final

WRONG_MAX: Final = 5
"""So many wrong ones from one address..."""
WRONG_S: Final = 600.0
"""...within so many seconds, and it has to wait: four digits would last about a fortnight."""
ADDRESSES_MAX: Final = 4096


class Tries:
    """Remembers wrong ones for a while; `now` is in seconds on any clock that only rises."""

    def __init__(self) -> None:
        self._wrong: dict[str, list[float]] = {}

    def wait(self, ip: str, now: float) -> float:
        """How many seconds this address has to wait before one of its PINs is looked at."""
        recent = [at for at in self._wrong.get(ip, []) if now - at < WRONG_S]
        return recent[-WRONG_MAX] + WRONG_S - now if len(recent) >= WRONG_MAX else 0.0

    def wrong(self, ip: str, now: float) -> None:
        if len(self._wrong) >= ADDRESSES_MAX and ip not in self._wrong:
            self._wrong.pop(next(iter(self._wrong)))  # whoever came first
        self._wrong[ip] = [*self._wrong.get(ip, []), now][-WRONG_MAX:]

    def right(self, ip: str) -> None:
        self._wrong.pop(ip, None)
