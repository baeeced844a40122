"""What can be seen of a server from outside: its log, its folder, its share of the machine."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import socket
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.peers import PATIENCE_S

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def fetch(
    address: tuple[str, int], method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own: status, headers in lower case, body."""
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def log(address: tuple[str, int], room: str = "lobby", after: int = 0) -> list[dict[str, Any]]:
    """Every entry of a room behind `after`, page by page."""
    entries: list[dict[str, Any]] = []
    while True:
        status, _headers, body = fetch(address, "GET", f"/r/{room}/entries?after={after}&limit=500")
        assert status == 200, body
        page = json.loads(body)["entries"]
        if not page:
            return entries
        entries += page
        after = page[-1]["seq"]


def texts(address: tuple[str, int], room: str = "lobby") -> list[str | None]:
    """What each entry of a room says; a file says None."""
    return [entry.get("text") for entry in log(address, room)]


def until_said(address: tuple[str, int], expected: list[str]) -> None:
    """Wait until the default room holds so many entries, which then are these and no others."""
    until(lambda: len(log(address)) >= len(expected), f"{len(expected)} entries")
    assert texts(address) == expected


def digest(address: tuple[str, int], entry: dict[str, Any]) -> str:
    """The SHA-256 of the bytes that a file entry leads to."""
    status, _headers, body = fetch(address, "GET", entry["file"]["url"])
    assert status == 200, body
    return hashlib.sha256(body).hexdigest()


def until(true: Callable[[], Any], what: str = "", patience: float = PATIENCE_S) -> Any:
    """Ask again and again until the answer is true, and return it; for what nobody tells of."""
    deadline = time.monotonic() + patience
    while not (answer := true()):
        assert time.monotonic() < deadline, f"not within {patience} s: {what or true}"
        time.sleep(0.005)
    return answer


def files_in(data: Path) -> tuple[list[Path], list[Path]]:
    """What lies in a data folder: parts still coming in, and whole files."""
    parts = [path for path in (data / "parts").rglob("*") if path.is_file()]
    return parts, [path for path in (data / "files").rglob("*") if path.is_file()]


def inodes(paths: Iterable[Path]) -> set[int]:
    """By which the disk knows these files, those left out that are gone by now."""
    found = set()
    for path in paths:
        with suppress(FileNotFoundError):
            found.add(path.stat().st_ino)
    return found


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int) -> int:
    """Memory that a process holds just now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def all_read(port: int, sockets: Iterable[socket.socket]) -> None:
    """Wait until the server at `port` has read all that these sockets sent, or has closed them.

    Its kernel then holds nothing for it any more. A connection that it has not accepted yet counts as unread.
    """
    wanted = {connection.getsockname()[1] for connection in sockets}
    until(lambda: wanted <= _read_out(port, wanted), f"the server at {port} reads what was sent", 30)


def delivered(connection: socket.socket) -> None:
    """Wait until all that this socket sent has reached the other side's kernel, read or not."""
    queued = struct.Struct("i")
    until(lambda: queued.unpack(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(queued.size)))[0] == 0, "delivery")


_CLOSE_WAIT = "08"


def _read_out(port: int, clients: set[int]) -> set[int]:
    """Those client ports for which no kernel holds anything that the server at `port` has yet to read."""
    unread, unsent, closed = {}, {}, set(clients)
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(end.rpartition(":")[2], 16) for end in fields[1:3])
        sending, receiving = (int(count, 16) for count in fields[4].split(":"))
        if local == port and fields[9] != "0":  # an inode: accepted
            unread[remote] = receiving
        elif remote == port and local in clients:
            unsent[local] = sending
            if fields[3] != _CLOSE_WAIT:  # neither reset, which takes it off the list, nor ended by the server
                closed.discard(local)
    return closed | {client for client in clients if unread.get(client) == 0 and unsent.get(client) == 0}
