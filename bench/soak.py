"""Half an hour of everything at once: does memory grow, do descriptors leak?

People join and leave, talk by browser, line and datagram, send files, and some never read. What is told is the slope of
the second half, when all caches are warm. `python bench/soak.py [--minutes 30] [--small]`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
import stand
from stand import Running

BROWSERS: Final = 40
SLEEPERS: Final = 5
FILE_BYTES: Final = 1024 * 1024


class Mark(NamedTuple):
    """What the server held at one moment: seconds since the beginning, KiB, descriptors."""

    at: float
    rss_kib: int
    descriptors: int


def look(running: Running, began: float) -> Mark:
    descriptors = sum(1 for _ in Path(f"/proc/{running.pid}/fd").iterdir())
    return Mark(time.monotonic() - began, running.rss_kib(), descriptors)


async def browser(session: aiohttp.ClientSession, port: int) -> None:
    """Comes, hears, says something now and then, and leaves."""
    async with session.ws_connect(f"http://127.0.0.1:{port}/r/lobby/ws") as peer:
        for number in range(random.randrange(5, 60)):
            await peer.send_str(json.dumps({"type": "say", "key": str(number), "text": "x" * random.randrange(1, 400)}))
            until = time.monotonic() + random.uniform(0.1, 0.8)
            while (left := until - time.monotonic()) > 0:
                try:
                    await peer.receive(timeout=left)
                except TimeoutError:
                    break


async def liner(_session: aiohttp.ClientSession, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(random.randrange(1, 30)):
        writer.write(f"line {number}\n/who\n".encode())
        await asyncio.sleep(random.uniform(0.05, 0.5))
        await reader.read(65536)
    writer.close()


async def device(_session: aiohttp.ClientSession, port: int) -> None:
    """Another address each time, as devices that wake up have."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number in range(20):
            sock.sendto(f"temperature {number}".encode(), ("127.0.0.1", port))
            await asyncio.sleep(random.uniform(0.01, 0.2))


async def sender(_session: aiohttp.ClientSession, port: int) -> None:
    """A file, of which every third one breaks off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    header = json.dumps({"file_name": "soak.bin", "file_size": FILE_BYTES, "reply": True}).encode()
    whole = random.randrange(3) > 0
    writer.write(struct.pack("<i", len(header)) + header + random.randbytes(FILE_BYTES if whole else FILE_BYTES // 2))
    await writer.drain()
    if whole:
        await reader.readline()
    writer.close()
    await asyncio.sleep(random.uniform(2, 6))


async def sleeper(session: aiohttp.ClientSession, port: int) -> None:
    """Takes a seat and never reads, until it is shown out or leaves."""
    async with session.ws_connect(f"http://127.0.0.1:{port}/r/lobby/ws", max_msg_size=0) as peer:
        peer._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        await asyncio.sleep(random.uniform(30, 90))


CROWD: Final[dict[Callable[[aiohttp.ClientSession, int], Awaitable[None]], int]] = {
    browser: BROWSERS,
    liner: 10,
    device: 5,
    sender: 3,
    sleeper: SLEEPERS,
}


async def live(what: Callable[[aiohttp.ClientSession, int], Awaitable[None]], port: int, until: float) -> None:
    """One after the other of its kind."""
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < until:
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + until - time.monotonic()):
                    await what(session, port)
            except (TimeoutError, OSError, aiohttp.ClientError):
                await asyncio.sleep(0.1)


async def soak(running: Running, seconds: float, every: float) -> list[Mark]:
    began = time.monotonic()
    crowd = [
        asyncio.create_task(live(what, running.port, began + seconds))
        for what, count in CROWD.items()
        for _ in range(count)
    ]
    marks = []
    while time.monotonic() < began + seconds:
        await asyncio.sleep(every)
        marks.append(look(running, began))
    await asyncio.gather(*crowd)
    return marks[:-1]  # the last may be of the end


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line that lies nearest to them, per hour; theirs is per second."""
    middle_x = sum(x for x, _y in points) / len(points)
    middle_y = sum(y for _x, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _y in points)
    return 3600 * sum((x - middle_x) * (y - middle_y) for x, y in points) / max(spread, 1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--small", action="store_true", help="a moment of it, to see that it runs")
    options = parser.parse_args()
    seconds, every = (1.5, 0.1) if options.small else (options.minutes * 60, 5.0)
    with stand.roombridge() as running:
        marks = asyncio.run(soak(running, seconds, every))
    warm = marks[len(marks) // 2 :]
    rows = [
        [
            name,
            f"{values[0]:,}",
            f"{values[-1]:,}",
            f"{max(values):,}",
            f"{slope(list(zip(times, values, strict=True))):+,.1f}",
        ]
        for name, values in (
            ("memory, KiB", [mark.rss_kib for mark in warm]),
            ("descriptors", [mark.descriptors for mark in warm]),
        )
        for times in ([mark.at for mark in warm],)
    ]
    print("\n" + stand.table([f"{seconds / 60:.1f} minutes, second half", "first", "last", "most", "an hour"], rows))


if __name__ == "__main__":
    main()
