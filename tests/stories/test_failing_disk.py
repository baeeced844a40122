"""A disk whose sync fails: nothing more is acknowledged, nothing is synced again, and the server ends and says why.

`strace` makes the kernel answer with EIO, from a chosen sync of a chosen file on.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.support import observe
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer
from tests.support.process import Running
from tests.support.program import done, tool, unavailable

DISK_FAILED = 3
UNSURE = "it is not known to be stored: the server's disk failed; send it again under the same key"


class BadDisk:
    """`run(command=bad.command, data=bad.data)`: from the `when`th sync on, those of `path` fail."""

    def __init__(self, folder: Path, path: str, when: int) -> None:
        self.data = folder / "data"
        self.trace = folder / "trace"
        if done(tool("strace"), "-o", self.trace, "-e", "inject=fsync:error=EIO:when=1", "true").returncode:
            unavailable("strace may not trace here")
        inject = f"inject=fsync,fdatasync:error=EIO:when={when}+"
        watch = ("-P", str(self.data / path), "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-e", inject)
        self.command = (tool("strace"), "-D", "-f", "-qq", "-o", str(self.trace), *watch)

    def syncs(self) -> list[str]:
        """How each sync of that file ended: `0`, or `EIO`."""
        return re.findall(r"\) += (?:-1 )?(0|EIO)", self.trace.read_text())


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder in which a server has been already, so that the next one begins with nothing to sync."""
    running = Running(tmp_path / "data")
    assert observe.fetch(running.address, "POST", "/", b"before")[0] == 201
    assert running.stop() == 0
    return tmp_path


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[Running], None]:
    """A server that is to be found ended, having said why."""

    def ended(running: Running) -> None:
        assert running.wait() == DISK_FAILED
        assert "the disk has failed, so nothing more is stored and the server ends" in running.stderr
        running.stderr_path.write_text("")  # which the fixture would take for a fault

    return ended


async def test_when_the_log_cannot_be_synced_nobody_is_told_that_it_was_stored(
    made: Path, run: Callable[..., Running], session: aiohttp.ClientSession, broken: Callable[[Running], None]
) -> None:
    bad = BadDisk(made, "log.sqlite3-wal", 4)
    running = await asyncio.to_thread(run, data=bad.data, command=bad.command)
    browser = await BrowserPeer.join(session, running.url, client="c", after=-1)
    watcher = await BrowserPeer.join(session, running.url, after=-1)
    acknowledged = []
    while True:
        key = f"k{len(acknowledged)}"
        await browser.say(key, f"text of {key}")
        told = await browser.until(key=key)
        if told["type"] == "error":
            break
        acknowledged.append(told)
    assert (told["code"], told["message"], told["key"]) == ("busy", UNSURE, key)
    await asyncio.to_thread(broken, running)
    assert [await watcher.entry() for _ in acknowledged] == acknowledged
    assert bad.syncs()[-2:] == ["0", "EIO"], "the failed sync was the last"

    running.command = ()
    await asyncio.to_thread(running.start)
    log = await asyncio.to_thread(observe.log, running.address)
    assert log[1 : 1 + len(acknowledged)] == acknowledged
    again = await BrowserPeer.join(session, running.url, client="c", after=-1)
    await again.say(key, f"text of {key}")
    await again.until(key=key, type="text")
    log = await asyncio.to_thread(observe.log, running.address)
    assert [entry["key"] for entry in log[1:]] == [f"k{number}" for number in range(len(acknowledged) + 1)]


def test_each_language_is_told_and_then_that_the_server_goes(
    made: Path, run: Callable[..., Running], broken: Callable[[Running], None]
) -> None:
    bad = BadDisk(made, "log.sqlite3-wal", 1)
    running = run(data=bad.data, command=bad.command)
    with LinePeer(running.address) as line, DatagramPeer(running.address) as datagrams:
        datagrams.say("")
        assert datagrams.read().startswith("* welcome")
        line.say("lost?")
        assert line.read().startswith("* welcome")
        assert line.read() == f"* {UNSURE}"
        assert line.read() == "* bye: the server is shutting down"
        assert datagrams.read() == "* bye: the server is shutting down\n"
        broken(running)
    assert bad.syncs() == ["EIO"]


def test_http_is_told_by_500_and_a_file_whose_entry_is_in_doubt_keeps_its_bytes(
    made: Path, run: Callable[..., Running], broken: Callable[[Running], None]
) -> None:
    bad = BadDisk(made, "log.sqlite3-wal", 1)
    running = run(data=bad.data, command=bad.command)
    status, _headers, body = observe.fetch(running.address, "PUT", "/a.bin", b"bytes", X_Client="c", X_Key="k")
    assert (status, body.decode()) == (500, f"busy: {UNSURE}\n")
    broken(running)
    running.command = ()
    running.start()
    headers = {"X-Client": "c", "X-Key": "k", "Accept": "application/json"}
    entry = json.loads(observe.fetch(running.address, "PUT", "/a.bin", b"bytes", **headers)[2])
    assert [one["key"] for one in observe.log(running.address)][1:] == ["k"]
    assert observe.fetch(running.address, "GET", entry["file"]["url"])[2] == b"bytes"
    assert running.stop() == 0
    running.start()
    observe.until(lambda: len(observe.files_in(running.data)[1]) == 1, "no bytes without an entry")


def test_a_checkpoint_that_cannot_be_synced_is_no_different(
    made: Path, run: Callable[..., Running], broken: Callable[[Running], None]
) -> None:
    """Here all that was acknowledged is in the write-ahead log, which must not be let go."""
    bad = BadDisk(made, "log.sqlite3", 1)
    running = run(data=bad.data, command=bad.command)
    acknowledged = 0
    while running.process.poll() is None and acknowledged < 2000:
        try:
            status = observe.fetch(running.address, "POST", "/", b"x" * 12_000)[0]
        except OSError:
            break
        acknowledged += status == 201
    broken(running)
    assert bad.syncs() == ["EIO"]
    running.command = ()
    running.start()
    assert len(observe.log(running.address)) >= 1 + acknowledged > 100


def test_a_file_that_cannot_be_synced_fails_alone(made: Path, run: Callable[..., Running]) -> None:
    bad = BadDisk(made, "files", 1)  # the folder, after the renaming
    running = run(data=bad.data, command=bad.command)
    status, _headers, body = observe.fetch(running.address, "PUT", "/a.bin", b"bytes")
    assert (status, body) == (500, b"busy: the server could not do it; its log says more\n")
    assert observe.files_in(running.data) == ([], [])
    assert observe.fetch(running.address, "POST", "/", b"chat goes on")[0] == 201
    assert "Input/output error" in running.stderr
    assert running.stop() == 0
    running.stderr_path.write_text("")
