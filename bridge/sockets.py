"""Sockets for every address that was asked for: TCP and UDP on one number, IPv4 and IPv6 beside each other."""

from __future__ import annotations

import errno
import logging
import os
import socket
from typing import Final, NamedTuple

logger = logging.getLogger("roombridge.server")

BACKLOG: Final = 1024
PORT_TRIES: Final = 20
"""How often a free port may turn out to be taken for UDP, or for IPv6, before we give up."""


class Pair(NamedTuple):
    """One address, bound for both."""

    tcp: socket.socket
    udp: socket.socket

    @property
    def ip(self) -> str:
        ip: str = self.tcp.getsockname()[0]
        return ip

    @property
    def port(self) -> int:
        port: int = self.tcp.getsockname()[1]
        return port

    def close(self) -> None:
        self.tcp.close()
        self.udp.close()


def bind_everywhere(port: int) -> list[Pair]:
    """Every address of this machine, both families on one number; without IPv6 the other alone. Raises `OSError`."""
    for _ in range(1 if port else PORT_TRIES):
        four = bind("0.0.0.0", port)  # noqa: S104 - as was asked for
        try:
            return [four, bind("::", four.port)]
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                logger.warning("%s: only IPv4 is served", exc.strerror)
                return [four]
            four.close()
            if port:
                raise
    raise OSError(errno.EADDRINUSE, "no port was free for both IPv4 and IPv6")


def bind(host: str, port: int) -> Pair:
    """A number that was asked for and is taken is an error: we never move. Raises `OSError`, which says it all."""
    for _ in range(1 if port else PORT_TRIES):
        opened: list[socket.socket] = []
        try:
            opened.append(tcp := _socket(host, port, socket.SOCK_STREAM))
            opened.append(udp := _socket(host, tcp.getsockname()[1], socket.SOCK_DGRAM))
            tcp.listen(BACKLOG)
            return Pair(tcp, udp)
        except OSError as exc:
            for one in opened:
                one.close()
            if port or exc.errno != errno.EADDRINUSE:
                told = f"cannot serve on {host}:{port}: {exc.strerror} (--port N takes another)"
                raise OSError(exc.errno, told) from exc
    raise OSError(errno.EADDRINUSE, f"no port of {host} was free for both TCP and UDP")


def _socket(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family, _kind, _proto, _name, where = socket.getaddrinfo(host, port, type=kind)[0]
    made = socket.socket(family, kind)
    try:
        made.setblocking(False)
        if family is socket.AF_INET6:  # beside IPv4 on the same number, not instead of it
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM and os.name == "posix":  # on Windows it would let two servers share a port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(where)
    except OSError:
        made.close()
        raise
    return made
