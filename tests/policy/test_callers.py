"""Who a request comes from, by its connection and by what forwarders say: a table of lies and omissions."""

from __future__ import annotations

import pytest

from bridge.policy.callers import Callers
from bridge.policy.zones import Zone, Zones, networks

L, T, X = Zone.LOOPBACK, Zone.TRUSTED, Zone.ELSEWHERE
HERE, PROXY, OTHER = "127.0.0.1", "10.9.9.9", "203.0.113.5"
CALLERS = Callers(Zones(networks(["192.168.0.0/16"])), networks([PROXY, "10.9.9.8"]))

UNBELIEVED = [
    {"Forwarded": "for=127.0.0.1"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Host": "localhost"},
    {"x-forwarded-anything": ""},
    {"Via": "1.1 tunnel"},
    {"CF-Connecting-IP": "127.0.0.1"},
    {"Cf-Ray": "1"},
    {"X-Real-IP": "127.0.0.1"},
]


@pytest.mark.parametrize("headers", UNBELIEVED, ids=str)
@pytest.mark.parametrize("ip", [HERE, "::1", "::ffff:127.0.0.1", "192.168.1.1", OTHER])
def test_what_somebody_passed_on_is_a_stranger_s(ip: str, headers: dict[str, str]) -> None:
    caller = CALLERS.of((ip, 5), headers.items())
    assert (caller.ip, caller.zone) == (f"behind {ip}", X)
    assert caller.scheme is caller.host is None


@pytest.mark.parametrize(
    ("ip", "zone"), [(HERE, L), ("::ffff:127.0.0.1", L), ("192.168.1.1", T), (OTHER, X), ("2001:db8::1", X)]
)
def test_who_says_nothing_is_who_is_connected(ip: str, zone: Zone) -> None:
    caller = CALLERS.of((ip, 5), [("Host", "localhost"), ("X-Client", "a"), ("Cookie", "via=1")])
    assert (caller.ip, caller.zone) == (ip, zone)


def test_a_connection_that_is_gone_is_nobody_s() -> None:
    assert CALLERS.of(None, []).zone is X


@pytest.mark.parametrize(
    ("headers", "ip", "zone"),
    [
        ([("X-Forwarded-For", OTHER)], OTHER, X),
        ([("X-Forwarded-For", "192.168.1.7")], "192.168.1.7", T),
        ([("X-Forwarded-For", "127.0.0.1")], "127.0.0.1", L),
        ([("X-Forwarded-For", f"{OTHER}:4711")], OTHER, X),
        ([("X-Forwarded-For", "2001:db8::7")], "2001:db8::7", X),
        ([("X-Forwarded-For", "[2001:db8::7]:4711")], "2001:db8::7", X),
        ([("X-Forwarded-For", f"127.0.0.1, {OTHER}")], OTHER, X),
        ([("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", OTHER)], OTHER, X),
        ([("X-Forwarded-For", f"127.0.0.1, {OTHER}, 10.9.9.8")], OTHER, X),
        ([("X-Forwarded-For", "10.9.9.8")], "10.9.9.8", X),
        ([("Forwarded", f"for={OTHER};proto=https")], OTHER, X),
        ([("Forwarded", 'for="[2001:db8::7]:4711"')], "2001:db8::7", X),
        ([("Forwarded", f"for=127.0.0.1, for={OTHER}")], OTHER, X),
        ([("Forwarded", f"For={OTHER}"), ("X-Forwarded-For", OTHER)], OTHER, X),
        # Nothing that can be believed: unsaid, no address, or two words that differ.
        ([], f"behind {PROXY}", X),
        ([("X-Forwarded-For", "")], f"behind {PROXY}", X),
        ([("X-Forwarded-For", "unknown")], f"behind {PROXY}", X),
        ([("X-Forwarded-For", "127.0.0.1, _hidden")], f"behind {PROXY}", X),
        ([("Forwarded", "for=unknown")], f"behind {PROXY}", X),
        ([("Forwarded", "for=127.0.0.1"), ("X-Forwarded-For", OTHER)], f"behind {PROXY}", X),
        ([("Via", "1.1 proxy")], f"behind {PROXY}", X),
    ],
    ids=str,
)
def test_a_proxy_of_ours_is_believed_as_far_as_it_speaks_for_itself(
    headers: list[tuple[str, str]], ip: str, zone: Zone
) -> None:
    caller = CALLERS.of((PROXY, 5), headers)
    assert (caller.ip, caller.zone) == (ip, zone)


@pytest.mark.parametrize(
    ("headers", "scheme", "host"),
    [
        ({}, None, None),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "room.example"}, "https", "room.example"),
        (
            {"X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "evil.example, room.example"},
            "https",
            "room.example",
        ),
        ({"X-Forwarded-Proto": "javascript"}, None, None),
        ({"Forwarded": 'for=1.2.3.4;proto=https;host="room.example:444"'}, "https", "room.example:444"),
    ],
    ids=str,
)
def test_how_it_was_asked_for_is_the_proxy_s_word(headers: dict[str, str], scheme: str, host: str) -> None:
    caller = CALLERS.of((PROXY, 5), headers.items())
    assert (caller.scheme, caller.host) == (scheme, host)


def test_what_is_shown_has_the_proxy_s_port() -> None:
    assert CALLERS.of((PROXY, 5), [("X-Forwarded-For", "2001:db8::7")]).addr == "[2001:db8::7]:5"
    assert CALLERS.of((HERE, 5), [("X-Forwarded-For", "1.2.3.4")]).addr == "127.0.0.1:5"
