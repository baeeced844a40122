"""A UDP socket that says more than most: whose port is closed, which address of ours was called, what was dropped.

asyncio's own datagram protocol loses nine of ten datagrams at the rate this one takes, and cannot say which peer an
ICMP error was about; with `IP_RECVERR` and the error queue (ip(7)) the dead are named and the living notice nothing.
Linux tells all three; elsewhere nobody is named, and the address is the one the socket is bound to.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from bridge.model import address

logger = logging.getLogger("roombridge.mailbox")

RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024

# Not in Python's socket module; Linux: <bits/in.h>, <bits/socket.h>, <asm/socket.h>, <linux/sock_diag.h>
_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25
_MSG_ERRQUEUE: Final = 0x2000
_IP_PKTINFO: Final = 8
_IPV6_RECVPKTINFO: Final = 49
_IPV6_PKTINFO: Final = 50
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("9I")
_LINUX: Final = sys.platform == "linux"

Address = tuple[str, int] | tuple[str, int, int, int]
Control = list[tuple[int, int, bytes]]


class Letter(NamedTuple):
    """One datagram: `host` is the address of ours that it came to, `sender` what an answer needs to come from there."""

    data: bytes
    peer: Address
    host: str
    sender: Control


class Mailbox:
    """Wraps a bound, non-blocking UDP socket, which it closes."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.host, self.port = sock.getsockname()[:2]
        with suppress(OSError):  # Linux gives what it may; others refuse what is more than they would
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        inet = sock.family is socket.AF_INET
        self._anywhere = _LINUX and ipaddress.ip_address(self.host).is_unspecified
        if self._anywhere:
            self._ask(*((socket.IPPROTO_IP, _IP_PKTINFO) if inet else (socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO)))
        if _LINUX:
            self._ask(*((socket.IPPROTO_IP, _IP_RECVERR) if inet else (socket.IPPROTO_IPV6, _IPV6_RECVERR)))

    def _ask(self, level: int, option: int) -> None:
        self._socket.setsockopt(level, option, 1)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read(self, count: int, at_most: int) -> Iterator[Letter]:
        """Up to `count` datagrams that have come; of a longer one than `at_most` bytes, so many."""
        for _ in range(count):
            try:
                if self._anywhere:
                    data, control, _flags, peer = self._socket.recvmsg(at_most, 128)
                    host, sender = _called(control) or (self.host, [])
                else:
                    data, peer = self._socket.recvfrom(at_most)
                    host, sender = self.host, []
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:  # the pending ICMP error, which the error queue names; Windows reports it only here
                continue
            yield Letter(data, peer, host, sender)

    def gone(self) -> Iterator[Address]:
        """Those whose port was found closed. To be asked at every wake-up: what is in this queue keeps waking it."""
        while _LINUX:
            try:
                _data, control, _flags, peer = self._socket.recvmsg(0, 512, _MSG_ERRQUEUE)
            except OSError:
                return
            if _refused(control):
                yield peer

    def send(self, data: bytes, peer: Address, sender: Control) -> bool:
        """Whether the kernel took it."""
        for last in (False, True):
            try:
                if sender:
                    self._socket.sendmsg([data], sender, 0, peer)
                else:
                    self._socket.sendto(data, peer)
                return True
            except OSError as exc:
                # An ICMP error about some peer was pending on the socket: it was not about this one.
                if last or not isinstance(exc, ConnectionError):
                    logger.debug("a datagram to %s was not sent: %s", address(peer), exc)
                    return False
        return False

    def dropped(self) -> int:
        """How many datagrams the kernel dropped because nobody read them in time (sock_diag(7), `SK_MEMINFO_DROPS`)."""
        try:
            return int(_MEMINFO.unpack(self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[-1])
        except (OSError, struct.error):  # not Linux, or an old one
            return 0


def _called(control: Control) -> tuple[str, Control] | None:
    """Our address in `struct in_pktinfo` or `in6_pktinfo` (ip(7), ipv6(7)), and the same to send from it."""
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            return socket.inet_ntoa(data[4:8]), [(level, kind, bytes(4) + data[4:8] + bytes(4))]
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            called = ipaddress.IPv6Address(data[:16])
            return str(called.ipv4_mapped or called), [(level, kind, data)]
    return None


def _refused(control: Control) -> bool:
    """Whether a `struct sock_extended_err` says that a port is closed; a network that is away may come back."""
    return any(
        (level, kind) in ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR))
        and int.from_bytes(data[:4], sys.byteorder) == errno.ECONNREFUSED
        for level, kind, data in control
    )
