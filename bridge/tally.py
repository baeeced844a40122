"""What happened how often: counted where it happens, read by whoever asks."""

from __future__ import annotations

from collections import Counter

from bridge.model import Code


class Tally:
    """Counters by name, and refusals by code and by the way the peer came."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[tuple[Code, str]] = Counter()

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] += by

    def refused(self, code: Code, via: str) -> None:
        self.refusals[code, via] += 1
