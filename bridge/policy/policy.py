"""The policy of one server: asked by every transport, before anything else, who somebody is to it."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from bridge.policy.callers import Callers
from bridge.policy.guesses import Guesses
from bridge.policy.limits import Limits
from bridge.policy.tokens import Tokens, same
from bridge.policy.zones import Zone, Zones


class Native(StrEnum):
    """What socket peers may do who are strangers."""

    OPEN = "open"
    KNOCK = "knock"
    OFF = "off"


class Role(IntEnum):
    """What somebody may do, from nothing to everything."""

    STRANGER = 0
    MEMBER = 1
    HOST = 2


class Policy:
    """`guard_loopback`: this machine has to show the token too; `open`: nobody has to, from wherever he calls;
    `native`: what socket peers from elsewhere may do."""

    def __init__(
        self,
        zones: Zones,
        tokens: Tokens,
        native: Native = Native.KNOCK,
        guard_loopback: bool = False,
        open: bool = False,
        callers: Callers | None = None,
        guesses: Guesses | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.zones = zones
        self.tokens = tokens
        self.native = native
        self.callers = callers or Callers(zones)
        self.guesses = guesses or Guesses(zones)
        self.limits = limits or Limits(zones)
        self._guard_loopback = guard_loopback
        self._open = open

    def role_of(self, ip: str) -> Role:
        """Who somebody is by address alone."""
        return self.role_in(self.zones.of(ip))

    def role_in(self, zone: Zone) -> Role:
        """Who somebody is who calls from there."""
        if self._open or zone is Zone.TRUSTED or (zone is Zone.LOOPBACK and not self._guard_loopback):
            return Role.MEMBER
        return Role.STRANGER

    def role_with(self, secret: str) -> Role:
        """Who somebody is who shows this secret; a wrong one makes a stranger."""
        if self.tokens.is_host(secret):
            return Role.HOST
        return Role.MEMBER if self.tokens.is_member(secret) else Role.STRANGER

    def role_with_cookie(self, value: str) -> Role:
        """Who somebody is whose browser showed a token before."""
        for role in (Role.HOST, Role.MEMBER) if value else ():
            if same(value, self.cookie(role)):
                return role
        return Role.STRANGER

    def cookie(self, role: Role) -> str:
        """What a browser of this role shows from then on."""
        return self.tokens.cookie(host=role is Role.HOST)
