"""How the cost grows with the work: clients, messages, rooms, entries; a chart for each in `bench/charts/`.

`python bench/growth.py [--small] [--only NAME]... [--draw]` (`--draw`: put the charts there; else they are only told)
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import NamedTuple

import fanout
import stand
from chart import Chart, Points, draw
from fanout import OURS, SERVERS, Load
from stand import Missing

CHARTS = stand.HERE / "charts"
BESIDE = "uWebSockets.js"
PAGES = 20
MEMBERS = 1000

Lines = dict[str, Points]


def clients(small: bool) -> Lines:
    sizes = (5, 20) if small else (10, 100, 1000, 5000, 10_000)
    loads = [Load(f"{size} clients", size, min(64, size), seconds=_seconds(small)) for size in sizes]
    return _beside(loads, lambda load: load.clients, lambda found: 1e6 / max(found["per_cpu_s"], 1e-9))


def messages(small: bool) -> Lines:
    rates = (10, 50) if small else (1, 10, 100, 500, 1000, 2000)
    size = 20 if small else MEMBERS
    loads = [Load(f"{rate}/s", size, min(64, size), rate=rate, seconds=_seconds(small)) for rate in rates]
    return _beside(loads, lambda load: load.rate, lambda found: 1e6 / max(found["per_cpu_s"], 1e-9))


def rooms(small: bool) -> Lines:
    """So many messages a second, said to a thousand people in one room, in ten, in a thousand."""
    counts, size, rate = ((1, 5), 20, 50) if small else ((1, 10, 100, 1000), MEMBERS, 200)
    loads = [Load(f"{count} rooms", size, size, rate=rate, seconds=_seconds(small), rooms=count) for count in counts]
    return {
        OURS: [
            (load.rooms, 1e6 * max(found["server_cpu"], 1e-9) / max(found["sent"], 1))
            for load in loads
            if (found := fanout.run(SERVERS[OURS], load))
        ]
    }


def entries(small: bool) -> Lines:
    """A log of so many entries: how long a start takes, and a page of 50 from its middle."""
    counts = (100, 1000) if small else (10**3, 10**4, 10**5, 10**6, 10**7)
    lines: Lines = {"start": [], "page of 50": []}
    with stand.scratch() as data:
        have = 0
        for count in counts:
            _fill(data, count - have)
            have = count
            began = time.perf_counter()
            port = stand.free_port()
            command = (sys.executable, "-m", "bridge", "--port", str(port), "--data", data)
            with stand.serving(command, port, cwd=stand.HERE.parent):
                lines["start"].append((count, 1000 * (time.perf_counter() - began)))
                lines["page of 50"].append((count, 1000 * median(_pages(port, count))))
    return lines


class Question(NamedTuple):
    chart: Chart
    ask: Callable[[bool], Lines]


QUESTIONS = {
    "clients": Question(Chart("64 senders: cost of a delivery", "clients", "CPU µs"), clients),
    "messages": Question(Chart("1,000 clients: cost of a delivery", "messages a second", "CPU µs"), messages),
    "rooms": Question(Chart("200 messages a second: cost of a message", "rooms of 1,000 people", "CPU µs"), rooms),
    "entries": Question(Chart("A long log", "entries", "ms"), entries),
}


def _seconds(small: bool) -> float:
    return 0.3 if small else 2.0


def _beside(loads: list[Load], across: Callable[[Load], float], up: Callable[[dict[str, float]], float]) -> Lines:
    lines: Lines = {}
    for load in loads:
        for name in (OURS, BESIDE):
            try:
                lines.setdefault(name, []).append((across(load), up(fanout.run(SERVERS[name], load))))
            except Missing as missing:
                lines.pop(name, None)
                print(missing, file=sys.stderr)
    return lines


def _fill(data: Path, more: int) -> None:
    """Entries straight into the log of a server that does not run: its own tables, made by its own start."""
    port = stand.free_port()
    with stand.serving(
        (sys.executable, "-m", "bridge", "--port", str(port), "--data", data), port, cwd=stand.HERE.parent
    ):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/r/lobby", data=b"x" * 100)
        urllib.request.urlopen(request, timeout=60).close()
    with closing(sqlite3.connect(data / "log.sqlite3")) as log:
        log.execute(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO entry (room, at, author, key, sender, text) "
            "SELECT room, at, author, key || '-' || (SELECT max(seq) FROM entry) || '-' || i, sender, text "
            "FROM n, (SELECT * FROM entry ORDER BY seq DESC LIMIT 1)",
            (more,),
        )
        log.commit()


def _pages(port: int, count: int) -> Iterator[float]:
    """How many seconds pages took that lie apart."""
    for number in range(PAGES):
        place = max(1, count * (number + 1) // (PAGES + 1))
        began = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/r/lobby/entries?before={place}", timeout=60) as answer:
            assert json.load(answer)["entries"] or place < 3
        yield time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="little of everything, to see that it runs")
    parser.add_argument("--only", action="append", default=[], choices=QUESTIONS, help="this question")
    parser.add_argument("--draw", action="store_true", help="put the charts into bench/charts/")
    options = parser.parse_args()
    for name in options.only or QUESTIONS:
        question = QUESTIONS[name]
        lines = question.ask(options.small)
        picture = draw(question.chart, lines)
        if options.draw:
            CHARTS.mkdir(exist_ok=True)
            (CHARTS / f"{name}.svg").write_text(picture, encoding="utf-8")
        places = [x for x, _y in next(iter(lines.values()))]
        rows = [[line, *(f"{y:,.2f}" for _x, y in points)] for line, points in lines.items()]
        head = [f"{question.chart.title}, {question.chart.up}", *(f"{x:,.0f}" for x in places)]
        print("\n" + stand.table(head, rows))


if __name__ == "__main__":
    main()
