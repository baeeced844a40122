"""What strangers meet: who is one, what a secret does, how often they are answered, what hosts are shown."""

from __future__ import annotations

import asyncio
import logging
from itertools import product
from pathlib import Path

import pytest

from bridge import porch as module
from bridge.doorstep import LATE
from bridge.model import Knock, Refused
from bridge.policy import Guesses, Kept, Limits, Native, Numbers, Policy, Role, Tokens, Zones
from bridge.policy.knocks import Knocks, Way
from bridge.policy.zones import networks
from bridge.porch import KNOCKED, OUTSIDE, SHUT, WRONG, Porch, order
from bridge.tally import Tally
from bridge.wire import datagram, plain

MEMBER, HOST = "member-token-0123456789", "host-token-0123456789"
STRANGER, TRUSTED, HERE = "203.0.113.5", "10.0.0.5", "127.0.0.1"


class House:
    """A porch, and what its hosts were shown."""

    def __init__(self, folder: Path, native: Native = Native.KNOCK, open: bool = False, guesses: int = 9) -> None:
        self.shown: list[Knock] = []
        self.kept = Kept(folder / "admitted")
        self.tally = Tally()
        self.policy = Policy(
            zones := Zones(networks(["10.0.0.0/8"])),
            Tokens(MEMBER, HOST),
            native,
            open=open,
            guesses=Guesses(zones, guesses),
            limits=Limits(zones, Numbers(uploads=2)),
        )
        self.porch = Porch(self.policy, self.kept, Knocks(self.shown.append, self.kept), self.tally)


def test_who_is_a_stranger(tmp_path: Path) -> None:
    far, near = (STRANGER, "::ffff:203.0.113.5", ""), (TRUSTED, HERE, "::1")
    for native, open in product(Native, (False, True)):
        porch = House(tmp_path, native, open).porch
        for ip in far + near:
            assert porch.elsewhere(ip) is (ip in far), ip
            wanted = ip in far and not open and native is not Native.OPEN
            assert porch.stranger("tcp", ip) is wanted, (native, open, ip)


def test_one_that_a_host_let_in_for_good_is_none_by_the_same_way(tmp_path: Path) -> None:
    house = House(tmp_path, Native.OFF)
    house.kept.add("udp", STRANGER)
    assert not house.porch.stranger("udp", STRANGER)
    assert house.porch.stranger("tcp", STRANGER)


def shown(porch: Porch, way: Way, ip: str, secret: str) -> Role | str:
    try:
        return porch.weigh(way, ip, secret)
    except Refused as refused:
        return refused.message


def test_both_secrets_let_in_and_nine_wrong_ones_are_enough(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert shown(house.porch, "tcp", STRANGER, MEMBER) is Role.MEMBER
    assert shown(house.porch, "tcp", STRANGER, HOST) is Role.HOST
    assert [shown(house.porch, "tcp", STRANGER, f"guess {number}") for number in range(9)] == [WRONG] * 9
    assert shown(house.porch, "tcp", STRANGER, MEMBER) == SHUT
    assert shown(house.porch, "tcp", "203.0.113.6", MEMBER) is Role.MEMBER
    assert house.tally.counts["wrong_tokens"] == 9


def test_what_a_forged_datagram_guesses_shuts_nobody_out_of_the_rest(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert [shown(house.porch, "udp", STRANGER, f"guess {number}") for number in range(9)] == [WRONG] * 9
    assert shown(house.porch, "udp", STRANGER, MEMBER) == SHUT
    assert shown(house.porch, "tcp", STRANGER, MEMBER) is Role.MEMBER
    assert house.policy.guesses.allow(STRANGER)


def test_where_nobody_is_shut_out_datagrams_are_not_either(tmp_path: Path) -> None:
    house = House(tmp_path, guesses=0)
    for way in ("tcp", "udp"):
        assert [shown(house.porch, way, STRANGER, f"guess {number}") for number in range(12)] == [WRONG] * 12
        assert shown(house.porch, way, STRANGER, MEMBER) is Role.MEMBER


def test_the_log_says_once_for_an_address_what_would_trust_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NAMED_MAX", 3)
    porch = House(tmp_path).porch
    with caplog.at_level(logging.WARNING, "roombridge"):
        for _ in range(2):
            assert porch.greets("udp", STRANGER)
            assert porch.greets("udp", "fe80::1%eth0")
            assert porch.greets("tcp", HERE)  # asked for the token too: --trust would not help
            assert porch.greets("tcp", "")
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        f"roombridge --trust {STRANGER}",
        "roombridge --trust fe80::1",
    ]
    with caplog.at_level(logging.WARNING, "roombridge"):
        for number in range(10):
            porch.greets("udp", f"203.0.113.{number + 10}")
    assert len(caplog.records) == 3, "and not for ever new ones"


def test_strangers_are_counted_and_with_native_off_get_no_word(tmp_path: Path) -> None:
    house = House(tmp_path, Native.OFF)
    assert not house.porch.greets("udp", STRANGER)
    assert house.tally.refusals["forbidden", "udp"] == 1


def test_a_notice_every_ten_seconds_and_fifty_a_second_in_all(tmp_path: Path) -> None:
    porch = House(tmp_path).porch
    assert [porch.may_notice(STRANGER, now) for now in (1.0, 5.0, 10.9, 11.1)] == [True, False, False, True]
    porch = House(tmp_path).porch
    sent = [now for now in range(3000) if porch.may_notice(f"10.0.{now // 250}.{now % 250}", 100 + now / 1000)]
    assert sent
    for start in range(0, 2000, 50):
        assert sum(start <= moment < start + 1000 for moment in sent) <= 50


def test_no_notice_is_more_than_three_times_an_empty_datagram() -> None:
    assert all(28 + len(datagram.notice(notice)) <= 3 * 28 for notice in (KNOCKED, OUTSIDE, SHUT, WRONG, LATE))


def test_so_many_files_at_once_from_one_address(tmp_path: Path) -> None:
    porch = House(tmp_path).porch
    with porch.one_more_file(STRANGER), porch.one_more_file(STRANGER):
        with pytest.raises(Refused, match="2 files at once"), porch.one_more_file(STRANGER):
            pass
        with porch.one_more_file("203.0.113.6"):
            pass
    with porch.one_more_file(STRANGER):
        pass
    with porch.one_more_file(HERE), porch.one_more_file(HERE), porch.one_more_file(HERE):
        pass


SHOWN = {
    "hello": "hello",
    "a\r\nb": "a\nb",
    "x" * 300: "x" * 200,
    "\x1b[2J": None,
    " ": None,
    "\ud800": None,
}


async def test_hosts_are_shown_what_the_gate_lets_through(tmp_path: Path) -> None:
    for text, shown in SHOWN.items():
        house = House(tmp_path)
        answer = house.porch.knock("udp", (STRANGER, 5000), text)
        assert [knock.text for knock in house.shown] == ([] if shown is None else [shown]), text
        if answer is not None:
            assert house.shown[0].addr == f"{STRANGER}:5000"
            answer.cancel()
            await asyncio.sleep(0)


MEANT = {
    "hello": plain.Say("hello"),
    "/pass x": plain.Pass("x"),
    "  /pass x ": plain.Pass("x"),
    "/PASS x y": plain.Pass("x y"),
    "/ok ABC": plain.Ok("ABC"),
    "/who": plain.Who(),
    "/pas x": None,
    "/pass": None,
    " \t": None,
    "": None,
}


def test_what_a_stranger_wants() -> None:
    assert {text: order(text) for text in MEANT} == MEANT
