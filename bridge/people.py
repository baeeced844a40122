"""Who is in a room, under which name: presence is the open cursors, one peer however many seats it has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from bridge.board import Board
from bridge.gate import NAME_MAX_CHARS
from bridge.lookalikes import looks
from bridge.model import Peer, Presence

HOUSE_NAMES: Final = ("admin", "roombridge", "server", "system", "管理员", "系统")
"""Taken from the start, so that nobody speaks in the house's name."""

HINTS_MAX: Final = 4096
"""For how many looks it is remembered which number to try first; without, it only takes longer."""


class People:
    """Peers by id, each name taken once, and with it all that look like it. Names come in clean."""

    def __init__(self, crowd: int) -> None:
        self.board: Board[Peer] = Board()
        self._crowd = crowd
        self._seats: dict[str, int] = {}
        self._holders: dict[str, str] = {look: "" for name in HOUSE_NAMES for look in looks(name)}
        self._next_suffix: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.board)

    def __iter__(self) -> Iterator[Peer]:
        return iter(self.board)

    def get(self, id: str) -> Peer | None:
        return self.board.get(id)

    def seats_of(self, id: str) -> int:
        return self._seats.get(id, 0)

    def some(self) -> list[Peer]:
        """As many as are told of in a crowd."""
        return list(islice(self.board, self._crowd))

    def sit(self, peer: Peer) -> Peer:
        """One more seat for this peer, with its name made free. Its seats share the latest name."""
        self._seats[peer.id] = self._seats.get(peer.id, 0) + 1
        return self._put(peer, peer.name)

    def rename(self, id: str, wanted: str) -> Peer | None:
        """The peer under its new name; None if nobody of that id is here."""
        peer = self.board.get(id)
        return peer and self._put(peer, wanted)

    def stand(self, id: str) -> None:
        """One seat of this peer less; with the last one it leaves, and its name is free."""
        self._seats[id] -= 1
        if self._seats[id]:
            return
        del self._seats[id]
        if peer := self.board.get(id):
            self._release(peer.name)
        self.board.drop(id)
        if not self._seats:
            self._next_suffix.clear()

    def _put(self, peer: Peer, wanted: str) -> Peer:
        before = self.board.get(peer.id)
        name = self.free_name(wanted, peer.id)
        peer = msgspec.structs.replace(peer, name=name)
        if before == peer:
            return before
        if name != wanted and self._holders.keys().isdisjoint(looks(name)):
            # A thousand of one name must not cost a million look-ups.
            if len(self._next_suffix) > HINTS_MAX:
                self._next_suffix.clear()
            self._next_suffix |= dict.fromkeys(looks(wanted), int(name.rpartition("-")[2]) + 1)
        if before:
            self._release(before.name)
        self._holders |= dict.fromkeys(looks(name), peer.id)
        self.board.put(peer.id, peer)
        return peer

    def _release(self, name: str) -> None:
        """A name is free again, and so is its number: who comes back as `bob-2` is not `bob-3`."""
        for look in looks(name):
            del self._holders[look]
        stem, _, number = name.rpartition("-")
        if number.isdecimal():
            for look in self._next_suffix.keys() & looks(stem):
                self._next_suffix[look] = max(2, min(self._next_suffix[look], int(number)))

    def free_name(self, wanted: str, id: str) -> str:
        """`wanted` if nobody else here looks so, else with the first free `-2`, `-3`, ...; never longer than a name."""
        if self._free(wanted, id):
            return wanted
        if own := self.board.get(id):
            _stem, dash, digits = own.name.rpartition("-")
            again = wanted[: NAME_MAX_CHARS - len(dash + digits)].rstrip() + dash + digits
            if digits.isdecimal() and again.casefold() == own.name.casefold() and self._free(again, id):
                return again  # it was given this name for the same wish
        number = max(self._next_suffix.get(look, 2) for look in looks(wanted))
        while True:
            suffix = f"-{number}"
            candidate = wanted[: NAME_MAX_CHARS - len(suffix)].rstrip() + suffix
            number += 1
            if self._free(candidate, id):
                return candidate

    def _free(self, name: str, id: str) -> bool:
        return all(self._holders.get(look, id) == id for look in looks(name))

    def news(self, known: int) -> list[Presence]:
        """What somebody who was last told of version `known` does not know; negative: they know only a number.

        A bare number makes a reader forget whom it knew, so it comes before a list that is not a difference.
        """
        if len(self) > self._crowd:
            return [Presence(len(self))]
        changes = self.board.since(known) if known >= 0 else None
        if changes is None:
            return [Presence(len(self)), Presence(len(self), joined=list(self))]
        return [Presence(len(self), changes.new or None, changes.gone or None, changes.changed or None)]
