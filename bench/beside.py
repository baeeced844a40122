"""Chat beside files: how late a message is heard while four senders upload as fast as they can, and while none does.

One server and one crowd a row. *Times* is the median of what each round found beside its own quiet row, for one slow
sync more or less decides what the 99th of a hundred is. The senders give way to the crowd (`nice`), since a message is
not heard late because the load had no time to read it. `python bench/beside.py [--small]`
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import fanout
import ingest
import stand

SENDERS = 4
NICENESS = 19
ALONE = "no uploads"
UPLOADS: dict[str, Callable[[int, int], object] | None] = {
    ALONE: None,
    "four, raw TCP": ingest.raw,
    "four, HTTP PUT": ingest.put,
}


class Senders:
    """Files, one after the other, by each of four, until the block is left. `sent` MiB so far."""

    def __init__(self, send: Callable[[int, int], object], port: int, mebibytes: int) -> None:
        self._send = send
        self._port = port
        self._mebibytes = mebibytes
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(SENDERS)]
        self.sent = 0

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._over.is_set():
            self._send(self._port, self._mebibytes)
            self.sent += self._mebibytes


@contextmanager
def uploading(name: str, port: int, mebibytes: int) -> Iterator[Callable[[], int]]:
    send = UPLOADS[name]
    if send is None:
        yield lambda: 0
        return
    with Senders(send, port, mebibytes) as senders:
        yield lambda: senders.sent


def row(name: str, load: fanout.Load, mebibytes: int) -> dict[str, float]:
    with stand.roombridge() as running, uploading(name, running.port, mebibytes) as sent:
        began = time.perf_counter()
        found = fanout.crowd("room", running, load)
        return {**found, "rate": sent() / (time.perf_counter() - began)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few clients for a moment, to see that it runs")
    options = parser.parse_args()
    stand.core(stand.LOAD_CORE)()
    load = fanout.Load("", 100, 8, rate=50, seconds=4)
    if options.small:
        load = fanout.Load("", 10, 2, rate=50, seconds=0.3, warm_s=0.1)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in UPLOADS}
    for _ in range(1 if options.small else 5):
        for name, each in runs.items():
            each.append(row(name, load, 1 if options.small else 64))
    found = {name: stand.median(each) for name, each in runs.items()}
    rows = [
        [
            name,
            *(f"{one[part]:.1f}" for part in ("p50_ms", "p95_ms", "p99_ms")),
            *(f"{_times(runs[name], runs[ALONE], part):.1f}" for part in ("p95_ms", "p99_ms")),
            f"{one['rate']:,.0f}",
            f"{one['lost']:.0f}",
        ]
        for name, one in found.items()
    ]
    head = [
        "50 messages/s to 100, beside",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "p95, times",
        "p99, times",
        "MiB/s in",
        "lost",
    ]
    print(stand.table(head, rows))


def _times(beside: list[dict[str, float]], alone: list[dict[str, float]], part: str) -> float:
    return statistics.median(one[part] / max(quiet[part], 0.01) for one, quiet in zip(beside, alone, strict=True))


if __name__ == "__main__":
    main()
