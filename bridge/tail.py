"""The end of a room's log, held in memory with the bytes it was encoded to, so that the many read it for nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, Final, Protocol

from bridge.model import Entry, Peer

TAIL_MAX_ENTRIES: Final = 1024
TAIL_MAX_BYTES: Final = 4 * 1024 * 1024
TAIL_MIN_ENTRIES: Final = 64

# What one frame carries at most: large enough to make a system call worth its while, small beside a high-water mark.
STRETCH_MAX_ENTRIES: Final = 256
STRETCH_MAX_BYTES: Final = 64 * 1024
_ENTRY_OVERHEAD_BYTES: Final = 256


class Form(Protocol):
    """How a room reads to one kind of peer: hashable, so that all peers of a kind share what was encoded."""

    @property
    def echo(self) -> bool:
        """Whether a peer is handed its own words too."""

    @property
    def signals(self) -> bool:
        """Whether the language has words for signals."""

    def encode(self, said: Any) -> Any:
        """One entry (or signal) in this language."""

    def frame(self, encoded: Sequence[Any]) -> Any:
        """A stretch of them as one thing to write; the seats of a row at the same place are handed the same object."""


class Told:
    """An entry with what it was encoded to, once per language."""

    __slots__ = ("_encoded", "entry", "weight")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.weight = len((entry.text or "").encode()) + _ENTRY_OVERHEAD_BYTES
        self._encoded: dict[Form, Any] = {}

    def encoded(self, form: Form) -> Any:
        if form not in self._encoded:
            self._encoded[form] = form.encode(self.entry)
        return self._encoded[form]


class Tail:
    """The newest entries of a log. Every entry above `floor` is here; below it, ask the log."""

    def __init__(self) -> None:
        self.floor = 0
        self.whole = False
        """Whether nothing kept lies below the floor."""
        self._told: list[Told] = []
        self._seqs: list[int] = []
        self._weight = 0

    @property
    def last_seq(self) -> int:
        return self._seqs[-1] if self._seqs else self.floor

    def prime(self, entries: Sequence[Entry], floor: int, whole: bool) -> None:
        """Put what the log held already below what was announced meanwhile; nothing kept above `floor` is missing."""
        if self.floor > floor:  # so much was announced meanwhile that it was trimmed already
            return
        older = [Told(entry) for entry in entries if not self._seqs or entry.seq < self._seqs[0]]
        self._told[:0] = older
        self._seqs[:0] = [told.entry.seq for told in older]
        self._weight += sum(told.weight for told in older)
        self.floor = floor
        self.whole = whole

    def push(self, entry: Entry) -> None:
        """What was announced. What it withdraws is handed to nobody from here on, however far behind."""
        if entry.withdraws is not None:
            self._drop(entry.withdraws)
        if self._seqs and entry.seq <= self._seqs[-1]:
            return  # the log was read between its commit and its announcement
        told = Told(entry)
        self._told.append(told)
        self._seqs.append(entry.seq)
        self._weight += told.weight
        if len(self._told) > TAIL_MAX_ENTRIES or self._weight > TAIL_MAX_BYTES:
            self._trim()

    def _drop(self, seq: int) -> None:
        place = bisect_left(self._seqs, seq)
        if self._seqs[place : place + 1] == [seq]:
            self._weight -= self._told[place].weight
            del self._told[place], self._seqs[place]

    def _trim(self) -> None:
        """Let the older half go, so that trimming is rare."""
        keep = max(len(self._told) // 2, TAIL_MIN_ENTRIES)
        if gone := self._told[:-keep]:
            self.floor = gone[-1].entry.seq
            self.whole = False
            self._weight -= sum(told.weight for told in gone)
            del self._told[:-keep], self._seqs[:-keep]

    def forget(self, up_to: int) -> None:
        """What the log no longer keeps; of what it does, this takes nothing away."""
        if up_to >= self.floor:
            gone = bisect_right(self._seqs, up_to)
            self._weight -= sum(told.weight for told in self._told[:gone])
            del self._told[:gone], self._seqs[:gone]
            self.floor = up_to
            self.whole = True

    def stretch(self, after: int) -> list[Told]:
        """What follows `after` (not below the floor), as much as one frame carries."""
        return stretch(self._told, bisect_right(self._seqs, after))

    def speaker(self, id: str) -> Peer | None:
        """Who said something of late, as they were then."""
        return next((told.entry.sender for told in reversed(self._told) if told.entry.sender.id == id), None)

    def newest_start(self, count: int) -> int | None:
        """The number after which the newest `count` entries follow; None if they reach below the floor."""
        if len(self._seqs) > count:
            return self._seqs[-count - 1]
        return self.floor if len(self._seqs) == count or self.whole else None


def stretch(told: Sequence[Told], start: int = 0) -> list[Told]:
    """From `start`, as much as one frame carries; at least one if there is one."""
    weight = 0
    end = start
    for end in range(start, min(start + STRETCH_MAX_ENTRIES, len(told))):
        weight += told[end].weight
        if weight > STRETCH_MAX_BYTES and end > start:
            return list(told[start:end])
    return list(told[start : end + 1])
