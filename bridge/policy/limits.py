"""How much one address may ask for: so often, and so many at once. This machine and trusted networks: as they like."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from bridge.policy.zones import Zone, Zones, household

REMEMBERED_MAX: Final = 4096
"""How many callers one rate keeps in mind; whoever has asked for nothing lately needs no memory."""


class Numbers(msgspec.Struct, frozen=True):
    """The limits of one server, each for one address; 0: none."""

    messages_per_s: int = 20
    messages_burst: int = 50
    connections: int = 64
    connects_per_s: int = 20
    connects_burst: int = 60
    uploads: int = 8


class Rate:
    """So many a second, and `burst` at once after a silence. `free` says who may do as they like."""

    def __init__(
        self,
        per_s: float,
        burst: int,
        free: Callable[[str], bool] = lambda ip: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._step = 1 / per_s if per_s else 0.0
        self._slack = self._step * max(0, burst - 1)
        self._free = free
        self._clock = clock
        # A bucket is one number, the time at which it will be full again; a full one need not be kept.
        self._full_at: dict[str, float] = {}

    def wait(self, ip: str) -> float:
        """0 if it may be done now, and then it counts; else in how many seconds it may."""
        if not self._step or self._free(ip):
            return 0.0
        who, now = household(ip), self._clock()
        full_at = max(now, self._full_at.get(who, now))
        if full_at - now > self._slack + 1e-9:
            return full_at - now - self._slack
        if len(self._full_at) >= REMEMBERED_MAX and who not in self._full_at:
            self._forget(now)
        self._full_at[who] = full_at + self._step
        return 0.0

    def _forget(self, now: float) -> None:
        """Those whose buckets are full; if that is less than half, the fullest too."""
        emptiest = sorted(self._full_at.items(), key=lambda item: item[1])[-REMEMBERED_MAX // 2 :]
        self._full_at = {who: full_at for who, full_at in emptiest if full_at > now}


class Slots:
    """At most `most` at once."""

    def __init__(self, most: int, free: Callable[[str], bool] = lambda ip: False) -> None:
        self.most = most
        self._free = free
        self._taken: Counter[str] = Counter()

    def enter(self, ip: str) -> bool:
        """False if all are taken; who enters must leave."""
        who = household(ip)
        if self.most and self.taken(ip) >= self.most and not self._free(ip):
            return False
        self._taken[who] += 1
        return True

    def taken(self, ip: str) -> int:
        return self._taken.get(household(ip), 0)

    def leave(self, ip: str) -> None:
        who = household(ip)
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]


class Limits:
    """All that one server limits by address. Who comes through a proxy is limited by his own, the proxy is not."""

    def __init__(
        self, zones: Zones, numbers: Numbers | None = None, is_proxy: Callable[[str], bool] = lambda ip: False
    ) -> None:
        self.numbers = numbers = numbers or Numbers()
        self._zones = zones
        self._is_proxy = is_proxy
        self.messages = Rate(numbers.messages_per_s, numbers.messages_burst, self._near)
        self.connects = Rate(numbers.connects_per_s, numbers.connects_burst, self._carries)
        self.connections = Slots(numbers.connections, self._carries)
        self.uploads = Slots(numbers.uploads, self._near)

    def _near(self, ip: str) -> bool:
        return self._zones.of(ip) is not Zone.ELSEWHERE

    def _carries(self, ip: str) -> bool:
        """Connections of a proxy are those of all whom it speaks for."""
        return self._near(ip) or self._is_proxy(ip)
