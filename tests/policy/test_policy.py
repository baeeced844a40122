"""Who somebody is to a server: by address, else by what they show."""

from __future__ import annotations

import pytest

from bridge.policy import Policy, Role, Tokens, Zones
from bridge.policy.zones import networks

TRUST = Zones(networks(["10.0.0.0/8"]))
TOKENS = Tokens("the token of members", "the token of the host")


@pytest.mark.parametrize(
    ("policy", "ip", "role"),
    [
        (Policy(TRUST, TOKENS), "127.0.0.1", Role.MEMBER),
        (Policy(TRUST, TOKENS), "10.1.2.3", Role.MEMBER),
        (Policy(TRUST, TOKENS), "192.168.1.2", Role.STRANGER),
        (Policy(TRUST, TOKENS, guard_loopback=True), "127.0.0.1", Role.STRANGER),
        (Policy(TRUST, TOKENS, guard_loopback=True), "10.1.2.3", Role.MEMBER),
        (Policy(TRUST, Tokens(None, "h"), open=True), "192.168.1.2", Role.MEMBER),
        (Policy(TRUST, Tokens(None, "h")), "127.0.0.1", Role.MEMBER),
        (Policy(TRUST, Tokens(None, "h")), "192.168.1.2", Role.STRANGER),
    ],
)
def test_an_address_alone(policy: Policy, ip: str, role: Role) -> None:
    assert policy.role_of(ip) is role


def test_a_secret() -> None:
    policy = Policy(TRUST, TOKENS)
    assert policy.role_with("the token of members") is Role.MEMBER
    assert policy.role_with("the token of the host") is Role.HOST
    assert policy.role_with("a guess") is Role.STRANGER
    assert Policy(TRUST, Tokens(None, "the token of the host")).role_with("") is Role.STRANGER


def test_a_cookie_is_worth_its_token_and_ends_with_it() -> None:
    policy = Policy(TRUST, TOKENS)
    for role in (Role.MEMBER, Role.HOST):
        cookie = policy.cookie(role)
        assert policy.role_with_cookie(cookie) is role
        assert policy.role_with(cookie) is Role.STRANGER
        for other in (Tokens("another token", TOKENS.host), Tokens(TOKENS.member, "another host's token")):
            assert Policy(TRUST, other).role_with_cookie(cookie) is Role.STRANGER
    for wrong in ("", "the token of members", "é", "\udc80"):
        assert policy.role_with_cookie(wrong) is Role.STRANGER
