"""Hostile loads: what each costs is printed; what is asserted is true on a machine of any speed.

`pytest -rP tests/stories/test_loads.py` shows the figures.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import aiohttp
import pytest

from tests.support import observe
from tests.support.peers import PATIENCE_S, BrowserPeer, DatagramPeer, LinePeer
from tests.support.process import Running
from tests.support.program import tool
from tests.support.streams import RawBrowser

pytestmark = observe.linux_only

MIB = 2**20
Figure = Callable[[str, float, str], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """`figure("server grew", 3.25, "MiB")`."""

    def note(what: str, value: float, unit: str) -> None:
        record_property(what, f"{value:.4g} {unit}")
        print(f"{what}: {value:.4g} {unit}")

    return note


@pytest.fixture(autouse=True, scope="module")
def many_descriptors() -> Iterator[None]:
    """The attackers live in this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Chat:
    """Two members who were there before."""

    def __init__(self, address: tuple[str, int], stack: ExitStack) -> None:
        self.alice, self.bob = (_member(address, stack, name) for name in ("alice", "bob"))
        self.said = 0
        self.worst_s = 0.0

    def once(self) -> None:
        """Alice says something, and Bob hears it."""
        self.said += 1
        started = time.monotonic()
        self.alice.say(f"are you there? {self.said}")
        self.bob.read_until(f"[alice] are you there? {self.said}")
        self.worst_s = max(self.worst_s, time.monotonic() - started)

    def for_seconds(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.once()
            time.sleep(0.02)


def _member(address: tuple[str, int], stack: ExitStack, name: str) -> LinePeer:
    peer = stack.enter_context(LinePeer(address))
    peer.say(f"/nick {name}")
    peer.read_until(f"you are now {name}")
    return peer


def crowd(address: tuple[str, int], count: int, stack: ExitStack) -> list[socket.socket]:
    """Connections on their way, whether or not anybody lets them in."""
    sockets = []
    for _ in range(count):
        one = stack.enter_context(socket.socket())
        one.setblocking(False)
        one.connect_ex(address)
        sockets.append(one)
    return sockets


@pytest.mark.parametrize("opening", [b"", b"G", b"hello\n"], ids=["silent", "one byte", "a line"])
def test_500_connections_to_a_server_of_128_descriptors_leave_its_members_chatting(
    run: Callable[..., Running], opening: bytes, figure: Figure
) -> None:
    running = run(command=(tool("prlimit"), "--nofile=128:128"))
    with ExitStack() as inside, ExitStack() as outside:
        chat = Chat(running.address, inside)
        upload = observe.fetch(running.address, "PUT", "/before.bin", b"x" * 100_000)
        assert upload[0] == 201
        started, used = time.monotonic(), observe.cpu_s(running.process.pid)
        attackers = crowd(running.address, 500, outside)
        for one in attackers:
            try:
                one.send(opening)
            except OSError:  # still connecting, or shown out already
                pass
        chat.for_seconds(1.5)
        chat.alice.say("/history 1")  # a reader of the log has its descriptors
        chat.alice.read_until(f"[alice] are you there? {chat.said}")
        share = (observe.cpu_s(running.process.pid) - used) / (time.monotonic() - started)
        figure("server's share of a processor", share, "")
        figure("slowest message", chat.worst_s * 1000, "ms")
        outside.close()

        started = time.monotonic()
        assert observe.fetch(running.address, "PUT", "/after.bin", b"x" * 100_000)[0] == 201
        assert observe.fetch(running.address, "GET", "/healthz")[0] == 200
        figure("recovered after", (time.monotonic() - started) * 1000, "ms")
        chat.once()
    assert running.stderr.count("new connections wait") <= 1
    assert "Too many open files" not in running.stderr


def test_a_server_without_a_descriptor_left_rests_and_recovers(run: Callable[..., Running], figure: Figure) -> None:
    """Files may take what connections left; the limit is put down to what is open already."""
    running = run(command=(tool("prlimit"), "--nofile=1000:1000"))
    pid = running.process.pid
    with ExitStack() as stack:
        chat = Chat(running.address, stack)
        limit(pid, len(os.listdir(f"/proc/{pid}/fd")))
        started, used = time.monotonic(), observe.cpu_s(pid)
        waiting = crowd(running.address, 50, stack)
        chat.for_seconds(1.5)
        share = (observe.cpu_s(pid) - used) / (time.monotonic() - started)
        figure("server's share of a processor", share, "")
        assert running.stderr.count("new connections wait: Too many open files") == 1

        limit(pid, 1000)
        started = time.monotonic()
        assert observe.fetch(running.address, "PUT", "/after.bin", b"x" * 100_000)[0] == 201
        figure("recovered after", (time.monotonic() - started) * 1000, "ms")
        assert len(waiting) == 50
        observe.until(lambda: gauge(running, "connections") == 53, "all are inside, and who asks")


def limit(pid: int, descriptors: int) -> None:
    """Let a running server have no more than so many descriptors."""
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors, 1000))


