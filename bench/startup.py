"""From the shell to the room: `--help`, the first line, and what a server weighs that nobody visits.

Beside the interpreter that does nothing at all. `python bench/startup.py [--small]`
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

import stand


def ends(*command: str) -> float:
    """Seconds until it has ended."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=True, cwd=stand.HERE.parent)
    return time.perf_counter() - began


def listens() -> dict[str, float]:
    """Seconds until the line that says it listens, and the resident memory then."""
    with stand.scratch() as folder:
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "bridge", "--port", "0", "--data", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=stand.HERE.parent,
        ) as process:
            line = process.stdout.readline() if process.stdout else b""
            seconds = time.perf_counter() - began
            weight = stand.Running(process.pid, 0).rss_kib()
            process.terminate()
    if not line.startswith(b"listening on "):
        raise SystemExit(f"it said {line!r}")
    return {"seconds": seconds, "rss_mib": weight / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="once each, to see that it runs")
    rounds = 1 if parser.parse_args().small else 7
    bare, help, up = [], [], []
    for _ in range(rounds):
        bare.append(ends("-c", "pass"))
        help.append(ends("-m", "bridge", "--help"))
        up.append(listens())
    found = stand.median(up)
    rows = [
        ["python -c pass", f"{statistics.median(bare) * 1000:.0f} ms", ""],
        ["roombridge --help", f"{statistics.median(help) * 1000:.0f} ms", ""],
        ["roombridge, listening", f"{found['seconds'] * 1000:.0f} ms", f"{found['rss_mib']:.0f} MiB"],
    ]
    print(stand.table(["start-up", "takes", "resident"], rows))


if __name__ == "__main__":
    main()
