"""Small files a second: raw TCP, each synced and announced, by one sender and by many at once.

`python -m bench.small_files`; bounded by `--count`, on a server of its own in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import struct
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support import observe
from tests.support.process import Running


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1000, help="files altogether, in each row")
    options.add_argument("--sizes", type=int, nargs="+", default=[4096, 65_536, 131_072])
    options.add_argument("--senders", type=int, nargs="+", default=[1, 4, 16])
    options.add_argument("--folder", type=Path, help="where the data is kept meanwhile; it decides what a sync costs")
    asked = options.parse_args()
    print(f"{'bytes':>8} {'senders':>8} {'files/s':>8} {'MiB/s':>8} {'server CPU ms/file':>20}")
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        running = Running(Path(folder) / "data")
        try:
            for size in asked.sizes:
                for senders in asked.senders:
                    row(running, size, senders, asked.count)
        finally:
            running.stop()


def row(running: Running, size: int, senders: int, count: int) -> None:
    each = count // senders
    started, used = time.monotonic(), observe.cpu_s(running.process.pid)
    with ThreadPoolExecutor(senders) as pool:
        list(pool.map(lambda _: push(running.address, size, each), range(senders)))
    took, used = time.monotonic() - started, observe.cpu_s(running.process.pid) - used
    done = each * senders
    print(f"{size:8} {senders:8} {done / took:8.0f} {done * size / took / 2**20:8.1f} {1000 * used / done:20.2f}")


def push(address: tuple[str, int], size: int, count: int) -> None:
    """One connection: file after file, and a reply to the last, which comes when all before it are done."""
    with socket.create_connection(address) as connection:
        for number in range(count):
            last = number == count - 1
            content = os.urandom(16).ljust(size, b"x")  # no two are the same
            header = json.dumps({"file_name": f"{number}.bin", "file_size": size, "reply": last}).encode()
            connection.sendall(struct.pack("<i", len(header)) + header + content)
        if b"seq" not in connection.makefile("rb").readline():
            raise SystemExit("a file was refused")


if __name__ == "__main__":
    main()
