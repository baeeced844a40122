"""Being found: the network is told that we are here (mDNS), and whoever calls `where?` by UDP is told where.

Neither says anything that opens a door, and neither is needed by anybody who has the address: when the network will not
have it, that is a warning.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from bridge.model import address
from bridge.policy.zones import bare, is_near
from bridge.reach import reachable
from bridge.wire import datagram

if TYPE_CHECKING:
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

logger = logging.getLogger("roombridge.discovery")

QUESTIONS: Final = (b"where?", b"where?\n", b"where?\r\n")
ANSWERS_MAX: Final = 50
"""In a second, to all together."""
GROWTH_MAX: Final = 3
"""To an address that may be forged, at most three times what came from it, headers counted (RFC 9000 section 8)."""
_HEADERS: Final = {4: 20 + 8, 6: 40 + 8}
SERVICES: Final = ("_http._tcp.local.", "_roombridge._udp.local.")
FAREWELL_S: Final = 1.0


class Whereabouts:
    """Answers who asks from nearby: a name for the place, and no seat in it."""

    def __init__(self, scheme: str, room: str) -> None:
        self._scheme = scheme
        self._room = room
        self._second = 0
        self._answers = 0

    def answer(self, asked: bytes, peer: str, here: tuple[str, int], now: float) -> bytes | None:
        """One datagram for `where?` and nothing else, naming the address `here` that was called."""
        if asked not in QUESTIONS or not is_near(peer) or self._busy(int(now)):
            return None
        place = f"roombridge {self._scheme}://{address(here)}/"
        whole, short = datagram.notice(f"{place} room {self._room}"), datagram.notice(place)
        headers = _HEADERS[bare(peer).version]
        most = GROWTH_MAX * (len(asked) + headers) - headers
        return whole if len(whole) <= most else short

    def _busy(self, second: int) -> bool:
        if second != self._second:
            self._second, self._answers = second, 0
        self._answers += 1
        return self._answers > ANSWERS_MAX


class Announcement:
    """What mDNS tells of one server, where its `addresses` are, from `start` to `close`. `told` goes along as TXT."""

    def __init__(self, port: int, addresses: list[str], told: Mapping[str, str]) -> None:
        self._port = port
        self._addresses = addresses
        self._told = dict(told)
        self._zeroconf: AsyncZeroconf | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """In the background: a name is asked for before it is taken, and that takes a second."""
        self._task = asyncio.get_running_loop().create_task(self._announce(), name="announce")

    async def close(self) -> None:
        """Say goodbye, so that nobody keeps a place that is gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._zeroconf is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await self._zeroconf.async_unregister_all_services()
            await self._zeroconf.async_close()

    async def _announce(self) -> None:
        import zeroconf  # only a server for others needs it
        from zeroconf.asyncio import AsyncZeroconf

        # It tells of each datagram that a network would not take, with a trace of its own.
        logging.getLogger("zeroconf").setLevel(logging.CRITICAL)
        six = any(":" in one for one in self._addresses)
        try:
            self._zeroconf = AsyncZeroconf(
                self._addresses, ip_version=zeroconf.IPVersion.All if six else zeroconf.IPVersion.V4Only
            )
            for service in SERVICES:
                await (await self._zeroconf.async_register_service(self._info(service), allow_name_change=True))
        except (OSError, RuntimeError, zeroconf.Error) as exc:
            logger.warning("mDNS tells nobody that we are here: %s", exc or type(exc).__name__)

    def _info(self, service: str) -> ServiceInfo:
        from zeroconf import ServiceInfo

        name = f"roombridge on {_host()}"[:60]  # of 63, for a number behind it
        return ServiceInfo(
            service,
            f"{name}.{service}",
            port=self._port,
            parsed_addresses=self._addresses,
            properties=self._told,
            server=f"{host_name()}.",
        )


def host_name() -> str:
    """By which mDNS finds us; not the machine's own name, which is for others to announce."""
    return f"{_host()}-roombridge.local"


def called_at(hosts: Iterable[str]) -> list[str]:
    """The addresses at which a server that listens on `hosts` is reached by others."""
    listening = [_address(host) for host in hosts]
    anywhere = {one.version for one in listening if one is not None and one.is_unspecified}
    found = [one.ip for one in reachable() if bare(one.ip).version in anywhere]
    found += [str(one) for one in listening if one is not None and not (one.is_unspecified or one.is_loopback)]
    return list(dict.fromkeys(found))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return bare(host)
    except ValueError:
        return None


def _host() -> str:
    return socket.gethostname().partition(".")[0]
