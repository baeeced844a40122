"""What every test stands on: servers on free ports in folders of their own, and no fault that goes unheard."""

from __future__ import annotations

import gc
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from bridge.config import Config
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.server import Server
from bridge.store.sqlite import SqliteLog
from tests.support import hosts
from tests.support.peers import JOINED
from tests.support.process import Running

# A test's folder is thrown away: it needs no ballast, and a developer's disk may be as full as it likes.
SPACE = {"reserve_bytes": 0, "ballast_bytes": 0}
for name, value in SPACE.items():
    os.environ.setdefault(f"ROOMBRIDGE_{name.upper()}", str(value))


def pytest_collection_finish() -> None:
    """What was made until here stays: every test ends with a collection, which need not look through it again."""
    gc.collect()
    gc.freeze()


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def faults_are_heard() -> Iterator[list[logging.LogRecord]]:
    """Fails a test in whose wake an exception went unretrieved or a fault of ours was logged.

    A test that provokes one takes this fixture and clears the list after looking at it.
    """
    handler = _Heard()
    for name in ("asyncio", "aiohttp", "roombridge"):
        logging.getLogger(name).addHandler(handler)
    yield handler.records
    gc.collect()  # an exception that nobody retrieved is told of when its future is collected
    for name in ("asyncio", "aiohttp", "roombridge"):
        logging.getLogger(name).removeHandler(handler)
    assert not handler.records, [record.getMessage() for record in handler.records]


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """`server = await serve(room="lab")`: a server in this event loop, on a free port."""
    async with AsyncExitStack() as stack:

        async def start(**settings: object) -> Server:
            usual = {**SPACE, "port": 0, "data": tmp_path / "data", "unlisted": True}
            return await stack.enter_async_context(Server(Config(**{**usual, **settings})))

        yield start


@pytest.fixture
async def server(serve: Callable[..., Awaitable[Server]]) -> Server:
    """A default server in this event loop."""
    return await serve()


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    """A log without a server."""
    log = SqliteLog(tmp_path / "log.sqlite3")
    yield log
    await log.close()


@pytest.fixture
async def room(log: SqliteLog) -> AsyncIterator[Room]:
    """One that it has, without a transport."""
    rooms = Rooms(log)
    room = await rooms.get("lobby")
    yield room
    room.rooms = rooms  # type: ignore[attr-defined] # announces as long as it lives


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:  # crowds are welcome
        yield session
        for browser in JOINED.get(session, ()):
            browser.drop()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`running = run("--room", "lab")`: a server in a process of its own."""
    started: list[Running] = []

    def start(*options: str, data: Path | None = None, **more: object) -> Running:
        started.append(Running(data or tmp_path / "data", *options, **more))
        return started[-1]

    yield start
    for running in started:
        running.close()
    for running in started:
        assert " ERROR " not in running.stderr, running.stderr
        assert "Traceback" not in running.stderr, running.stderr


@pytest.fixture
def running(run: Callable[..., Running]) -> Running:
    """A default server in a process of its own."""
    return run()


@pytest.fixture
def net() -> Iterator[hosts.Net]:
    """`net.house` for a server, `net.host()` for each other host; skipped where no namespaces can be made."""
    net = hosts.net()
    yield net
    net.close()


@pytest.fixture
def free_port() -> int:
    """A port that TCP and UDP could both have on any loopback address a moment ago."""
    for _ in range(20):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]
    raise AssertionError("no port is free for both")
