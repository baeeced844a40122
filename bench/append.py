"""The log alone: durable entries a second when many wait, and how long one takes when none does, against one sync.

`python bench/append.py [--small]`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from pathlib import Path

import stand  # which makes bridge findable

from bridge.model import Draft, Peer
from bridge.store.sqlite import SqliteLog

AUTHOR = Peer("p1", "alice", "web", "127.0.0.1:5")
TEXT = "x" * 100


def draft(number: int) -> Draft:
    return Draft("lobby", "author", f"k{number}", AUTHOR, text=TEXT)


async def many(log: SqliteLog, first: int, count: int) -> float:
    """Entries a second when they all wait at once."""
    began = time.perf_counter()
    await asyncio.gather(*(log.append(draft(number)) for number in range(first, first + count)))
    return count / (time.perf_counter() - began)


async def one(log: SqliteLog, number: int) -> float:
    """Seconds from asking to the answer, when nobody else asks."""
    began = time.perf_counter()
    await log.append(draft(number))
    return time.perf_counter() - began


def sync(file: int) -> float:
    """Seconds for what no durable log can do without: 4 KiB appended and synced."""
    began = time.perf_counter()
    os.write(file, bytes(4096))
    os.fdatasync(file)
    return time.perf_counter() - began


async def measure(folder: Path, batch: int, rounds: int) -> dict[str, float]:
    log = SqliteLog(folder / "log.sqlite3")
    file = os.open(folder / "synced", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    numbers = iter(range(1 << 40))
    rates, alone, synced = [], [], []
    for _ in range(rounds):
        rates.append(await many(log, 1_000_000 + next(numbers) * batch, batch))
        for _ in range(20):
            alone.append(await one(log, next(numbers)))
            synced.append(sync(file))
    os.close(file)
    await log.close()
    return {"rate": statistics.median(rates), "alone": statistics.median(alone), "sync": statistics.median(synced)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few hundred entries, to see that it runs")
    small = parser.parse_args().small
    with stand.scratch() as folder:
        found = asyncio.run(measure(folder, 500 if small else 10_000, 1 if small else 10))
    ratio = found["alone"] / found["sync"]
    row = [f"{found['rate']:,.0f}", f"{found['alone'] * 1000:.2f}", f"{found['sync'] * 1000:.2f}", f"{ratio:.2f}"]
    print(stand.table(["the log", "entries/s", "one alone, ms", "one sync, ms", "ratio"], [["roombridge", *row]]))


if __name__ == "__main__":
    main()
