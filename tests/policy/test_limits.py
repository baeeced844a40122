"""A rate lets a burst through and then so many a second; slots are taken and given back."""

from __future__ import annotations

import pytest

from bridge.policy import limits
from bridge.policy.limits import Limits, Numbers, Rate, Slots
from bridge.policy.zones import Zones, networks

X, Y = "192.168.1.37", "192.168.1.38"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_so_many_a_second() -> None:
    clock = Clock()
    rate = Rate(20, 50, clock=clock)
    assert [rate.wait(X) for _ in range(50)] == [0.0] * 50
    assert rate.wait(X) == pytest.approx(0.05)
    assert rate.wait(Y) == 0.0
    clock.now += 1.0
    assert [rate.wait(X) > 0 for _ in range(21)] == [False] * 20 + [True]
    clock.now += 60.0
    assert [rate.wait(X) > 0 for _ in range(51)] == [False] * 50 + [True]


def test_who_is_refused_need_not_wait_longer_for_having_asked() -> None:
    clock = Clock()
    rate = Rate(1, 1, clock=clock)
    assert rate.wait(X) == 0.0
    for _ in range(100):
        assert rate.wait(X) == pytest.approx(1.0)
    clock.now += rate.wait(X)
    assert rate.wait(X) == 0.0


def test_many_callers_cost_no_more_than_some_thousand_and_the_busiest_are_remembered() -> None:
    clock = Clock()
    rate = Rate(1, 10, clock=clock)
    for _ in range(10):
        rate.wait(X)
    for number in range(4 * limits.REMEMBERED_MAX):
        rate.wait(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(rate._full_at) <= limits.REMEMBERED_MAX
    assert rate.wait(X) > 0
    clock.now += 60.0
    for number in range(limits.REMEMBERED_MAX):
        rate.wait(f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert rate.wait(X) == 0.0


def test_slots_are_taken_and_given_back() -> None:
    slots = Slots(2)
    assert slots.enter(X) and slots.enter(X) and not slots.enter(X) and slots.enter(Y)
    slots.leave(X)
    assert slots.enter(X)
    for ip in (X, X, Y):
        slots.leave(ip)
    assert not slots._taken


def test_a_host_s_many_addresses_share_its_limits() -> None:
    slots = Slots(1)
    assert slots.enter("2001:db8::1") and not slots.enter("2001:db8::2") and slots.enter("2001:db8:0:1::1")


def test_this_machine_and_trusted_networks_have_none() -> None:
    near = Limits(Zones(networks(["10.0.0.0/8"])), Numbers(1, 1, 1, 1, 1, 1))
    for ip in ("127.0.0.1", "::1", "10.1.2.3"):
        for _ in range(5):
            assert near.messages.wait(ip) == near.connects.wait(ip) == 0.0
            assert near.connections.enter(ip) and near.uploads.enter(ip)
    for _ in range(2):
        waits, entered = near.messages.wait(X), near.uploads.enter(X)
    assert waits > 0 and not entered


def test_a_proxy_carries_as_many_as_come_but_sends_no_more_than_others() -> None:
    limits = Limits(Zones(), Numbers(1, 1, 1, 1, 1, 1), is_proxy=lambda ip: ip == X)
    for _ in range(5):
        assert limits.connects.wait(X) == 0.0 and limits.connections.enter(X)
    assert [limits.messages.wait(X) > 0 for _ in range(2)] == [False, True]


def test_0_is_no_limit() -> None:
    far = Limits(Zones(), Numbers(0, 0, 0, 0, 0, 0))
    for _ in range(100):
        assert far.messages.wait(X) == far.connects.wait(X) == 0.0
        assert far.connections.enter(X) and far.uploads.enter(X)
