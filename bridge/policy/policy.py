"""The policy of one server: asked by every transport, before anything else, who somebody is to it."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from bridge.policy.tokens import Tokens
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
    """`guard_loopback`: this machine has to show the token too; `native`: what socket peers from elsewhere may do;
    `tls_required`: these have to come by TLS."""

    def __init__(
        self,
        zones: Zones,
        tokens: Tokens,
        native: Native = Native.KNOCK,
        guard_loopback: bool = False,
        tls_required: bool = False,
    ) -> None:
        self.zones = zones
        self.tokens = tokens
        self.native = native
        self._guard_loopback = guard_loopback
        self._tls_required = tls_required

    def may_speak_plainly(self, ip: str) -> bool:
        """Whether somebody may come in without TLS, whoever they are."""
        return not self._tls_required or self.zones.of(ip) is not Zone.ELSEWHERE

    def role_of(self, ip: str) -> Role:
        """Who somebody is by address alone."""
        if self.tokens.member is None:
            return Role.MEMBER
        zone = self.zones.of(ip)
        if zone is Zone.TRUSTED or (zone is Zone.LOOPBACK and not self._guard_loopback):
            return Role.MEMBER
        return Role.STRANGER

    def role_with(self, secret: str) -> Role:
        """Who somebody is who shows this secret; a wrong one makes a stranger."""
        if self.tokens.is_host(secret):
            return Role.HOST
        return Role.MEMBER if self.tokens.is_member(secret) else Role.STRANGER
