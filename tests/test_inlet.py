"""What one peer sends arrives whole and in order, and no more of it at once than two buffers hold."""

from __future__ import annotations

import asyncio
import random
import select
import socket
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from bridge.inlet import BUFFER_MAX_BYTES, BUFFER_MIN_BYTES, LEND_MIN_BYTES, Inlet
from tests.support.peers import PATIENCE_S, eventually


class Ends:
    """A connection: `peer` sends, `inlet` is what comes of it."""

    def __init__(self, held: bytes = b"", ended: bool = False) -> None:
        self.peer, self._ours = socket.socketpair()
        self.held, self.ended = held, ended

    async def __aenter__(self) -> Ends:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_connection(asyncio.Protocol, sock=self._ours)
        self.inlet = Inlet(self.transport, self.held, self.ended)
        self.transport.set_protocol(self.inlet)
        return self

    async def __aexit__(self, *fault: object) -> None:
        self.transport.abort()
        self.peer.close()
        await asyncio.sleep(0)

    async def send(self, data: bytes) -> None:
        await asyncio.to_thread(self.peer.sendall, data)

    async def read(self) -> memoryview:
        async with asyncio.timeout(PATIENCE_S):
            return await self.inlet.read()

    async def rest(self) -> bytes:
        came = b""
        while piece := await self.read():
            came += piece
        return came


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    async with Ends() as ends:
        yield ends


async def test_what_was_held_comes_first_and_then_all_the_rest_however_it_was_cut() -> None:
    chance = random.Random(3)
    content = chance.randbytes(5_000_000)
    async with Ends(held := content[:100_000]) as ends:

        async def send() -> None:
            left = content[len(held) :]
            while left:
                size = chance.choice((1, 1000, BUFFER_MIN_BYTES, 700_000))
                await ends.send(left[:size])
                left = left[size:]
            ends.peer.shutdown(socket.SHUT_WR)

        sending = asyncio.create_task(send())
        assert await ends.rest() == content
        await sending
        assert await ends.read() == b"", "the end is told as often as it is asked for"


async def test_an_end_that_was_seen_before_is_told_after_what_was_held() -> None:
    async with Ends(b"hello", ended=True) as ends:
        assert [bytes(await ends.read()) for _ in range(2)] == [b"hello", b""]


async def test_what_was_given_stays_as_it_is_until_the_next_is_asked_for(ends: Ends) -> None:
    await ends.send(b"a" * 1000)
    piece = await ends.read()
    await ends.send(b"b" * BUFFER_MIN_BYTES)
    await eventually(lambda: not ends.transport.is_reading())
    assert piece == b"a" * 1000
    assert await ends.read() == b"b" * BUFFER_MIN_BYTES


async def test_of_a_sender_nobody_listens_to_no_more_is_taken_than_a_buffer(ends: Ends) -> None:
    """A full one waits to be read; the next is larger, up to their measure and no further."""
    content = random.Random(4).randbytes(8 * BUFFER_MAX_BYTES)
    sending = asyncio.create_task(ends.send(content))
    came, sizes = b"", []
    while len(came) < len(content):
        await eventually(lambda: not ends.transport.is_reading() or sending.done())
        piece = await ends.read()
        sizes.append(len(piece))
        came += piece
    assert came == content
    assert sizes[0] <= BUFFER_MIN_BYTES and max(sizes) == BUFFER_MAX_BYTES
    await sending


async def test_who_stops_waiting_misses_nothing(ends: Ends) -> None:
    waiting = asyncio.create_task(ends.inlet.read())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await ends.send(b"hello")
    assert await ends.read() == b"hello"


async def test_what_came_before_a_reset_is_read_to_its_end() -> None:
    async with Ends() as ends:
        await ends.send(b"hello")
        await eventually(lambda: ends.inlet.get_buffer(-1).nbytes < BUFFER_MIN_BYTES)
        ends.inlet.connection_lost(ConnectionResetError())
        assert await ends.rest() == b"hello"


def received(more: Callable[[memoryview], int], size: int) -> bytes:
    """All that is there, in pieces of `size`: a thread's errand."""
    buffer, came = memoryview(bytearray(size)), b""
    while got := more(buffer):
        came += buffer[:got]
    return came


