"""The composition root: build the house from its settings, open it, drain it, close it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

from aiohttp import web
from filelock import FileLock, Timeout

from bridge.config import Config, ConfigError
from bridge.front_door import FrontDoor
from bridge.model import address
from bridge.rooms import Rooms
from bridge.store.files import DiskFiles
from bridge.store.sqlite import SqliteLog
from bridge.tally import Tally
from bridge.transports.browser import BrowserTransport
from bridge.transports.datagram import DatagramTransport
from bridge.transports.line import LineTransport
from bridge.transports.upload import UploadTransport
from bridge.transports.web import (
    EventHandlers,
    FileHandlers,
    Guard,
    MessageHandlers,
    MetricHandlers,
    PageHandlers,
    SearchHandlers,
    hold,
    http_logger,
)
from bridge.wire.sniff import Language

logger = logging.getLogger("roombridge.server")

BACKLOG: Final = 1024
PORT_TRIES: Final = 20
"""How often a free TCP port may turn out to be taken for UDP before we give up."""
DRAIN_S: Final = 2.0
"""How long each floor may take to end what it does; all together stay below the 10 s that are promised."""
KEEPALIVE_S: Final = 30.0
HEADERS_MAX: Final = 64


class Server:
    """`async with Server(config) as server:` serves until the block is left. `url` and `address` have the real port."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stack = AsyncExitStack()
        self.url = ""
        self.address = ("", 0)

    async def __aenter__(self) -> Server:
        async with AsyncExitStack() as stack:  # whatever was opened is closed again if the rest cannot be
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        """In order of need; the stack closes it all in reverse: doors first, the log last."""
        config = self._config
        _claim(config.data, stack)
        sockets = [_bind(host, port, stack) for host, port in config.addresses()]
        self.address = config.host, sockets[0][0].getsockname()[1]
        self.url = f"http://{address(self.address)}/"

        files = DiskFiles(config.data)
        stack.push_async_callback(files.close)  # after the log, which may still refuse a file that is then removed
        log = SqliteLog(config.data / "log.sqlite3")
        stack.push_async_callback(log.close)
        rooms = Rooms(log)
        lobby = await rooms.get(config.room)

        tally = Tally()
        browsers = BrowserTransport(rooms)
        app = web.Application(client_max_size=0)
        Guard([*config.allow_host, *(host for host, _port in config.addresses())], tally).protect(app)
        events = EventHandlers(rooms)
        drops: list[Callable[[], int]] = []
        gauges: dict[str, Callable[[], int]] = {
            "seats": rooms.all_seats,
            "drafts_waiting": lambda: log.waiting,
            "datagrams_dropped_by_kernel": lambda: sum(ask() for ask in drops),
        }
        handlers = (
            browsers,
            PageHandlers(rooms, lobby.name, web_folder(), config.max_file_bytes),
            MessageHandlers(rooms, log, lobby.name),
            SearchHandlers(log),
            events,
            FileHandlers(rooms, log, files, lobby.name, config.max_file_bytes),
            MetricHandlers(tally, gauges),
        )
        for handler in handlers:
            for route in handler.routes():
                # through `register`, which answers HEAD wherever there is GET
                route.kwargs["expect_handler"] = hold
                route.register(app.router)
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=http_logger,
            keepalive_timeout=KEEPALIVE_S,
            max_headers=HEADERS_MAX,
            auto_decompress=False,
            shutdown_timeout=DRAIN_S,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(browsers.close)
        stack.callback(events.close)
        if runner.server is None:
            raise RuntimeError("aiohttp made no server")

        line = LineTransport(rooms, lobby.name)
        upload = UploadTransport(rooms, files, lobby.name, config.max_file_bytes)
        door = FrontDoor(runner.server, {Language.LINE: line.serve, Language.UPLOAD: upload.serve})
        stack.push_async_callback(door.empty, DRAIN_S)
        stack.callback(door.shut)
        for tcp, udp in sockets:
            datagrams = DatagramTransport(rooms, lobby, udp, tally)
            drops.append(datagrams.kernel_drops)
            stack.callback(datagrams.close)
            door.listen(tcp)


def _claim(folder: Path, stack: AsyncExitStack) -> None:
    """The data folder is ours alone as long as we run."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=0)
        lock.acquire()
    except Timeout:
        message = f"the data folder {folder} is in use by another roombridge (--data DIR takes another)"
        raise ConfigError(message) from None
    except OSError as exc:
        raise ConfigError(f"the data folder {folder} cannot be used: {exc}") from exc
    stack.callback(lock.release)


def _bind(host: str, port: int, stack: AsyncExitStack) -> tuple[socket.socket, socket.socket]:
    """TCP and UDP on one number. A number that was asked for and is taken is an error: we never move."""
    for chosen in _ports(host, port):
        tcp = udp = None
        try:
            tcp = _socket(host, chosen, socket.SOCK_STREAM)
            udp = _socket(host, tcp.getsockname()[1], socket.SOCK_DGRAM)
            tcp.listen(BACKLOG)
        except OSError as exc:
            for opened in (tcp, udp):
                if opened:
                    opened.close()
            if port:
                raise ConfigError(f"cannot serve on {host}:{port}: {exc.strerror} (--port N takes another)") from exc
            continue
        stack.callback(udp.close)
        stack.callback(tcp.close)
        return tcp, udp
    raise ConfigError(f"no port of {host} was free for both TCP and UDP")


def _ports(host: str, port: int) -> Iterator[int]:
    return iter([port] if port else [0] * PORT_TRIES)


def _socket(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family, _kind, _proto, _name, where = socket.getaddrinfo(host, port, type=kind)[0]
    made = socket.socket(family, kind)
    try:
        made.setblocking(False)
        if kind is socket.SOCK_STREAM and os.name == "posix":  # on Windows it would let two servers share a port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(where)
    except OSError:
        made.close()
        raise
    return made


def web_folder() -> Path:
    """Where `static/` and `templates/` are: in the wheel beside this file, in a checkout at its top."""
    inside = Path(__file__).parent / "_web"
    return inside if inside.is_dir() else Path(__file__).parent.parent
