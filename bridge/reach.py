"""Under which addresses others reach this machine, the best first.

The best is where the way to everybody else begins. Last come those that only containers, virtual machines and members
of a VPN can reach, and they say so.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_KINDS: Final = (
    (re.compile(r"docker|br-|veth|podman|cni|cali|flannel|lxc|lxd"), "containers"),
    (re.compile(r"virbr|vmnet|vboxnet|vethernet|hyper-v|vnet|bridge1\d\d"), "virtual machines"),
    (re.compile(r"tun|tap|wg|utun|ppp|tailscale|zt|nordlynx|ipsec"), "VPN"),
)
# Nobody is asked: connecting a datagram socket only looks the way up. (RFC 5737, RFC 3849: they are nobody's.)
_FAR: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class Reach(NamedTuple):
    """An address, the interface that has it, and whom alone it reaches: "" is everybody around."""

    ip: str
    interface: str
    kind: str


def reachable() -> list[Reach]:
    """Every address of this machine that others may know, ranked."""
    return ranked(_addresses(), _ways_out())


def ranked(found: Iterable[tuple[str, str]], ways_out: Iterable[str]) -> list[Reach]:
    """`found` are interfaces with their addresses, `ways_out` the addresses at which default routes begin."""
    first = set(ways_out)
    reach = [Reach(ip, interface, _kind(interface)) for interface, ip in found if _is_told(ip)]
    return sorted(reach, key=lambda one: (one.kind != "", _is_makeshift(one.ip), ":" in one.ip, one.ip not in first))


def is_public(host: str) -> bool:
    """Whether the whole Internet may reach it."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return False


def _kind(interface: str) -> str:
    return next((kind for names, kind in _KINDS if names.match(interface.casefold())), "")


def _is_told(ip: str) -> bool:
    """Not what means this machine to everybody, nor what needs an interface's name beside it."""
    address = ipaddress.ip_address(ip)
    return not address.is_loopback and not (address.version == 6 and address.is_link_local)


def _is_makeshift(ip: str) -> bool:
    """What a machine gives itself when nobody gives it an address (RFC 3927)."""
    return ipaddress.ip_address(ip).is_link_local


def _addresses() -> Iterator[tuple[str, str]]:
    import ifaddr  # only a server for others needs it

    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            yield adapter.nice_name, one.ip if isinstance(one.ip, str) else one.ip[0]


def _ways_out() -> Iterator[str]:
    for family, far in _FAR:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.connect((far, 9))
                yield asking.getsockname()[0]
        except OSError:  # there is no way out
            continue
