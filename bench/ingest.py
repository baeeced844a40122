"""A file in: raw TCP, hashed and synced, beside socat, nginx, copyparty and the loop that tutorials teach.

Each takes the same file, one after the other, round by round; the clock runs from the connection to the moment the
server says, or shows by closing, that it has all. Of the servers ours alone syncs and announces what it took. What a
core can do at best for that promise, `ingest.c` shows; what our way in costs without it, `peers/promiseless.py`.
`python bench/ingest.py [--small]`
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import stand
from stand import Missing, Running

CHUNK = os.urandom(1 << 20)


def _send(connection: socket.socket, mebibytes: int) -> None:
    for _ in range(mebibytes):
        connection.sendall(CHUNK)


def _to_end(connection: socket.socket) -> bytes:
    said = b""
    while data := connection.recv(65536):
        said += data
    return said


def raw(port: int, mebibytes: int) -> None:
    """As any sender of raw files, which asks for the receipt."""
    header = {"file_name": "bench", "file_size": mebibytes << 20, "reply": True}
    with socket.create_connection(("127.0.0.1", port)) as connection:
        described = json.dumps(header).encode()
        connection.sendall(struct.pack("<i", len(described)) + described)
        _send(connection, mebibytes)
        receipt = connection.makefile("rb").readline()
        if b"sha256" not in receipt:
            raise SystemExit(f"the file was not taken: {receipt!r}")


def _header_and_bytes(port: int, mebibytes: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        described = json.dumps({"file_name": "bench", "file_size": mebibytes << 20}).encode()
        connection.sendall(struct.pack("i", len(described)) + described)
        _send(connection, mebibytes)
        _to_end(connection)


def put(port: int, mebibytes: int) -> bytes:
    """By HTTP; the answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"PUT /bench HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            % (mebibytes << 20)
        )
        _send(connection, mebibytes)
        answer = _to_end(connection)
        if not answer.startswith((b"HTTP/1.1 201", b"HTTP/1.1 204")):
            raise SystemExit(f"the file was not taken: {answer[:900]!r}")
        return answer


def _bytes(port: int, mebibytes: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        _send(connection, mebibytes)
        connection.shutdown(socket.SHUT_WR)
        _to_end(connection)


@contextmanager
def _tutorial() -> Iterator[Running]:
    port = stand.free_port()
    with (
        stand.scratch() as folder,
        stand.serving((sys.executable, stand.PEERS / "tutorial.py", str(port), folder), port) as running,
    ):
        yield running


@contextmanager
def _socat() -> Iterator[Running]:
    port = stand.free_port()
    with (
        stand.scratch() as folder,
        stand.serving(
            (stand.program("socat"), "-u", "-b1048576", f"TCP-LISTEN:{port},reuseaddr", f"CREATE:{folder}/socat"), port
        ) as running,
    ):
        yield running


@contextmanager
def _promiseless() -> Iterator[Running]:
    with stand.roombridge(command=(stand.PEERS / "promiseless.py",)) as running:
        yield running


@contextmanager
def _limit() -> Iterator[Running]:
    port, program = stand.free_port(), stand.compiled("ingest.c", "-lcrypto")
    with stand.scratch() as folder, stand.serving((program, str(port), folder / "limit", "1048576"), port) as running:
        yield running


@contextmanager
def _copyparty() -> Iterator[Running]:
    port = stand.free_port()
    program = stand.program("copyparty", stand.PEERS / ".venv" / "bin" / "copyparty")
    with stand.scratch() as folder:
        (taken := folder / "taken").mkdir()
        command = (program, "-q", "--http-only", "-i", "127.0.0.1", "-p", str(port), "-v", f"{taken}::rw")
        settled = {**os.environ, "XDG_CONFIG_HOME": str(folder)}  # it keeps salts and sessions there
        with stand.serving(command, port, env=settled) as running:
            yield running


@contextmanager
def nginx() -> Iterator[Running]:
    port = stand.free_port()
    nginx = stand.program("nginx", stand.SBIN / "nginx")
    with stand.scratch() as folder:
        folder.chmod(0o777)  # started as root, it takes files as nobody
        settings = (stand.PEERS / "nginx.conf").read_text().replace("DIR", str(folder)).replace("PORT", str(port))
        (folder / "nginx.conf").write_text(settings)
        with stand.serving((nginx, "-c", folder / "nginx.conf", "-p", folder), port) as running:
            yield running


SERVERS: dict[str, tuple[Callable[..., object], Callable[[int, int], object]]] = {
    "roombridge": (stand.roombridge, raw),
    "roombridge, HTTP": (stand.roombridge, put),
    "C, hashed and synced": (_limit, _bytes),
    "nginx dav": (nginx, put),
    "copyparty": (_copyparty, put),
    "the tutorial's loop": (_tutorial, _header_and_bytes),
    "roombridge, neither": (_promiseless, raw),
    "socat -b1M": (_socat, _bytes),
}


def at_hand(mebibytes: int) -> None:
    """Have the kernel hold memory for a file: what it has not used for a while, a virtual machine's host takes back,
    and whoever is first to want it again would pay for that."""
    with stand.scratch() as folder, (folder / "memory").open("wb") as out:
        for _ in range(mebibytes):
            out.write(CHUNK)


def run(name: str, mebibytes: int) -> dict[str, float]:
    start, send = SERVERS[name]
    with start() as running:  # type: ignore[attr-defined]
        at_hand(mebibytes)
        cpu, began = running.cpu_s(), time.perf_counter()
        send(running.port, mebibytes)
        seconds = time.perf_counter() - began
        used = running.cpu_s() - cpu
    return {"rate": mebibytes / seconds, "cpu_per_gib": used / mebibytes * 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one MiB, to see that it runs")
    parser.add_argument("--mebibytes", type=int, default=1024)
    options = parser.parse_args()
    stand.core(stand.LOAD_CORE)()
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(1 if options.small else 3):
        for name in SERVERS:
            try:
                runs.setdefault(name, []).append(run(name, 1 if options.small else options.mebibytes))
            except Missing as missing:
                print(missing, file=sys.stderr)
    found = {name: stand.median(each) for name, each in runs.items() if each}
    ours = found["roombridge"]["rate"]
    rows = [
        [name, f"{one['rate']:,.0f}", f"{ours / one['rate']:.2f}", f"{one['cpu_per_gib']:.2f}"]
        for name, one in found.items()
    ]
    print(stand.table(["a file in", "MiB/s", "ours is", "CPU-s per GiB"], rows))


if __name__ == "__main__":
    main()
