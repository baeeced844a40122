"""Datagrams in: how many become durable entries in ten browsers, and how fast the socket is drained under a flood.

The flood falls on asyncio's own `DatagramProtocol`, which only counts, on our socket with nobody behind it, and on the
whole server, which decodes what it reads, stores what its inbox has room for and tells the room, all at once. What the
kernel dropped, because nobody had read it in time, is the kernel's own figure. `python bench/datagrams.py [--small]`
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import fanout
import stand
from stand import Running

BROWSERS = 10
ROUNDS = 3


@contextmanager
def _script(name: str) -> Iterator[Running]:
    port = stand.free_port()
    with stand.serving((sys.executable, stand.PEERS / name, str(port)), port) as running:
        yield running


SERVERS = {
    "our socket, drained": lambda: _script("drain.py"),
    "asyncio's protocol": lambda: _script("datagrams.py"),
    "roombridge, all of it": stand.roombridge,
}


def flood(name: str, rate: int, seconds: float) -> dict[str, float]:
    """As many as one sender can; nobody listens, so that only the reading is measured."""
    load = fanout.Load(name, 0, 1, rate=rate, warm_s=0, seconds=seconds)
    with SERVERS[name]() as running:
        found = fanout.crowd("udp", running, load)
        dropped = stand.kernel_drops(running.port)
    sent = found["sent_in_all"]
    read = sent - dropped
    return {
        "sent": sent / found["seconds"],
        "read": read / found["seconds"],
        "cost": read / max(found["server_cpu"], 1e-9),
        "lost": dropped / max(sent, 1),
    }


def steady(rate: int, seconds: float) -> dict[str, float]:
    """At a pace: what of it is in every browser, durable."""
    load = fanout.Load("steady", BROWSERS, 1, rate=rate, seconds=seconds)
    with stand.roombridge() as running:
        found = fanout.crowd("udp", running, load)
        return {**found, "dropped": stand.kernel_drops(running.port)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few thousand, to see that it runs")
    small = parser.parse_args().small
    rounds, rates = (1, (1_000,)) if small else (ROUNDS, (10_000, 20_000, 30_000))
    rows = []
    for rate in rates:
        found = stand.median([steady(rate, 0.3 if small else 1.5) for _ in range(rounds)])
        entries = found["deliveries"] / BROWSERS / found["seconds"]
        shown = [f"{entries:,.0f}", f"{found['lost']:,.0f}", f"{found['dropped']:,.0f}"]
        rows.append([f"{rate:,}", *shown, f"{found['p99_ms']:.1f}", f"{found['server_cpu'] / found['seconds']:.2f}"])
    head = [
        "datagrams/s to ten browsers",
        "durable and delivered/s",
        "lost",
        "of these by the kernel",
        "p99 ms",
        "cores",
    ]
    print(stand.table(head, rows), end="\n\n")

    floods: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for name in SERVERS:
            floods.setdefault(name, []).append(flood(name, 5_000 if small else 1_000_000, 0.3 if small else 1.0))
    medians = {name: stand.median(runs) for name, runs in floods.items()}
    theirs = medians["asyncio's protocol"]["cost"]
    shown = [
        [
            name,
            f"{one['sent']:,.0f}",
            f"{one['read']:,.0f}",
            f"{one['cost']:,.0f}",
            f"{one['cost'] / max(theirs, 1):.1f}",
            f"{one['lost']:.0%}",
        ]
        for name, one in medians.items()
    ]
    print(
        stand.table(["a flood", "sent/s", "read/s", "read per CPU-s", "times asyncio's", "lost by the kernel"], shown)
    )


if __name__ == "__main__":
    main()
