"""UDP on a socket of our own: drained in batches, no task for a datagram, a seat for every address.

asyncio's own datagram protocol loses nine of ten datagrams at the rate this one takes, and cannot say which peer an
ICMP error was about; with `IP_RECVERR` and the error queue (ip(7)) the dead leave and the living notice nothing.
(`docs/protocols/datagram.md`)
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import sys
from collections import deque
from collections.abc import Coroutine
from typing import Final

from bridge.guest import Guest, Waiting
from bridge.model import Refused, address
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.tally import Tally
from bridge.wire import datagram

logger = logging.getLogger("roombridge.datagram")

READ_BATCH: Final = 64
RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
INBOX_MAX: Final = 4096
"""How many messages of all datagram peers may wait for the disk; the newest beyond are dropped and counted."""
SILENCE_S: Final = 600.0
SILENCE_LOOPBACK_S: Final = 24 * 3600.0
SWEEP_S: Final = 30.0
SEATS_MAX: Final = 16 * 1024
LATER_MAX: Final = 64
"""How many datagrams of one peer may wait behind a command of its own that takes time."""

ECHOES_MAX: Final = 8
ECHO_MUTE_S: Final = 600.0
# Services that answer whatever comes: echo, daytime, chargen, DNS, NTP, SSDP and the like. Answering them makes a loop.
ANSWERING_PORTS: Final = frozenset({7, 13, 17, 19, 37, 53, 69, 123, 161, 389, 1900, 3702, 5353, 11211})

# Not in Python's socket module; Linux, <bits/in.h> and <bits/socket.h>
_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25
_MSG_ERRQUEUE: Final = 0x2000
_IP_PKTINFO: Final = 8
_LINUX: Final = sys.platform == "linux"

Address = tuple[str, int] | tuple[str, int, int, int]


class DatagramSeat:
    """Where one address meets the room. What the kernel will not take is lost, as datagrams are."""

    def __init__(self, transport: DatagramTransport, peer: Address, form: datagram.DatagramForm) -> None:
        self._transport = transport
        self.peer = peer
        self.form = form
        self.heard_at = 0.0
        self.muted_until = 0.0
        self.echoes = 0
        self.sent: deque[int] = deque(maxlen=2 * ECHOES_MAX)
        self.later: deque[datagram.Said] | None = None
        """What came while a command of this peer takes its time; None while none does."""

    def deliver(self, frame: tuple[bytes, ...]) -> None:
        for piece in frame:
            self.sent.append(hash(piece))
            self._transport.send(piece, self.peer)

    def full(self) -> bool:
        return False

    def notice(self, text: str) -> None:
        self.deliver((datagram.notice(text),))

    def bare(self, text: str) -> None:
        self.deliver(datagram.bare(text))

    def hang_up(self) -> None:
        self._transport.unseat(self.peer)

    def echoed(self, data: bytes, now: float) -> bool:
        """Whether this peer is a mirror: its last 8 datagrams were all ours. Then it is muted for ten minutes."""
        self.echoes = self.echoes + 1 if hash(data) in self.sent else 0
        if self.echoes >= ECHOES_MAX:
            self.muted_until = now + ECHO_MUTE_S
        return now < self.muted_until


class DatagramTransport:
    """One UDP socket and everybody who spoke to it. `room` is open as long as this is."""

    def __init__(self, rooms: Rooms, room: Room, sock: socket.socket, tally: Tally) -> None:
        self._rooms = rooms
        self._room = room
        self._socket = sock
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._own = sock.getsockname()
        self._seats: dict[Address, tuple[DatagramSeat, Guest]] = {}
        self._forms: dict[str, datagram.DatagramForm] = {}
        self._waiting = Waiting()
        self._answering: set[asyncio.Task[None]] = set()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._anywhere = ipaddress.ip_address(self._own[0]).is_unspecified and sock.family is socket.AF_INET and _LINUX
        if self._anywhere:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        if _LINUX:
            level, option = (
                (socket.IPPROTO_IP, _IP_RECVERR)
                if sock.family is socket.AF_INET
                else (socket.IPPROTO_IPV6, _IPV6_RECVERR)
            )
            sock.setsockopt(level, option, 1)
        self._loop.add_reader(sock, self._drain)
        self._sweeping = self._loop.call_later(SWEEP_S, self._sweep)

    def close(self) -> None:
        """Say bye to everybody and be gone."""
        for seat, guest in self._seats.values():
            seat.notice("bye: the server is shutting down")
            guest.leave()
        for task in self._answering:
            task.cancel()
        self._sweeping.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    # Out

    def send(self, data: bytes, peer: Address) -> None:
        try:
            try:
                self._socket.sendto(data, peer)
            except (
                ConnectionError
            ):  # an ICMP error about some peer was pending on the socket: it was not about this one
                self._socket.sendto(data, peer)
        except OSError as exc:
            self._tally.count("datagrams_unsent")
            logger.debug("a datagram to %s was not sent: %s", address(peer), exc)

    def unseat(self, peer: Address) -> None:
        """This one has left, or its port is closed."""
        if (seated := self._seats.pop(peer, None)) is not None:
            seat, guest = seated
            if seat.later:
                seat.later.clear()
            guest.leave()

    # In

    def _drain(self) -> None:
        if _LINUX:
            self._bury()
        for _ in range(READ_BATCH):
            try:
                if self._anywhere:
                    data, control, _flags, peer = self._socket.recvmsg(datagram.DATAGRAM_IN_MAX_BYTES + 1, 64)
                    host = _reached_at(control) or self._own[0]
                else:
                    data, peer = self._socket.recvfrom(datagram.DATAGRAM_IN_MAX_BYTES + 1)
                    host = self._own[0]
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:  # the pending ICMP error, which the error queue names; Windows reports it only here
                continue
            self._hear(data, peer, host)

    def _bury(self) -> None:
        """Empty the error queue, which names the peers whose ports are closed. It would keep the socket awake."""
        while True:
            try:
                _data, _control, _flags, peer = self._socket.recvmsg(0, 512, _MSG_ERRQUEUE)
            except OSError:
                return
            self.unseat(peer)

    def _hear(self, data: bytes, peer: Address, host: str) -> None:
        self._tally.count("datagrams_in")
        self._tally.heard("udp", len(data))
        if peer == self._own or peer[1] in ANSWERING_PORTS:
            self._tally.count("datagrams_ignored")
            return
        seated = self._seats.get(peer)
        if seated is not None and seated[0].echoed(data, self._loop.time()):
            self._tally.count("datagrams_ignored")
            return
        try:
            said = datagram.decode(data)
        except Refused as refused:
            self._tally.refused(refused.code, "udp")
            if seated is not None:
                seated[0].notice(refused.message)
            return
        if self._waiting.count >= INBOX_MAX:
            self._tally.count("datagrams_dropped")
            return
        if seated is None:
            seated = self._seat(peer, host, said)
            if seated is None:
                return
        elif said.name is not None:
            seated[1].call(said.name)
        self._take(*seated, said)

    def _seat(self, peer: Address, host: str, said: datagram.Said) -> tuple[DatagramSeat, Guest] | None:
        if said.text.startswith("* "):  # a notice of another roombridge: answering it would never end
            self._tally.count("datagrams_ignored")
            return None
        if len(self._seats) >= SEATS_MAX:
            self._tally.refused("busy", "udp")
            self.send(datagram.notice(f"no seat is free: {SEATS_MAX} datagram peers are here"), peer)
            return None
        if host not in self._forms:
            self._forms[host] = datagram.DatagramForm(f"http://{address((host, self._own[1]))}")
        seat = DatagramSeat(self, peer, self._forms[host])
        guest = Guest(self._rooms, self._room, seat, "udp", address(peer), said.name, self._waiting)
        self._seats[peer] = seat, guest
        return seat, guest

    def _take(self, seat: DatagramSeat, guest: Guest, said: datagram.Said) -> None:
        seat.heard_at = self._loop.time()
        if seat.later is not None:  # in the order they came, behind a command that takes time
            if len(seat.later) < LATER_MAX:
                seat.later.append(said)
            else:
                self._tally.count("datagrams_dropped")
        elif (answer := guest.hear(said.text)) is not None:
            seat.later = deque()
            task = self._loop.create_task(self._answer(seat, guest, answer), name=f"answer {address(seat.peer)}")
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, seat: DatagramSeat, guest: Guest, answer: Coroutine[None, None, None]) -> None:
        """What takes time, such as `/history`; messages themselves need no task."""
        try:
            await answer
            while seat.later:
                if (another := guest.hear(seat.later.popleft().text)) is not None:
                    await another
        finally:
            seat.later = None

    def _sweep(self) -> None:
        """Let those go who have been silent too long."""
        now = self._loop.time()
        for peer, (seat, _guest) in list(self._seats.items()):
            silence = SILENCE_LOOPBACK_S if ipaddress.ip_address(peer[0]).is_loopback else SILENCE_S
            if now - seat.heard_at > silence:
                self.unseat(peer)
        self._sweeping = self._loop.call_later(SWEEP_S, self._sweep)

    def kernel_drops(self) -> int:
        """Datagrams that the kernel dropped because nobody read them in time (Linux: `/proc/net/udp`)."""
        table = "/proc/net/udp" if self._socket.family is socket.AF_INET else "/proc/net/udp6"
        port = f":{self._own[1]:04X}"
        try:
            with open(table) as rows:
                return sum(int(row[-1]) for row in map(str.split, rows) if row[1].endswith(port))
        except OSError:
            return 0


def _reached_at(control: list[tuple[int, int, bytes]]) -> str | None:
    """The address of ours that a datagram came to: `ipi_addr` of `struct in_pktinfo` (ip(7))."""
    for level, kind, data in control:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO and len(data) >= 12:
            return socket.inet_ntoa(data[8:12])
    return None
