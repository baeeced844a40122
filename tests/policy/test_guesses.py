"""Nine wrong tokens within the hour, and an address is shut out for a day."""

from __future__ import annotations

from bridge.policy import guesses
from bridge.policy.guesses import Guesses
from bridge.policy.zones import Zones, networks

X, Y = "192.168.1.37", "192.168.1.38"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def guess(book: Guesses, ip: str, times: int) -> None:
    for number in range(times):
        book.wrong(ip, f"guess {number}")


def test_the_ninth_wrong_one_shuts_an_address_out_for_a_day() -> None:
    clock = Clock()
    book = Guesses(Zones(), clock=clock)
    guess(book, X, 8)
    assert book.allow(X)
    book.wrong(X)
    assert not book.allow(X) and book.shut_for(X) == 24 * 3600
    assert book.allow(Y)
    clock.now += 24 * 3600
    assert book.allow(X)


def test_wrong_ones_of_an_hour_ago_count_no_more() -> None:
    clock = Clock()
    book = Guesses(Zones(), clock=clock)
    guess(book, X, 8)
    clock.now += 3600
    guess(book, X, 8)
    assert book.allow(X)


def test_the_same_wrong_one_again_is_no_other_guess() -> None:
    book = Guesses(Zones())
    for _ in range(100):
        book.wrong(X, "the token of last week")
    assert book.allow(X)


def test_one_host_s_many_addresses_are_one() -> None:
    book = Guesses(Zones())
    for number in range(9):
        book.wrong(f"2001:db8::{number}", str(number))
    assert not book.allow("2001:db8::ffff") and book.allow("2001:db8:0:1::1")
    guess(book, "::ffff:10.0.0.1", 9)
    assert not book.allow("10.0.0.1")


def test_neighbours_by_link_are_not_one() -> None:
    book = Guesses(Zones())
    guess(book, "fe80::1%eth0", 9)
    assert not book.allow("fe80::1%eth0") and book.allow("fe80::2%eth0")


def test_this_machine_and_trusted_networks_may_be_wrong() -> None:
    book = Guesses(Zones(networks(["10.0.0.0/8"])))
    for ip in ("127.0.0.1", "::1", "10.9.8.7"):
        guess(book, ip, 50)
        assert book.allow(ip)


def test_with_0_nobody_is_shut_out() -> None:
    book = Guesses(Zones(), most=0)
    guess(book, X, 50)
    assert book.allow(X)


def test_a_million_guessers_cost_no_more_than_some_thousand() -> None:
    book = Guesses(Zones(), most=2)
    for number in range(2 * guesses.GUESSERS_MAX):
        guess(book, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1 + number % 2)
    assert len(book._wrong) <= guesses.GUESSERS_MAX and len(book._shut) <= guesses.GUESSERS_MAX
    assert not book.allow(f"10.0.{(2 * guesses.GUESSERS_MAX - 1) >> 8}.255")
