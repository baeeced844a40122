"""What a request may, as the guard found out."""

from __future__ import annotations

from aiohttp.test_utils import make_mocked_request

from bridge.policy import Role
from bridge.transports.web.caller import grant, role_of


def test_whoever_was_granted_nothing_may_do_nothing() -> None:
    request = make_mocked_request("GET", "/")
    assert role_of(request) is Role.STRANGER
    grant(request, Role.HOST)
    assert role_of(request) is Role.HOST
