"""One says it, a thousand hear it: deliveries per second of server CPU, beside the servers known for it.

Every server runs as a user would start it, ours with its durable log; rounds are interleaved, so that a busy minute of
the machine falls on all alike, and the medians are shown. `python bench/fanout.py [--small] [--only NAME]...`
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import stand
from stand import Missing, Running

TEXT_BYTES = 100
SETTLE_S = 0.2


class Load(NamedTuple):
    """Who says how much to how many. `rate` 0: each sender says the next when its last came back."""

    name: str
    clients: int
    senders: int
    in_flight: int = 1
    rate: int = 0
    seconds: float = 2.0
    warm_s: float = 0.7
    peers: tuple[str, ...] = ()
    """Who is measured beside us; empty: all."""
    rooms: int = 1
    """Of ours, among which the clients are shared out."""


LOADS = (
    Load("64 senders, 1,000 clients", 1000, 64),
    Load("burst of 32, 1,000 clients", 1000, 1, 32, peers=("uWebSockets.js", "NATS")),
    Load("one in flight, 1,000 clients", 1000, 1, peers=("uWebSockets.js", "NATS")),
    Load("500 messages/s, 1,000 clients", 1000, 64, rate=500, peers=("uWebSockets.js", "NATS")),
    Load("64 senders, 100 clients", 100, 64, peers=("uWebSockets.js",)),
    Load("64 senders, 5,000 clients", 5000, 64, peers=("uWebSockets.js",)),
    Load("1 message/s, 10,000 clients", 10_000, 1, rate=1, seconds=1, peers=("uWebSockets.js", "NATS")),
)
SMALL = (
    Load("8 senders, 20 clients", 20, 8, seconds=0.3, warm_s=0.1),
    Load("50 messages/s, 20 clients", 20, 4, rate=50, seconds=0.3, warm_s=0.1),
)


class Server(NamedTuple):
    kind: str
    start: Callable[[], AbstractContextManager[Running]]


@contextmanager
def _uws() -> Iterator[Running]:
    with _node("uws.js", "uwebsockets") as running:
        yield running


@contextmanager
def _ws() -> Iterator[Running]:
    with _node("ws.js", "ws") as running:
        yield running


@contextmanager
def _socketio() -> Iterator[Running]:
    with _node("socketio.js", "socket.io") as running:
        yield running


@contextmanager
def _node(script: str, package: str) -> Iterator[Running]:
    node = stand.program("node")
    if not (stand.PEERS / "node_modules" / package).is_dir():
        raise Missing(f"{package} is not installed: make peers")
    port = stand.free_port()
    with stand.serving((node, stand.PEERS / script, str(port)), port) as running:
        yield running


@contextmanager
def _nats() -> Iterator[Running]:
    port = stand.free_port()
    server = stand.program("nats-server", stand.PEERS / ".venv" / "bin" / "nats-server")
    with stand.serving((server, "-a", "127.0.0.1", "-p", str(port)), port) as running:
        yield running


@contextmanager
def _mosquitto() -> Iterator[Running]:
    port = stand.free_port()
    with stand.scratch() as folder:
        settings = folder / "mosquitto.conf"
        settings.write_text(f"listener {port} 127.0.0.1\n" + (stand.PEERS / "mosquitto.conf").read_text())
        with stand.serving((stand.program("mosquitto", stand.SBIN / "mosquitto"), "-c", settings), port) as running:
            yield running


@contextmanager
def _naive() -> Iterator[Running]:
    port = stand.free_port()
    with stand.serving((sys.executable, stand.PEERS / "naive.py", str(port)), port) as running:
        yield running


OURS = "roombridge"
SERVERS = {
    OURS: Server("room", stand.roombridge),
    "uWebSockets.js": Server("ws", _uws),
    "NATS": Server("nats", _nats),
    "mosquitto": Server("mqtt", _mosquitto),
    "socket.io": Server("sio", _socketio),
    "ws": Server("ws", _ws),
    "aiohttp, naive": Server("ws", _naive),
}


def run(server: Server, load: Load) -> dict[str, float]:
    """One server under one load: what was delivered, what it cost, and what a connection weighs."""
    with server.start() as running:
        return crowd(server.kind, running, load)


def crowd(kind: str, running: Running, load: Load) -> dict[str, float]:
    """The load against a server that runs."""
    before = running.rss_kib()
    who = (running.port, running.pid, load.clients, load.senders, load.in_flight, load.rate)
    command = [stand.compiled("load.c"), kind, *who, load.warm_s, load.seconds, TEXT_BYTES, load.rooms]
    with subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=stand.core(stand.LOAD_CORE),
    ) as process:
        said, _ = process.stdout.readline(), time.sleep(SETTLE_S)
        if said != "open\n":
            raise SystemExit(f"{load.name}: not all clients got in")
        weight = (running.rss_kib() - before) / max(load.clients, 1)
        answer, _ = process.communicate("go\n")
    if process.returncode:
        raise SystemExit(f"{load.name}: the load ended with {process.returncode}")
    found = json.loads(answer)
    return {**found, "rss_kib_each": weight, "per_cpu_s": found["deliveries"] / max(found["server_cpu"], 1e-9)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few clients for a moment, to see that it runs")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="loads whose names begin so",
    )
    parser.add_argument("--peer", action="append", default=[], metavar="NAME", help="beside these servers alone")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    wanted = tuple(options.only)
    loads = [load for load in (SMALL if options.small else LOADS) if load.name.startswith(wanted or "")]
    servers = {
        name: server for name, server in SERVERS.items() if name == OURS or not options.peer or name in options.peer
    }
    for load in loads:
        runs: dict[str, list[dict[str, float]]] = {}
        for _ in range(1 if options.small else options.rounds):
            for name, server in servers.items():
                if load.peers and name not in (OURS, *load.peers):
                    continue
                try:
                    runs.setdefault(name, []).append(run(server, load))
                except Missing as missing:
                    print(missing, file=sys.stderr)
        show(load, {name: stand.median(found) for name, found in runs.items() if found})


def show(load: Load, found: dict[str, dict[str, float]]) -> None:
    ours = found[OURS]["per_cpu_s"]
    rows = [
        [
            name,
            f"{one['per_cpu_s'] / 1000:,.0f}",
            f"{ours / max(one['per_cpu_s'], 1e-9):.2f}",
            f"{one['deliveries'] / one['seconds'] / 1000:,.0f}",
            f"{one['server_cpu'] / one['seconds']:.2f}",
            f"{one['p50_ms']:.1f}",
            f"{one['p99_ms']:.1f}",
            f"{one['lost']:.0f}",
            f"{one['rss_kib_each']:.1f}",
            f"{one['own_cpu'] / one['seconds']:.2f}",
        ]
        for name, one in found.items()
    ]
    head = [
        load.name,
        "k deliveries per CPU-s",
        "ours is",
        "k deliveries/s",
        "cores",
        "p50 ms",
        "p99 ms",
        "lost",
        "KiB each",
        "load's cores",
    ]
    print("\n" + stand.table(head, rows))


if __name__ == "__main__":
    main()
