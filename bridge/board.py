"""The latest word on each thing, numbered by change: a reader asks what is different since it last looked.

Presence and running transfers are signals, never stored, yet a slow reader must end up with the truth. So it has a
place here as it has one in the log, and is told the difference, however many changes lie between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, Generic, NamedTuple, TypeVar

V = TypeVar("V")

CHANGES_KEPT: Final = 4096


class Changes(NamedTuple, Generic[V]):
    """What a reader does not know: things new to it, things that changed under it, keys of things gone."""

    new: list[V]
    changed: list[V]
    gone: list[str]


class _Slot(Generic[V]):
    __slots__ = ("born", "value")

    def __init__(self, value: V, born: int) -> None:
        self.value = value
        self.born = born


class Board(Generic[V]):
    """Values by key, with a version that rises at every change."""

    def __init__(self) -> None:
        self.version = 0
        self._slots: dict[str, _Slot[V]] = {}
        self._versions: list[int] = []
        self._keys: list[str] = []

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[V]:
        return (slot.value for slot in self._slots.values())

    def get(self, key: str) -> V | None:
        slot = self._slots.get(key)
        return slot.value if slot else None

    def put(self, key: str, value: V) -> None:
        self._change(key)
        if slot := self._slots.get(key):
            slot.value = value
        else:
            self._slots[key] = _Slot(value, self.version)

    def drop(self, key: str) -> None:
        if self._slots.pop(key, None):
            self._change(key)

    def _change(self, key: str) -> None:
        self.version += 1
        self._versions.append(self.version)
        self._keys.append(key)
        if len(self._keys) > CHANGES_KEPT:
            del self._versions[: CHANGES_KEPT // 2], self._keys[: CHANGES_KEPT // 2]

    def since(self, version: int) -> Changes[V] | None:
        """What changed after `version`; None when that is too long ago: then all is new."""
        if self._versions and version < self._versions[0] - 1:
            return None
        changes: Changes[V] = Changes([], [], [])
        for key in dict.fromkeys(self._keys[bisect_right(self._versions, version) :]):
            slot = self._slots.get(key)
            if slot is None:
                changes.gone.append(key)
            elif slot.born > version:
                changes.new.append(slot.value)
            else:
                changes.changed.append(slot.value)
        return changes
