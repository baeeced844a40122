"""Who a request comes from: whoever is connected, unless he says himself that he only passes it on.

Tunnels, reverse proxies and containers' port forwarders connect from this machine, so loopback alone proves nothing. A
request that carries a forwarder's header is a stranger's; what the header says is believed from `--proxy` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from bridge.model import address
from bridge.policy.zones import Network, Zone, Zones, bare

_NAMES: Final = frozenset({"forwarded", "via", "x-real-ip"})
_PREFIXES: Final = ("x-forwarded-", "cf-")
_PAIR: Final = re.compile(r'\b(for|proto|host)=(?:"([^"]*)"|([^;,\s]+))', re.IGNORECASE)  # RFC 7239 section 4

Sockname = tuple[str, int] | tuple[str, int, int, int]


class Caller(NamedTuple):
    """`ip` is what is judged and limited, `addr` what is shown; `scheme` and `host` are what a proxy says was asked."""

    ip: str
    addr: str
    zone: Zone
    scheme: str | None = None
    host: str | None = None


class Callers:
    """Sorts requests; `proxies` is what `--proxy` named."""

    def __init__(self, zones: Zones, proxies: Iterable[Network] = ()) -> None:
        self._zones = zones
        self._proxies = Zones(proxies)

    def is_proxy(self, ip: str) -> bool:
        try:
            return self._proxies.has(bare(ip))
        except ValueError:
            return False

    def of(self, peer: Sockname | None, headers: Iterable[tuple[str, str]]) -> Caller:
        """The caller of a request with these headers, from this address."""
        if not peer:
            return Caller("?", "?", Zone.ELSEWHERE)
        said = [(folded, value) for name, value in headers if _forwards(folded := name.casefold())]
        if self.is_proxy(peer[0]):
            return self._behind(peer, said)
        if said:
            return Caller(f"behind {peer[0]}", address(peer), Zone.ELSEWHERE)
        return Caller(peer[0], address(peer), self._zones.of(peer[0]))

    def _behind(self, proxy: Sockname, said: list[tuple[str, str]]) -> Caller:
        """Whom a proxy of ours speaks for; it may forget to say, or let its clients say more than it does."""
        plain = ",".join(value for name, value in said if name == "x-forwarded-for")
        pairs = _PAIR.findall(",".join(value for name, value in said if name == "forwarded"))
        forwarded = {kind.casefold(): quoted or token for kind, quoted, token in pairs}
        hops = [value.strip() for value in plain.split(",") if value.strip()]
        named = [quoted or token for kind, quoted, token in pairs if kind.casefold() == "for"]
        clients = {self._client(way) for way in (hops, named) if way}
        ip = clients.pop() if len(clients) == 1 else None
        scheme = _last(said, "x-forwarded-proto") or forwarded.get("proto")
        host = _last(said, "x-forwarded-host") or forwarded.get("host")
        if scheme not in ("http", "https"):
            scheme = None
        if ip is None:  # unsaid, no address, or two headers that differ: one of them is the client's own
            return Caller(f"behind {proxy[0]}", address(proxy), Zone.ELSEWHERE, scheme, host)
        return Caller(ip, address((ip, proxy[1])), self._zones.of(ip), scheme, host)

    def _client(self, way: list[str]) -> str | None:
        """The last hop that is no proxy of ours: what stands before it is that hop's own word."""
        ip = None
        for hop in reversed(way):
            if (ip := _ip(hop)) is None or not self.is_proxy(ip):
                break
        return ip


def _forwards(name: str) -> bool:
    return name in _NAMES or name.startswith(_PREFIXES)


def _last(said: list[tuple[str, str]], wanted: str) -> str | None:
    """The last word of a header, which is the nearest proxy's."""
    values = ",".join(value for name, value in said if name == wanted)
    return values.rpartition(",")[2].strip() or None


def _ip(hop: str) -> str | None:
    """An address as proxies write it: bare, with a port, in brackets."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(bare(hop))
    except ValueError:
        return None
