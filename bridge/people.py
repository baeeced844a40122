"""Who is in a room, under which name: presence is the open cursors, one peer however many seats it has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from bridge.board import Board
from bridge.gate import NAME_MAX_CHARS
from bridge.model import Peer, Presence


class People:
    """Peers by id, each name taken once (case-folded). Names come in clean."""

    def __init__(self, crowd: int) -> None:
        self.board: Board[Peer] = Board()
        self._crowd = crowd
        self._seats: dict[str, int] = {}
        self._holders: dict[str, str] = {}
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
        if name != wanted and name.casefold() not in self._holders:
            # A thousand of one name must not cost a million look-ups.
            self._next_suffix[wanted.casefold()] = int(name.rpartition("-")[2]) + 1
        if before:
            self._release(before.name)
        self._holders[name.casefold()] = peer.id
        self.board.put(peer.id, peer)
        return peer

    def _release(self, name: str) -> None:
        """A name is free again, and so is its number: who comes back as `bob-2` is not `bob-3`."""
        del self._holders[name.casefold()]
        stem, _, number = name.rpartition("-")
        fold = stem.casefold()
        if fold in self._next_suffix and number.isdecimal():
            self._next_suffix[fold] = max(2, min(self._next_suffix[fold], int(number)))

    def free_name(self, wanted: str, id: str) -> str:
        """`wanted` if nobody else here has it, else with the first free `-2`, `-3`, ...; never longer than a name."""
        if self._free(wanted, id):
            return wanted
        if own := self.board.get(id):
            stem, dash, digits = own.name.rpartition("-")
            cut = wanted[: NAME_MAX_CHARS - len(dash + digits)].rstrip()
            if digits.isdecimal() and stem.casefold() == cut.casefold():
                return cut + dash + digits  # it was given this name for the same wish
        fold = wanted.casefold()
        number = self._next_suffix.get(fold, 2)
        while True:
            suffix = f"-{number}"
            candidate = wanted[: NAME_MAX_CHARS - len(suffix)].rstrip() + suffix
            number += 1
            if self._free(candidate, id):
                return candidate

    def _free(self, name: str, id: str) -> bool:
        return self._holders.get(name.casefold(), id) == id

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
