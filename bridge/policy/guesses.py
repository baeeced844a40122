"""Who guesses at the token is shut out for a day: nine wrong ones within the hour, from one address.

The same wrong secret again tells a guesser nothing new, and is what a script with an old token does all day: it counts
once. This machine and trusted networks are never shut out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Final, TypeVar

from bridge.policy.zones import Zone, Zones, household

T = TypeVar("T")

GUESSERS_MAX: Final = 4096
"""How many are remembered; then those who guessed longest ago are forgotten."""
GUESSES_MAX: Final = 9
WITHIN_S: Final = 60 * 60.0
SHUT_S: Final = 24 * 60 * 60.0


class Guesses:
    """`most` wrong ones within `within_s` shut an address out for `shut_s`; `most` 0: nobody is ever shut out."""

    def __init__(
        self,
        zones: Zones,
        most: int = GUESSES_MAX,
        within_s: float = WITHIN_S,
        shut_s: float = SHUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._zones = zones
        self._most = most
        self._within_s = within_s
        self._shut_s = shut_s
        self._clock = clock
        self._wrong: dict[str, dict[bytes, float]] = {}  # what was guessed by whom and when, the newest guesser last
        self._shut: dict[str, float] = {}  # until when

    def apart(self) -> Guesses:
        """Others by the same numbers: what was wrong here does not count there."""
        return Guesses(self._zones, self._most, self._within_s, self._shut_s, self._clock)

    def allow(self, ip: str) -> bool:
        """Whether a secret from this address is looked at."""
        return self.shut_for(ip) <= 0

    def shut_for(self, ip: str) -> float:
        """For how many seconds none will be."""
        who = household(ip)
        left = self._shut.get(who, 0.0) - self._clock()
        if left <= 0:
            self._shut.pop(who, None)
        return max(0.0, left)

    def wrong(self, ip: str, secret: str | None = None) -> None:
        """A secret from this address was none of ours; one that is not told counts as another each time."""
        if not self._most or self._zones.of(ip) is not Zone.ELSEWHERE:
            return
        who, now = household(ip), self._clock()
        tried = {what: at for what, at in self._wrong.pop(who, {}).items() if now - at < self._within_s}
        tried.setdefault(_digest(repr(now) if secret is None else secret), now)
        if len(tried) < self._most:
            _remember(self._wrong, who, tried)
        else:
            _remember(self._shut, who, now + self._shut_s)


def _digest(secret: str) -> bytes:
    """What a secret is remembered by."""
    return blake2b(secret.encode(errors="surrogatepass"), digest_size=8).digest()


def _remember(book: dict[str, T], who: str, what: T) -> None:
    book[who] = what
    if len(book) > GUESSERS_MAX:
        del book[next(iter(book))]