def test_somebody_who_speaks_comes_in_however_many_are_silent(run: Callable[..., Running]) -> None:
    running = run("--max-connections", "8")
    with ExitStack() as stack:
        chat = Chat(running.address, stack)
        crowd(running.address, 200, stack)
        for _ in range(5):
            assert observe.fetch(running.address, "GET", "/healthz")[0] == 200
        chat.once()


def test_a_full_house_lets_nobody_in_until_somebody_leaves(run: Callable[..., Running]) -> None:
    running = run("--max-connections", "4")
    with ExitStack() as stack:
        chat = Chat(running.address, stack)
        third, fourth, late = (stack.enter_context(LinePeer(running.address)) for _ in range(3))
        for peer in (third, fourth, late):
            peer.say("I am here")
        assert third.read().startswith("* welcome")
        assert fourth.read().startswith("* welcome")
        observe.until(lambda: "new connections wait: 4 are inside" in running.stderr)
        chat.once()
        third.close()
        assert late.read().startswith("* welcome")


def test_1000_who_said_one_byte_cost_nothing(running: Running, figure: Figure) -> None:
    with ExitStack() as stack:
        chat = Chat(running.address, stack)
        idle = [stack.enter_context(socket.create_connection(running.address, PATIENCE_S)) for _ in range(1000)]
        for one in idle:
            one.sendall(b"G")
        observe.all_read(running.port, idle)
        started, used = time.monotonic(), observe.cpu_s(running.process.pid)
        time.sleep(2)  # what is measured is doing nothing
        share = (observe.cpu_s(running.process.pid) - used) / (time.monotonic() - started)
        figure("server's share of a processor", share, "")
        chat.once()
        figure("a message meanwhile", chat.worst_s * 1000, "ms")
    assert share < 0.2, "a busy loop would take all of it"


WORDS = "x" * 15_000
MESSAGES = 100 * MIB // len(WORDS)
FRAME = 4
AHEAD = 8
"""So many frames of so many messages are on their way at once."""


async def test_200_readers_who_stopped_reading_cost_little_while_100_mib_are_said(
    running: Running, session: aiohttp.ClientSession, figure: Figure
) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(RawBrowser(running.address, "after=-1", receive_buffer=8192))
            line = stack.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            line.connect(running.address)
            line.sendall(b"/who\n")
        await asyncio.to_thread(observe.until, lambda: gauge(running, "seats") == 200)
        reader, writer = [await BrowserPeer.join(session, running.url, after=-1) for _ in range(2)]
        before, started = observe.rss_bytes(running.process.pid), time.monotonic()
        (heard, peak), _ = await asyncio.gather(_hear(reader, running.process.pid), _write(writer))
        figure("written, stored and heard", 100 / (time.monotonic() - started), "MiB/s")
        figure("server grew by", (peak - before) / MIB, "MiB")
        assert heard == list(range(MESSAGES))
        assert peak - before <= 64 * MIB
        await reader.close()
        await writer.close()


