"""Round and round the room, a row of seats at a time, so that others have their turn between two rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Generic, TypeVar

ROW_SEATS: Final = 128
"""Half a millisecond of sending, when each seat takes what it is handed."""

One = TypeVar("One")


class Rows(Generic[One]):
    """Turns for all of `seated`, which may change between two rows: one who leaves has none any more, and one who comes
    has its first in the next round."""

    def __init__(self, seated: Collection[One]) -> None:
        self._seated = seated
        self._round: list[One] = []
        self._at = 0
        self._again = False
        self._thinned = False

    @property
    def over(self) -> bool:
        """Nobody has a turn to come."""
        return not (self._round or self._again)

    def ask(self) -> None:
        """A round; when one is on its way, another after it."""
        self._again = True

    def leave(self) -> None:
        """Somebody does not sit here any more."""
        self._thinned = True

    def next(self) -> list[One]:
        """The next row; the first of a new round, when none is on its way."""
        if not self._round:
            self._round, self._at = list(self._seated), 0
            self._again = self._thinned = False
        row = self._round[self._at : self._at + ROW_SEATS]
        self._at += ROW_SEATS
        if self._at >= len(self._round):
            self._round = []
        return [one for one in row if one in self._seated] if self._thinned else row
