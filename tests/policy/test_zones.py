"""An address is sorted into the zone that the table of docs/security.md gives it."""

from __future__ import annotations

import pytest

from bridge.policy.zones import Zone, Zones, household, networks

ZONES = Zones(networks(["lan", "203.0.113.7", "2001:db8::/32"]))


@pytest.mark.parametrize(
    ("ip", "zone"),
    [
        ("127.0.0.1", Zone.LOOPBACK),
        ("127.8.9.10", Zone.LOOPBACK),
        ("::1", Zone.LOOPBACK),
        ("::ffff:127.0.0.1", Zone.LOOPBACK),
        ("10.0.0.5", Zone.TRUSTED),
        ("::ffff:10.0.0.5", Zone.TRUSTED),
        ("172.31.255.255", Zone.TRUSTED),
        ("192.168.1.37", Zone.TRUSTED),
        ("169.254.3.4", Zone.TRUSTED),
        ("fe80::1%eth0", Zone.TRUSTED),
        ("fd00::9", Zone.TRUSTED),
        ("203.0.113.7", Zone.TRUSTED),
        ("2001:db8::1", Zone.TRUSTED),
        ("172.32.0.1", Zone.ELSEWHERE),
        ("203.0.113.8", Zone.ELSEWHERE),
        ("2001:db9::1", Zone.ELSEWHERE),
        ("::ffff:8.8.8.8", Zone.ELSEWHERE),
        ("?", Zone.ELSEWHERE),
        ("", Zone.ELSEWHERE),
    ],
)
def test_an_address_is_sorted(ip: str, zone: Zone) -> None:
    assert ZONES.of(ip) is zone


def test_nobody_is_trusted_unasked() -> None:
    assert Zones().of("192.168.1.37") is Zone.ELSEWHERE


@pytest.mark.parametrize("word", ["10.0.0.1/8", "home", "300.1.1.1", ""])
def test_what_is_no_network_is_refused(word: str) -> None:
    with pytest.raises(ValueError):
        networks([word])


@pytest.mark.parametrize(
    ("ip", "one"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1"),
        ("?", "?"),
    ],
)
def test_whom_a_limit_counts_as_one(ip: str, one: str) -> None:
    assert household(ip) == one
