"""What goes over a cable, counted packet by packet, and datagrams whose sender is whatever address one likes."""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Final, NamedTuple

from tests.support.hosts import Host

_ETH_P_ALL: Final = 3
_SO_RCVBUFFORCE: Final = 33
_BUFFER_BYTES: Final = 64 * 1024 * 1024
_IP: Final = struct.Struct("!BBHHHBBH4s4s")
_UDP: Final = struct.Struct("!4H")


class Packet(NamedTuple):
    """One UDP datagram: the address at the hosts' end, its size with the headers of IP and UDP, and what it says."""

    far: str
    size: int
    data: bytes


class Cable:
    """A host's end of its cable to the house, and all UDP datagrams that go over it."""

    def __init__(self, host: Host) -> None:
        self._socket = host.inside(socket.socket, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        self._socket.bind(("eth0", _ETH_P_ALL))
        self._socket.setblocking(False)
        self.to_house: list[Packet] = []
        self.from_house: list[Packet] = []

    def look(self) -> None:
        """Take note of what went over it since the last look."""
        while True:
            try:
                packet, (_device, _protocol, kind, *_more) = self._socket.recvfrom(65536)
            except BlockingIOError:
                return
            if len(packet) < _IP.size or packet[0] != 0x45 or packet[9] != socket.IPPROTO_UDP:
                continue
            size, data = int.from_bytes(packet[2:4], "big"), packet[_IP.size + _UDP.size :]
            source, target = (socket.inet_ntoa(packet[place : place + 4]) for place in (12, 16))
            if kind == socket.PACKET_OUTGOING:
                self.to_house.append(Packet(source, size, data))
            else:
                self.from_house.append(Packet(target, size, data))

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Cable:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()


class Forger:
    """Sends from a host under addresses that are not its own."""

    def __init__(self, host: Host) -> None:
        self._socket = host.inside(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, data: bytes, source: tuple[str, int], target: tuple[str, int]) -> None:
        size = _IP.size + _UDP.size + len(data)
        ends = [ipaddress.ip_address(host).packed for host, _port in (source, target)]
        head = _IP.pack(0x45, 0, size, 0, 0, 64, socket.IPPROTO_UDP, 0, *ends)  # the kernel adds the checksum
        self._socket.sendto(head + _UDP.pack(source[1], target[1], _UDP.size + len(data), 0) + data, (target[0], 0))

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Forger:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