async def _write(writer: BrowserPeer) -> None:
    for first in range(0, MESSAGES, FRAME):
        if first >= AHEAD * FRAME:
            await writer.until(key=f"k{first - AHEAD * FRAME}")
        frame = range(first, min(first + FRAME, MESSAGES))
        await writer.send(*({"type": "say", "key": f"k{number}", "text": f"{number} {WORDS}"} for number in frame))


async def _hear(reader: BrowserPeer, pid: int) -> tuple[list[int], int]:
    """What was said, and the most memory the server held meanwhile."""
    heard, peak = [], 0
    while len(heard) < MESSAGES:
        heard.append(int((await reader.entry())["text"].partition(" ")[0]))
        if len(heard) % 50 == 0:
            peak = max(peak, observe.rss_bytes(pid))
    return heard, peak


FLOOD = 40_000


def test_a_flood_of_datagrams_is_bounded_and_the_room_goes_on(running: Running, figure: Figure) -> None:
    with ExitStack() as stack:
        chat = Chat(running.address, stack)
        flooder = stack.enter_context(DatagramPeer(running.address))
        before = observe.rss_bytes(running.process.pid)
        started = time.monotonic()
        peak = 0
        for number in range(FLOOD):
            flooder.say(b"flood %d" % number)
            if number % 5000 == 0:
                chat.once()
                peak = max(peak, observe.rss_bytes(running.process.pid))
        figure("sent", FLOOD / (time.monotonic() - started), "datagrams/s")
        chat.once()
        observe.until(lambda: _taken(running) + gauge(running, "datagrams_dropped_by_kernel_total") == FLOOD)
        observe.until(lambda: gauge(running, "drafts_waiting") == 0)
        peak = max(peak, observe.rss_bytes(running.process.pid))
        figure("dropped, and counted", FLOOD - _taken(running), "datagrams by the kernel")
        figure("dropped, and counted", gauge(running, "datagrams_dropped_total"), "datagrams by the server")
        figure("slowest message", chat.worst_s * 1000, "ms")
        figure("server grew by", (peak - before) / MIB, "MiB")
        stored = sum(entry["text"].startswith("flood") for entry in observe.log(running.address))
        assert stored == _taken(running) - gauge(running, "datagrams_dropped_total")
        assert peak - before <= 16 * MIB


def _taken(running: Running) -> int:
    return gauge(running, "datagrams_in_total")


def test_ten_thousand_seats_by_datagram_all_hear_the_same(running: Running, figure: Figure) -> None:
    seats = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    with ExitStack() as stack:
        peers = [stack.enter_context(DatagramPeer(running.address)) for _ in range(seats)]
        before, started = observe.rss_bytes(running.process.pid), time.monotonic()
        for first in range(0, seats, 500):  # no more at once than any kernel's buffer holds
            for peer in peers[first : first + 500]:
                peer.say("")
            assert all(peer.read().startswith("* welcome") for peer in peers[first : first + 500])
        figure("seated", seats / (time.monotonic() - started), "seats/s")
        assert gauge(running, "seats") == seats
        figure("a seat costs", (observe.rss_bytes(running.process.pid) - before) / 1024 / seats, "KiB")
        started = time.monotonic()
        peers[0].say("hello all of you")
        assert {peer.read().partition("] ")[2] for peer in peers[1:]} == {"hello all of you\n"}
        figure("one message to all of them took", (time.monotonic() - started) * 1000, "ms")


def gauge(running: Running, name: str) -> int:
    """A number of `/metrics`, over all its labels; what never happened is not there, and 0."""
    body = observe.fetch(running.address, "GET", "/metrics")[2].decode()
    numbers = re.findall(rf"^roombridge_{name}(?:\{{.*\}})? (\S+)$", body, re.MULTILINE)
    return int(sum(map(float, numbers)))
