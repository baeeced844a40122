"""The stand that servers are measured on: each on its own core, the load on the other, the kernel keeps the books."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # a bench may look into the house without going through its door
PEERS = HERE / "peers"
SERVER_CORE, LOAD_CORE = 0, 1
SBIN = Path("/usr/sbin")
START_S = 20.0


class Missing(Exception):
    """A peer that is not installed; the message says what would do it."""


class Running(NamedTuple):
    """A server that takes connections."""

    pid: int
    port: int

    def rss_kib(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * resource.getpagesize() // 1024

    def cpu_s(self) -> float:
        """What all its threads have used, to 10 ms; still to be had when it has ended and nobody has asked how."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def core(number: int) -> Callable[[], None]:
    """For a child before it begins: its core, and as many descriptors as there may be."""

    def settle() -> None:
        with contextlib.suppress(OSError):  # one core is a poor stand, but it is one
            os.sched_setaffinity(0, {number})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    return settle


def kernel_drops(port: int) -> int:
    """Datagrams that the kernel dropped at a port because nobody had read it empty in time."""
    rows = [row.split() for row in Path("/proc/net/udp").read_text().splitlines()]
    return sum(int(row[-1]) for row in rows if row[1].endswith(f":{port:04X}"))


def free_port() -> int:
    """A port that nobody has just now, for TCP and UDP."""
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        return int(tcp.getsockname()[1])


@contextmanager
def serving(command: Iterable[str | Path], port: int, **more: Any) -> Iterator[Running]:
    """A server on its core, ended with the block; when it does not listen in time, its last words are the error."""
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=words,
            stderr=words,
            stdin=subprocess.DEVNULL,
            preexec_fn=core(SERVER_CORE),
            **more,
        )
        try:
            _listening(process, port, words)
            yield Running(process.pid, port)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listening(process: subprocess.Popen[bytes], port: int, words: Any) -> None:
    patience = time.monotonic() + START_S
    while time.monotonic() < patience and process.poll() is None:
        if _listens(port):
            return
        time.sleep(0.01)
    words.seek(0)
    raise SystemExit(f"{process.args!r} does not listen: {words.read().decode(errors='replace')[-2000:]}")


def _listens(port: int) -> bool:
    """Without a connection: to some servers the first one is all."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


@contextmanager
def roombridge(*options: str, command: tuple[str | Path, ...] = ("-m", "bridge")) -> Iterator[Running]:
    """Our own, as a user starts it: the log on this disk, durable."""
    with ExitStack() as stack:
        data = stack.enter_context(scratch())
        port = free_port()
        words = (sys.executable, *command, "--port", str(port), "--data", data, *options)
        yield stack.enter_context(serving(words, port, cwd=HERE.parent))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk that the project is on, not in memory: durable means something here."""
    with tempfile.TemporaryDirectory(dir=_kept()) as folder:
        yield Path(folder)


def _kept() -> Path:
    kept = HERE / ".scratch"
    kept.mkdir(exist_ok=True)
    return kept


def program(name: str, *places: Path) -> str:
    """Where a peer's program is. Raises `Missing`."""
    for place in places:
        if place.exists():
            return str(place)
    if found := shutil.which(name):
        return found
    raise Missing(f"{name} is not installed: make peers")


def compiled(source: str, *libraries: str) -> Path:
    """A C program of this folder, compiled when it is newer than what was compiled. Raises `Missing`."""
    made = _kept() / Path(source).stem
    if not made.exists() or made.stat().st_mtime < (HERE / source).stat().st_mtime:
        fresh = made.with_suffix(f".{os.getpid()}")  # two at once must not run half a program
        done = subprocess.run([program("cc"), "-O2", "-o", fresh, HERE / source, *libraries])
        if done.returncode and libraries:
            raise Missing(f"{source} wants {' '.join(libraries)} and its headers: make peers")
        done.check_returncode()
        fresh.rename(made)
    return made


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    """Field by field."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """In Markdown, so that it can be pasted as it is."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """What it was measured on, in one line."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else os.uname().machine
    versions = f"Linux {os.uname().release}, Python {sys.version.split()[0]}"
    return f"{os.cpu_count()} cores of {model}, {versions}, load {os.getloadavg()[0]:.1f}"
