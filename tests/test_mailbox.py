"""A UDP socket and what the kernel tells of it, with real sockets on loopback."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bridge import mailbox
from bridge.mailbox import Letter, Mailbox
from tests.support import observe
from tests.support.observe import linux_only
from tests.support.peers import PATIENCE_S

AT_MOST = 1024


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def box(stack: ExitStack, host: str = "127.0.0.1", port: int = 0) -> Mailbox:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    if host == "::":
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((host, port))
    made = Mailbox(sock)
    stack.callback(made.close)
    return made


def caller(stack: ExitStack, to: tuple[str, int]) -> socket.socket:
    """A peer that hears only the one address it called."""
    sock = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_DGRAM))
    sock.connect(to)
    sock.settimeout(PATIENCE_S)
    return sock


def letters(made: Mailbox, count: int) -> list[Letter]:
    read: list[Letter] = []

    def enough() -> bool:
        read.extend(made.read(64, AT_MOST))
        return len(read) >= count

    observe.until(enough, f"{count} letters")
    return read


def test_what_came_is_read_in_order_and_no_more_than_asked_for(stack: ExitStack) -> None:
    made = box(stack)
    peer = caller(stack, (made.host, made.port))
    for number in range(5):
        peer.send(b"%d" % number)
    first = list(made.read(3, AT_MOST))
    assert [letter.data for letter in first + list(made.read(64, AT_MOST))] == [b"0", b"1", b"2", b"3", b"4"]
    assert first[0] == Letter(b"0", peer.getsockname(), "127.0.0.1", [])
    assert list(made.read(64, AT_MOST)) == []


def test_of_a_long_letter_the_beginning_is_read(stack: ExitStack) -> None:
    made = box(stack)
    caller(stack, (made.host, made.port)).send(b"x" * 2000)
    assert [len(letter.data) for letter in letters(made, 1)] == [AT_MOST]


@linux_only
@pytest.mark.parametrize(
    ("bound", "called", "host"),
    [
        ("0.0.0.0", "127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.7", "127.0.0.7"),
        ("::", "::1", "::1"),
        ("::", "127.0.0.7", "127.0.0.7"),
    ],
)
def test_bound_to_any_address_it_knows_which_was_called_and_answers_from_there(
    stack: ExitStack, bound: str, called: str, host: str
) -> None:
    try:
        made = box(stack, bound)
    except OSError:
        pytest.skip("no IPv6 here")
    peer = caller(stack, (called, made.port))
    peer.send(b"hi")
    (letter,) = letters(made, 1)
    assert letter.host == host
    assert made.send(b"there", letter.peer, letter.sender)
    assert peer.recv(AT_MOST) == b"there"


@linux_only
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_the_dead_are_named_and_the_living_miss_nothing(stack: ExitStack, host: str) -> None:
    try:
        made = box(stack, host)
    except OSError:
        pytest.skip("no IPv6 here")
    called = "127.0.0.1" if host == "0.0.0.0" else host
    crowd = [caller(stack, (called, made.port)) for _ in range(60)]
    for peer in crowd:
        peer.send(b"here")
    seats = letters(made, len(crowd))
    dead = {peer.getsockname() for peer in crowd[1::2]}
    for peer in crowd[1::2]:
        peer.close()
    named = set()
    for number in range(3):
        for letter in seats:
            assert made.send(b"%d" % number, letter.peer, letter.sender)
    observe.until(lambda: named.update(made.gone()) or named >= dead, "the dead are named")
    assert named == dead
    assert [[peer.recv(AT_MOST) for _ in range(3)] for peer in crowd[::2]] == [[b"0", b"1", b"2"]] * 30
    assert list(made.gone()) == [] and list(made.read(64, AT_MOST)) == []


def test_what_the_kernel_does_not_take_is_told_and_names_nobody_dead(stack: ExitStack) -> None:
    made = box(stack)
    peer = caller(stack, (made.host, made.port))
    assert not made.send(b"x" * 70_000, peer.getsockname(), [])
    assert list(made.gone()) == []
    assert made.send(b"short", peer.getsockname(), [])
    assert peer.recv(AT_MOST) == b"short"


@linux_only
def test_what_the_kernel_dropped_is_counted_for_this_socket_alone(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "RECEIVE_BUFFER_BYTES", 4096)
    made = box(stack)
    other = box(stack, "127.0.0.2", made.port)
    peer = caller(stack, (made.host, made.port))
    for _ in range(500):
        peer.send(b"x" * 100)
    read = len(list(made.read(500, AT_MOST)))
    assert 0 < read < 500
    assert made.dropped() == 500 - read
    assert other.dropped() == 0


def test_where_the_kernel_does_not_tell_nothing_was_dropped(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "_SO_MEMINFO", 12_345)
    assert box(stack).dropped() == 0


def test_a_loop_can_watch_it(stack: ExitStack) -> None:
    made = box(stack)
    assert select.select([made], [], [], 0)[0] == []
    caller(stack, (made.host, made.port)).send(b"")
    assert select.select([made], [], [], PATIENCE_S)[0] == [made]
