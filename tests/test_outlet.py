"""The way out: never waits, is full above its high-water mark, and lets go of who stands still."""

from __future__ import annotations

import asyncio
import socket

from bridge.outlet import HIGH_WATER_BYTES, Outlet, cut


async def pair() -> tuple[asyncio.Transport, socket.socket]:
    """A transport of ours and the blocking socket at its other end, with small kernel buffers."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, ours)
    return transport, theirs


async def test_it_is_full_above_the_mark_and_free_when_the_peer_has_read() -> None:
    transport, theirs = await pair()
    outlet = Outlet(transport)
    assert not outlet.full()
    outlet.deliver(b"x" * (HIGH_WATER_BYTES + 64 * 1024))
    assert outlet.full()

    def read() -> None:
        left = HIGH_WATER_BYTES + 64 * 1024
        while left:
            left -= len(theirs.recv(65536))

    await asyncio.to_thread(read)
    assert not outlet.full()
    transport.close()
    theirs.close()


async def test_a_peer_that_stands_still_is_told_once_and_cut() -> None:
    transport, theirs = await pair()
    told: list[str] = []

    class Told(Outlet):
        def _stalled(self) -> None:
            told.append("stalled")

    outlet = Told(transport, stall_s=0.05)
    outlet.deliver(b"x" * (2 * HIGH_WATER_BYTES))
    async with asyncio.timeout(5):
        while not transport.is_closing():
            assert outlet.full()
            await asyncio.sleep(0.01)
    outlet.full()
    assert told == ["stalled"]
    outlet.deliver(b"lost")  # harmless
    theirs.close()
    transport.abort()


async def test_a_slow_peer_that_reads_on_is_not_cut() -> None:
    transport, theirs = await pair()
    outlet = Outlet(transport, stall_s=0.2)
    outlet.deliver(b"x" * (2 * HIGH_WATER_BYTES))
    for _ in range(20):  # twice the patience, a little at a time
        assert outlet.full()
        await asyncio.to_thread(theirs.recv, 4096)
        await asyncio.sleep(0.02)
    assert not transport.is_closing()
    transport.abort()
    theirs.close()


async def test_a_timer_that_comes_too_late_to_cut_does_no_harm() -> None:
    """Closed with bytes in it, and rid of them before the time was over."""
    transport, theirs = await pair()
    transport.write(b"x" * 100_000)
    transport.close()

    def read_all() -> None:
        while theirs.recv(65536):
            pass

    await asyncio.to_thread(read_all)
    cut(transport)
    cut(transport)
    theirs.close()


async def test_what_the_transport_holds_nothing_of_goes_by_the_socket_itself() -> None:
    """asyncio keeps the socket in `_sock` of what it shows: another Python may not."""
    transport, theirs = await pair()
    outlet = Outlet(transport)
    assert outlet.straight is None, "perhaps the transport holds something"
    assert not outlet.full()
    assert outlet.straight is not None
    assert outlet.straight(b"words") == 5
    assert await asyncio.to_thread(theirs.recv, 16) == b"words"
    outlet.deliver(b"x" * 100_000)
    assert outlet.straight is None, "the transport holds the rest"
    transport.abort()
    theirs.close()


async def test_a_closed_socket_takes_nothing_whoever_has_its_descriptor() -> None:
    transport, theirs = await pair()
    outlet = Outlet(transport)
    outlet.full()
    number = transport.get_extra_info("socket").fileno()
    transport.abort()
    await asyncio.to_thread(theirs.recv, 16)  # its end: the descriptor is free
    ours, other = socket.socketpair()
    heirs = [ours, other]
    while number not in [heir.fileno() for heir in heirs]:
        heirs += socket.socketpair()
    outlet.deliver(b"not for you")
    for heir in heirs:
        heir.setblocking(False)
        try:
            assert not heir.recv(16)
        except BlockingIOError:
            pass
        heir.close()
    theirs.close()


async def test_what_was_shown_out_is_told_nothing_more() -> None:
    transport, theirs = await pair()
    outlet = Outlet(transport)
    outlet.full()
    outlet.deliver(b"bye")
    outlet._cut()
    outlet.full()
    outlet.deliver(b"no more")
    assert await asyncio.to_thread(theirs.recv, 16) == b"bye"
    assert await asyncio.to_thread(theirs.recv, 16) == b""
    theirs.close()
