"""Chat over UDP: a socket drained in batches, no task for a datagram, a seat for every address.

(`docs/protocols/datagram.md`)
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from bridge.doorstep import Doorstep
from bridge.guest import Guest, Later, Waiting
from bridge.mailbox import Control, Letter, Mailbox
from bridge.model import Address, Refused, address
from bridge.policy import Rate
from bridge.porch import Porch
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.tally import Tally
from bridge.wire import datagram

READ_BATCH: Final = 64
INBOX_MAX: Final = 4096
"""How many messages of all datagram peers may wait for the disk. What comes then waits in the kernel's buffer, and when
that is full the kernel drops the newest, and counts them."""
REST_S: Final = 0.005
SOURCE_PER_S: Final = 50
SOURCE_BURST: Final = 100
"""How many datagrams of one address from elsewhere are heard; what comes faster is dropped, and counted."""
PEER_BYTES_PER_S: Final = 200_000
"""How fast the room is told to one peer from elsewhere; it falls behind rather than..."""
DEBT_MAX_S: Final = 2.0
"""...and of what it asked for, such as its history, what would take longer than this is not sent."""
SILENCE_S: Final = 600.0
SILENCE_LOOPBACK_S: Final = 24 * 3600.0
SWEEP_S: Final = 30.0
SEATS_MAX: Final = 16 * 1024
ELSEWHERE_MAX: Final = 4096
"""How many of the seats may be taken from elsewhere."""
FORMS_MAX: Final = 1024
"""For how many addresses of ours the way to write them is kept at hand."""
LATER_MAX: Final = 4096
"""How many datagrams of all peers may wait behind commands of their own that take time; the newest are dropped."""

ECHOES_MAX: Final = 8
ECHO_MUTE_S: Final = 600.0
# Services that answer whatever comes: echo, daytime, chargen, DNS, NTP, SSDP and the like. Answering them makes a loop.
ANSWERING_PORTS: Final = frozenset({7, 13, 17, 19, 37, 53, 69, 123, 161, 389, 1900, 3702, 5353, 11211})


Where = Callable[[bytes, str, tuple[str, int], float], bytes | None]
"""What is answered to this datagram from this address, which came to this address of ours at this time, before it is
taken for a word."""


class DatagramSeat:
    """Where one address meets the room. What the kernel will not take is lost, as datagrams are."""

    straight = None

    def __init__(
        self,
        transport: DatagramTransport,
        peer: Address,
        sender: Control,
        form: datagram.DatagramForm,
        elsewhere: bool,
    ) -> None:
        self._transport = transport
        self._elsewhere = elsewhere
        self._sending_until = 0.0
        self.peer = peer
        self.form = form
        self._sender = sender
        self.heard_at = 0.0
        self.muted_until = 0.0
        self.echoes = 0
        self.sent: deque[int] = deque(maxlen=2 * ECHOES_MAX)
        self.later: deque[datagram.Said] | None = None
        """What came while a command of this peer takes its time; None while none does."""

    def deliver(self, frame: tuple[bytes, ...]) -> None:
        for piece in frame:
            if not self._elsewhere or self._affords(piece):
                self.sent.append(hash(piece))
                self._transport.send(piece, self.peer, self._sender)

    def full(self) -> bool:
        return self._elsewhere and self._sending_until > asyncio.get_running_loop().time()

    def _affords(self, piece: bytes) -> bool:
        now = asyncio.get_running_loop().time()
        until = max(self._sending_until, now) + len(piece) / PEER_BYTES_PER_S
        if until - now > DEBT_MAX_S:
            return False
        self._sending_until = until
        return True

    def notice(self, text: str) -> None:
        self.deliver((datagram.notice(text),))

    def bare(self, text: str) -> None:
        self.deliver(datagram.bare(text))

    def hang_up(self) -> None:
        self._transport.unseat(self.peer)

    def show_out(self, why: Refused) -> None:
        self.notice(f"bye: {why.message}")
        self.hang_up()

    def echoed(self, data: bytes, now: float) -> bool:
        """Whether this peer is a mirror: its last 8 datagrams were all ours. Then it is muted for ten minutes."""
        self.echoes = self.echoes + 1 if hash(data) in self.sent else 0
        if self.echoes >= ECHOES_MAX:
            self.muted_until = now + ECHO_MUTE_S
        return now < self.muted_until


class DatagramTransport:
    """One UDP socket and everybody who spoke to it. `room` is open as long as this is."""

    def __init__(
        self, rooms: Rooms, room: Room, sock: socket.socket, tally: Tally, porch: Porch, where: Where | None = None
    ) -> None:
        self._where = where
        self._rooms = rooms
        self._room = room
        self._mailbox = Mailbox(sock)
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._porch = porch
        self._doorstep = Doorstep(porch, self._admit, self._answer_letter, tally)
        self._seats: dict[Address, tuple[DatagramSeat, Guest]] = {}
        self._elsewhere: set[Address] = set()  # of those in seats
        self._sources = Rate(SOURCE_PER_S, SOURCE_BURST, lambda ip: not porch.elsewhere(ip))
        self._forms: dict[str, datagram.DatagramForm] = {}
        self._waiting = Waiting()
        self._behind = 0  # in all `later`
        self._answering: set[asyncio.Task[None]] = set()
        self._resting: asyncio.TimerHandle | None = None
        self.kernel_drops = self._mailbox.dropped
        self._loop.add_reader(self._mailbox, self._drain)
        self._sweeping = self._loop.call_later(SWEEP_S, self._sweep)

    def close(self) -> None:
        """Say bye to everybody and be gone."""
        self._doorstep.close()
        for seat, guest in self._seats.values():
            seat.notice("bye: the server is shutting down")
            guest.leave()
        for task in self._answering:
            task.cancel()
        self._sweeping.cancel()
        if self._resting is not None:
            self._resting.cancel()
        self._loop.remove_reader(self._mailbox)
        self._mailbox.close()

    # Out

    def send(self, data: bytes, peer: Address, sender: Control) -> None:
        if not self._mailbox.send(data, peer, sender):
            self._tally.count("datagrams_unsent")

    def _answer_letter(self, data: bytes, letter: Letter) -> None:
        self.send(data, letter.peer, letter.sender)

    def unseat(self, peer: Address) -> None:
        """This one has left, or its port is closed."""
        if (seated := self._seats.pop(peer, None)) is not None:
            seat, guest = seated
            self._elsewhere.discard(peer)
            if seat.later:
                self._behind -= len(seat.later)
                seat.later.clear()
            guest.leave()

    # In

    def _drain(self) -> None:
        for peer in self._mailbox.gone():
            self.unseat(peer)
        if self._waiting.count >= INBOX_MAX:
            self._loop.remove_reader(self._mailbox)
            self._resting = self._loop.call_later(REST_S, self._wake)
            return
        for letter in self._mailbox.read(READ_BATCH, datagram.DATAGRAM_IN_MAX_BYTES + 1):
            self._hear(letter)

    def _wake(self) -> None:
        """Read on when half of what waited is on the disk."""
        if self._waiting.count > INBOX_MAX // 2:
            self._resting = self._loop.call_later(REST_S, self._wake)
        else:
            self._loop.add_reader(self._mailbox, self._drain)

    def _hear(self, letter: Letter) -> None:
        peer = letter.peer
        self._tally.count("datagrams_in")
        self._tally.heard("udp", len(letter.data))
        if peer[:2] == (letter.host, self._mailbox.port) or peer[1] in ANSWERING_PORTS:
            self._tally.count("datagrams_ignored")
            return
        seated = self._seats.get(peer)
        if seated is None and self._where is not None:
            here = letter.host, self._mailbox.port
            if (answer := self._where(letter.data, peer[0], here, self._loop.time())) is not None:
                self.send(answer, peer, letter.sender)
                return
        if not self._porch.may_speak_plainly(peer[0]):
            self._tally.refused("forbidden", "udp")
            return
        if seated is not None and seated[0].echoed(letter.data, self._loop.time()):
            self._tally.count("datagrams_ignored")
            return
        if seated is not None and self._sources.wait(peer[0]):
            self._tally.count("datagrams_dropped")
            return
        try:
            said = datagram.decode(letter.data)
        except Refused as refused:
            self._tally.refused(refused.code, "udp")
            if seated is not None:
                seated[0].notice(refused.message)
            return
        if seated is not None:
            self._take(*seated, said)
        elif not self._porch.stranger("udp", peer[0]):
            self._admit(letter, said)
        elif (proven := self._doorstep.meet(letter, said)) is not None:
            self._admit(letter, proven)

    def _admit(self, letter: Letter, said: datagram.Said) -> None:
        """Seat this one, and take what it says, or had said before it was let in."""
        seated = self._seats.get(letter.peer) or self._seat(letter, said)
        if seated is not None:
            self._take(*seated, datagram.Said(said.text))  # by its name it was welcomed

    def _seat(self, letter: Letter, said: datagram.Said) -> tuple[DatagramSeat, Guest] | None:
        _data, peer, host, sender = letter
        if said.text.startswith("* "):  # a notice of another roombridge: answering it would never end
            self._tally.count("datagrams_ignored")
            return None
        elsewhere = self._porch.elsewhere(peer[0])
        taken, most = (self._elsewhere, ELSEWHERE_MAX) if elsewhere else (self._seats, SEATS_MAX)
        if len(taken) >= most:
            self._tally.refused("busy", "udp")
            self.send(datagram.notice(f"no seat is free: {most} datagram peers are here"), peer, sender)
            return None
        if len(self._forms) > FORMS_MAX:
            self._forms.clear()
        if host not in self._forms:
            self._forms[host] = datagram.DatagramForm(f"http://{address((host, self._mailbox.port))}")
        seat = DatagramSeat(self, peer, sender, self._forms[host], elsewhere)
        try:
            guest = Guest(self._rooms, self._room, seat, "udp", address(peer), said.name, self._waiting)
        except Refused as refused:
            self._tally.refused(refused.code, "udp")
            if self._porch.may_notice(peer[0], self._loop.time()):
                seat.notice(refused.message)
            return None
        if elsewhere:
            self._elsewhere.add(peer)
        self._seats[peer] = seat, guest
        return seat, guest

    def _take(self, seat: DatagramSeat, guest: Guest, said: datagram.Said) -> None:
        seat.heard_at = self._loop.time()
        if seat.later is not None:  # in the order they came, behind a command that takes time
            if self._behind < LATER_MAX:
                self._behind += 1
                seat.later.append(said)
            else:
                self._tally.count("datagrams_dropped")
        elif (answer := _obeyed(guest, said)) is not None:
            seat.later = deque()
            task = self._loop.create_task(self._answer(seat, guest, answer), name=f"answer {address(seat.peer)}")
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, seat: DatagramSeat, guest: Guest, answer: Later) -> None:
        """What takes time, such as `/history`; messages themselves need no task."""
        try:
            await answer
            while seat.later:
                self._behind -= 1
                if (another := _obeyed(guest, seat.later.popleft())) is not None:
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


def _obeyed(guest: Guest, said: datagram.Said) -> Later | None:
    """What takes time, to be awaited: a name counts for the words that it comes with, however long those wait."""
    if said.name is not None:
        guest.call(said.name)
    return guest.hear(said.text)
