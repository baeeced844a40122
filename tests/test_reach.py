"""The address that others should use comes first; what reaches only containers or a VPN comes last, and says so."""

from __future__ import annotations

import sys

import pytest

from bridge.reach import Reach, is_public, ranked
from tests.support.hosts import Net


def test_the_way_out_comes_first_and_what_reaches_only_some_comes_last() -> None:
    found = [
        ("lo", "127.0.0.1"),
        ("lo", "::1"),
        ("docker0", "172.17.0.1"),
        ("br-3fa1", "172.18.0.1"),
        ("eth1", "10.0.0.5"),
        ("virbr0", "192.168.122.1"),
        ("wlan0", "192.168.1.37"),
        ("wlan0", "2001:db8::37"),
        ("wlan0", "fe80::1"),
        ("tailscale0", "100.64.0.3"),
        ("eth2", "169.254.7.7"),
    ]
    assert ranked(found, ["192.168.1.37", "2001:db8::37"]) == [
        Reach("192.168.1.37", "wlan0", ""),
        Reach("10.0.0.5", "eth1", ""),
        Reach("2001:db8::37", "wlan0", ""),
        Reach("169.254.7.7", "eth2", ""),
        Reach("172.17.0.1", "docker0", "containers"),
        Reach("172.18.0.1", "br-3fa1", "containers"),
        Reach("192.168.122.1", "virbr0", "virtual machines"),
        Reach("100.64.0.3", "tailscale0", "VPN"),
    ]


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1", True),
        ("192.168.1.37", False),
        ("100.64.0.3", False),
        ("127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("0.0.0.0", False),
        ("room.lan", False),
    ],
)
def test_an_address_of_the_internet_is_known(host: str, public: bool) -> None:
    assert is_public(host) is public


def test_another_host_s_own_interfaces_are_found(net: Net) -> None:
    other = net.host()
    done = other.run(sys.executable, "-c", "from bridge.reach import reachable; print(reachable())")
    assert done.returncode == 0, done.stderr
    assert f"Reach(ip='{other.ip}', interface='eth0', kind='')" in done.stdout.decode()
    assert "127.0.0.1" not in done.stdout.decode() and "fe80" not in done.stdout.decode()