@pytest.mark.parametrize("seed", range(3))
async def test_a_thread_has_what_is_there_and_the_loop_what_comes_after(ends: Ends, seed: int) -> None:
    chance = random.Random(seed)
    content = chance.randbytes(12_000_000)
    sending = asyncio.create_task(ends.send(content))
    came, by_thread = b"", 0
    while len(came) < len(content):
        came += await ends.read()
        with ends.inlet.lend(len(content) - len(came)) as more:
            assert (more is None) is (len(content) - len(came) < LEND_MIN_BYTES)
            if more is not None:
                aside = await asyncio.to_thread(received, more, chance.choice((5_000, 400_000)))
                came, by_thread = came + aside, by_thread + len(aside)
    assert came == content
    assert by_thread > len(content) / 2
    assert len(ends.inlet.get_buffer(-1)) <= 2 * BUFFER_MIN_BYTES, "a first bite is enough for the loop"
    await sending


async def test_a_thread_has_no_more_than_it_was_allowed(ends: Ends) -> None:
    sending = asyncio.create_task(ends.send(b"x" * 3 * LEND_MIN_BYTES))
    first, aside = await ends.read(), b""
    with ends.inlet.lend(LEND_MIN_BYTES) as more:
        assert more is not None
        while len(aside) < LEND_MIN_BYTES:
            aside += await asyncio.to_thread(received, more, 100_000)
        await eventually(lambda: bool(select.select([ends._ours], [], [], 0)[0]))  # there is more
        assert more(memoryview(bytearray(1))) == 0
    rest = 0
    while len(first) + len(aside) + rest < 3 * LEND_MIN_BYTES:
        rest += len(await ends.read())
    await sending


async def test_what_was_lent_is_taken_back_from_a_thread_that_still_asks(ends: Ends) -> None:
    await ends.send(b"one")
    assert await ends.read() == b"one"
    with ends.inlet.lend(LEND_MIN_BYTES) as more:
        assert more is not None
    await ends.send(b"two")
    assert more(memoryview(bytearray(9))) == 0
    assert await ends.read() == b"two"


async def test_taken_back_in_the_midst_of_an_errand_nothing_is_lost_or_read_twice(ends: Ends) -> None:
    """Whoever asked for the errand is cancelled; the thread finds out at its next question."""
    content = random.Random(5).randbytes(6_000_000)
    sending = asyncio.create_task(ends.send(content))
    came = bytes(await ends.read())
    begun, aside = threading.Event(), bytearray()

    def errand(more: Callable[[memoryview], int]) -> None:
        buffer = memoryview(bytearray(20_000))
        while (got := more(buffer)) or len(aside) < 100_000:
            aside.extend(buffer[:got])
            if len(aside) >= 100_000:
                begun.set()

    with ends.inlet.lend(len(content) - len(came)) as more:
        assert more is not None
        thread = asyncio.create_task(asyncio.to_thread(errand, more))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
    rest = b""
    while len(came) + len(aside) + len(rest) < len(content) or not thread.done():
        if len(came) + len(aside) + len(rest) < len(content):
            rest += await ends.read()
        await asyncio.sleep(0)
    assert came + aside + rest == content
    await sending


async def test_what_ends_while_it_is_lent_is_told_by_the_loop(ends: Ends) -> None:
    await ends.send(b"one")
    assert await ends.read() == b"one"
    with ends.inlet.lend(LEND_MIN_BYTES) as more:
        await ends.send(b"two")
        ends.peer.close()
        assert more is not None
        assert await asyncio.to_thread(received, more, 9) == b"two"
    assert await ends.read() == b""


async def test_a_thread_gets_no_socket_that_is_not_plainly_ours(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    def lent() -> bool:
        with ends.inlet.lend(LEND_MIN_BYTES) as more:
            return more is not None

    await ends.send(b"hello")
    await eventually(lambda: ends.inlet.get_buffer(-1).nbytes < BUFFER_MIN_BYTES)
    assert not lent(), "what came earlier comes first"
    await ends.read()
    assert lent()
    with monkeypatch.context() as inside:
        inside.setattr(ends.transport, "get_extra_info", lambda name: object() if name == "sslcontext" else None)
        assert not lent()
    ends.transport.abort()
    assert not lent()
