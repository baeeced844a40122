"""A file out: HTTP, beside nginx, Python's own server, and socat, which only pours.

Each gives the same file, one after the other, round by round; the clock runs from the connection to the last byte. Then
a small file again and again over one connection, which is what a page full of pictures asks for.
`python bench/download.py [--small]`
"""

from __future__ import annotations

import argparse
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import ingest
import stand
from stand import Missing, Running

Out = Callable[[int], AbstractContextManager[tuple[Running, str]]]
"""A server that has a file of so many MiB, and the path it gives it under; a socket without HTTP has none."""
SMALL_BYTES = 4096


@contextmanager
def _ours(mebibytes: int) -> Iterator[tuple[Running, str]]:
    with stand.roombridge() as running:
        yield running, _stored(running.port, mebibytes)


@contextmanager
def _nginx(mebibytes: int) -> Iterator[tuple[Running, str]]:
    with ingest.nginx() as running:
        yield running, _stored(running.port, mebibytes)


def _stored(port: int, mebibytes: int) -> str:
    """Put there by HTTP; where it is to be had."""
    found = re.search(rb"Location: (?:http://[^/]+)?(\S+)", ingest.put(port, mebibytes))
    if not found:
        raise SystemExit("nobody says where the file is")
    return found[1].decode()


@contextmanager
def _python(mebibytes: int) -> Iterator[tuple[Running, str]]:
    port = stand.free_port()
    with stand.scratch() as folder:
        _write(folder / "bench", mebibytes)
        command = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", folder)
        with stand.serving(command, port) as running:
            yield running, "/bench"


@contextmanager
def _socat(mebibytes: int) -> Iterator[tuple[Running, str]]:
    port = stand.free_port()
    with stand.scratch() as folder:
        _write(folder / "bench", mebibytes)
        command = (stand.program("socat"), "-u", "-b1048576", f"FILE:{folder}/bench", f"TCP-LISTEN:{port},reuseaddr")
        with stand.serving(command, port) as running:
            yield running, ""


def _write(path: Path, mebibytes: int) -> None:
    with path.open("wb") as out:
        for _ in range(mebibytes):
            out.write(ingest.CHUNK)


SERVERS: dict[str, Out] = {
    "roombridge": _ours,
    "nginx": _nginx,
    "python -m http.server": _python,
    "socat -b1M": _socat,
}


def large(name: str, mebibytes: int) -> dict[str, float]:
    with SERVERS[name](mebibytes) as (running, path):
        cpu, began = running.cpu_s(), time.perf_counter()
        came = _get(running.port, path)
        seconds = time.perf_counter() - began
        used = running.cpu_s() - cpu
    if came < mebibytes << 20:
        raise SystemExit(f"{name}: {came} bytes of {mebibytes} MiB came")
    return {"rate": mebibytes / seconds, "cost": used / mebibytes * 1024}


def _get(port: int, path: str) -> int:
    """How many bytes come until the end, head and all."""
    came, into = 0, bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        if path:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        while size := connection.recv_into(into):
            came += size
    return came


def small(name: str, count: int) -> dict[str, float]:
    """A megabyte's first 4 KiB, `count` times."""
    with SERVERS[name](1) as (running, path):
        asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-{SMALL_BYTES - 1}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            answers = connection.makefile("rb")
            cpu, began = running.cpu_s(), time.perf_counter()
            for _ in range(count):
                connection.sendall(asked)
                if not answers.readline().startswith(b"HTTP/1.1 206"):
                    raise SystemExit(f"{name} gives no range")
                while answers.readline() != b"\r\n":
                    pass
                answers.read(SMALL_BYTES)
            seconds = time.perf_counter() - began
        used = running.cpu_s() - cpu
    return {"rate": count / seconds, "cost": used / count * 1000}


def rounds(names: tuple[str, ...], count: int, run: Callable[[str], dict[str, float]], head: list[str]) -> str:
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(count):
        for name in names:
            try:
                runs.setdefault(name, []).append(run(name))
            except Missing as missing:
                print(missing, file=sys.stderr)
    found = {name: stand.median(each) for name, each in runs.items() if each}
    ours = found["roombridge"]["rate"]
    return stand.table(
        head,
        [
            [name, f"{one['rate']:,.0f}", f"{ours / one['rate']:.2f}", f"{one['cost']:.2f}"]
            for name, one in found.items()
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one MiB, to see that it runs")
    parser.add_argument("--mebibytes", type=int, default=1024)
    options = parser.parse_args()
    stand.core(stand.LOAD_CORE)()
    times, mebibytes, count = (1, 1, 20) if options.small else (5, options.mebibytes, 900)  # nginx closes after 1,000
    head = ["a file out", "MiB/s", "ours is", "CPU-s per GiB"]
    print(rounds(tuple(SERVERS), times, lambda name: large(name, mebibytes), head))
    head = ["4 KiB of it, over one connection", "a second", "ours is", "CPU-ms each"]
    print("\n" + rounds(("roombridge", "nginx"), times, lambda name: small(name, count), head))


if __name__ == "__main__":
    main()
