"""From where somebody calls: this machine, a network that is trusted, or anywhere else.

An address proves where a TCP peer is, but not who: what comes through a tunnel or a proxy on this machine is told apart
by the headers it carries (`transports/web/guard.py`). A datagram's address proves nothing until its owner answered.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import Enum
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

LAN: Final = tuple(
    ipaddress.ip_network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
"""What `--trust lan` means: the private blocks (RFC 1918, RFC 4193) and link-local ones (RFC 3927, RFC 4291)."""


class Zone(Enum):
    """How far an address is trusted by itself."""

    LOOPBACK = "loopback"
    TRUSTED = "trusted"
    ELSEWHERE = "elsewhere"


class Zones:
    """Sorts addresses; `trust` is what `--trust` named."""

    def __init__(self, trust: Iterable[Network] = ()) -> None:
        self._trust = tuple(trust)

    def of(self, ip: str) -> Zone:
        """The zone of an address as a socket tells it, with its IPv6 scope or mapped from IPv4 as it may be."""
        try:
            found = bare(ip)
        except ValueError:  # a socket that is gone has no address
            return Zone.ELSEWHERE
        if found.is_loopback:
            return Zone.LOOPBACK
        return Zone.TRUSTED if self.has(found) else Zone.ELSEWHERE

    def has(self, ip: IpAddress) -> bool:
        """Whether one of the networks holds it."""
        return any(ip in network for network in self._trust if network.version == ip.version)


def bare(ip: str) -> IpAddress:
    """The address itself: `::ffff:10.0.0.5` is 10.0.0.5, `fe80::1%eth0` is fe80::1. Raises `ValueError`."""
    found = ipaddress.ip_address(ip.partition("%")[0])
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def household(ip: str) -> str:
    """Whom a limit counts as one: an IPv4 address, or a /64 of IPv6, in which one host has as many as it likes.

    Link-local addresses all lie in one /64, so each stands for itself.
    """
    try:
        found = bare(ip)
    except ValueError:
        return ip
    if found.version == 4 or found.is_link_local:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))


def networks(words: Iterable[str]) -> tuple[Network, ...]:
    """What `--trust` names: CIDR blocks, single addresses, or `lan`. Raises `ValueError`."""
    found: list[Network] = []
    for word in words:
        found += LAN if word == "lan" else [ipaddress.ip_network(word)]
    return tuple(found)
