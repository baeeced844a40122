"""Who is inside is counted to the last descriptor, and the silent go first, the oldest of them before the others."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bridge.doorkeeper import Connection, Doorkeeper
from bridge.policy import Limits, Numbers, Zones
from bridge.tally import Tally


class House:
    """A doorkeeper, and both ends of everybody it admitted."""

    def __init__(self, stack: ExitStack, most: int) -> None:
        self.stack = stack
        self.tally = Tally()
        self.came_free = 0
        self.keeper = Doorkeeper(most, self._room_again, self.tally, Limits(Zones()))
        self.inside: list[Connection] = []
        self.peers: list[socket.socket] = []

    def _room_again(self) -> None:
        self.came_free += 1

    def admit(self, count: int, silent: bool = False) -> None:
        for _ in range(count):
            ours, theirs = socket.socketpair()
            connection = self.stack.enter_context(self.keeper.admit(ours, ("127.0.0.1", 9)))
            self.peers.append(self.stack.enter_context(theirs))
            self.inside.append(connection)
            if silent:
                self.keeper.silent(connection, connection.close)

    def closed(self) -> list[int]:
        return [place for place, connection in enumerate(self.inside) if connection.fileno() == -1]


@pytest.fixture
def house() -> Iterator[Callable[[int], House]]:
    with ExitStack() as stack:
        yield lambda most: House(stack, most)


def test_a_connection_counts_until_its_descriptor_is_closed(house: Callable[[int], House]) -> None:
    ours = house(10)
    ours.admit(3)
    assert ours.keeper.inside == 3
    ours.inside[0].close()
    ours.inside[0].close()
    assert ours.keeper.inside == 2
    with socket.socket(fileno=ours.inside[1].detach()):
        assert ours.keeper.inside == 1


def test_a_connection_has_no_dictionary_of_its_own(house: Callable[[int], House]) -> None:
    """A tenth of what an idle browser weighs."""
    ours = house(1)
    ours.admit(1)
    assert not hasattr(ours.inside[0], "__dict__")


def test_only_who_leaves_a_full_house_makes_room_again(house: Callable[[int], House]) -> None:
    ours = house(3)
    ours.admit(2)
    ours.inside[0].close()
    assert (ours.keeper.full, ours.came_free) == (False, 0)
    ours.admit(2)
    assert ours.keeper.full
    ours.inside[1].close()
    assert (ours.keeper.full, ours.came_free) == (False, 1)


def test_the_silent_may_be_a_quarter_and_the_oldest_go(house: Callable[[int], House]) -> None:
    ours = house(12)
    ours.admit(5, silent=True)
    assert ours.closed() == [0, 1]
    assert ours.tally.counts["silent_connections_closed"] == 2
    ours.admit(4)  # who spoke is none of them
    ours.admit(1, silent=True)
    assert ours.closed() == [0, 1, 2]


def test_one_whose_bytes_wait_to_be_read_is_not_silent(house: Callable[[int], House]) -> None:
    ours = house(8)
    ours.admit(2, silent=True)
    ours.peers[0].sendall(b"h")
    ours.admit(1, silent=True)
    assert ours.closed() == [1]
    ours.peers[2].sendall(b"h")
    ours.admit(1, silent=True)
    assert ours.closed() == [1, 3], "there was no older one without a word"
    assert ours.inside[0].recv(2) == b"h", "nothing was taken"


def test_who_speaks_stays(house: Callable[[int], House]) -> None:
    ours = house(8)
    ours.admit(2, silent=True)
    ours.keeper.speaks(ours.inside[0])
    ours.admit(1, silent=True)
    assert ours.closed() == []
    ours.admit(1, silent=True)
    assert ours.closed() == [1]


def test_room_is_made_by_the_oldest_of_the_silent_and_by_nobody_else(house: Callable[[int], House]) -> None:
    ours = house(8)
    ours.admit(3)
    assert not ours.keeper.make_room()
    ours.admit(2, silent=True)
    ours.peers[3].close()  # came and went: no word of it waits
    assert ours.keeper.make_room()
    assert ours.closed() == [3]
    ours.peers[4].sendall(b"h")
    assert not ours.keeper.make_room()


def offer(keeper: Doorkeeper, ip: str, count: int) -> list[Connection | None]:
    """As many connections from this address; those that were refused are closed at once, without a byte."""
    taken = []
    for _ in range(count):
        ours, theirs = socket.socketpair()
        with theirs:
            taken.append(keeper.admit(ours, (ip, 5000)))
            if taken[-1] is None:
                assert theirs.recv(1) == b""
    return taken


@pytest.mark.parametrize(
    ("numbers", "most"),
    [
        (Numbers(connections=3, connects_per_s=0), "3 at once (--connections-per-address)"),
        (Numbers(connections=0, connects_per_s=1, connects_burst=3), "1 a second (--connects-per-s)"),
    ],
)
def test_one_address_may_have_so_many_and_come_so_often(
    numbers: Numbers, most: str, caplog: pytest.LogCaptureFixture
) -> None:
    tally = Tally()
    keeper = Doorkeeper(100, lambda: None, tally, Limits(Zones(), numbers))
    taken = offer(keeper, "203.0.113.5", 5)
    assert [one is None for one in taken] == [False] * 3 + [True] * 2
    assert keeper.inside == 3 and tally.counts["connections_turned_away"] == 2
    assert caplog.messages == [f"closed a connection of 203.0.113.5: one address may open {most}"], "said once"
    near = offer(keeper, "127.0.0.1", 5)
    assert None not in near
    other = offer(keeper, "203.0.113.6", 1)
    for one in (*taken, *near, *other):
        if one:
            one.close()
            one.close()
    assert keeper.inside == 0
    if numbers.connections:
        (again,) = offer(keeper, "203.0.113.5", 1)
        assert again
        again.close()
