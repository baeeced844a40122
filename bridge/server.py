"""The composition root: build the house from its settings, open it, drain it, close it."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

from aiohttp import web

from bridge.config import Config, ConfigError
from bridge.descriptors import for_connections
from bridge.front_door import FrontDoor
from bridge.keeper import Keep, Keeper
from bridge.model import StoreError, address
from bridge.policy import Native, Policy, Tokens, Zones
from bridge.policy.zones import networks
from bridge.quota import Quota
from bridge.rooms import Rooms
from bridge.store.files import DiskFiles
from bridge.store.folder import claimed
from bridge.store.space import Space
from bridge.store.sqlite import SqliteLog
from bridge.store.unfinished import DiskUnfinished
from bridge.tally import Tally
from bridge.transports.browser import BrowserTransport
from bridge.transports.datagram import DatagramTransport
from bridge.transports.line import LineTransport
from bridge.transports.upload import UploadTransport
from bridge.transports.web import (
    ArchiveHandlers,
    Connection,
    EventHandlers,
    FileHandlers,
    Forms,
    Guard,
    Lock,
    MessageHandlers,
    MetricHandlers,
    OpenApiHandlers,
    PageHandlers,
    RuleHandlers,
    SearchHandlers,
    TusHandlers,
    WithdrawalHandlers,
    hold,
    is_host,
)
from bridge.uploads import Uploads
from bridge.wire.sniff import Language

logger = logging.getLogger("roombridge.server")

BACKLOG: Final = 1024
PORT_TRIES: Final = 20
"""How often a free TCP port may turn out to be taken for UDP before we give up."""
DRAIN_S: Final = 2.0
"""How long each floor may take to end what it does; all together stay below the 10 s that are promised."""


class Server:
    """`async with Server(config) as server:` serves until the block is left. `url` and `address` have the real port."""

    def __init__(self, config: Config, on_failure: Callable[[], object] = lambda: None) -> None:
        self._config = config
        self._on_failure = on_failure
        self.failed = False
        """Whether the disk failed: close, and end the process without touching the disk once more."""
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
        stack.enter_context(claimed(config.data))
        policy = _policy(config)
        sockets = [_bind(host, port, stack) for host, port in config.addresses()]
        self.address = config.host, sockets[0][0].getsockname()[1]
        self.url = f"http://{address(self.address)}/"

        space = Space(config.data, None if config.reserve_bytes < 0 else config.reserve_bytes, config.ballast_bytes)
        files = DiskFiles(config.data, space.claim)
        stack.push_async_callback(files.close)  # after the log, which may still refuse a file that is then removed
        log = SqliteLog(config.data / "log.sqlite3", relieve=space.relieve)
        stack.push_async_callback(log.close)
        tally = Tally()
        log.on_commit = tally.committed
        log.on_failure = self._fail
        log.on_gone = files.let_go
        log.on_same = files.share
        rooms = Rooms(log, tally)
        keep = Keep(config.keep_days, config.keep_bytes, config.keep_files_days, config.keep_files_bytes)
        keeper = Keeper(log, files, keep, also=space.refit)
        lobby = await rooms.get(config.room)
        kept_s = config.unfinished_hours * 3600.0
        quota = Quota(log, config.max_file_bytes, config.max_sender_bytes, config.max_store_bytes)
        uploads = Uploads(rooms, files, DiskUnfinished(files), quota, kept_s)
        await uploads.open(log.file)
        stack.push_async_callback(uploads.close)

        browsers = BrowserTransport(rooms, is_host)
        app = web.Application(client_max_size=0)
        guard = Guard([*config.allow_host, *(host for host, _port in config.addresses())], policy, tally)
        guard.protect(app)
        Lock(rooms, lobby.name).protect(app)
        events = EventHandlers(rooms)
        drops: list[Callable[[], int]] = []
        handlers = (
            browsers,
            PageHandlers(rooms, lobby.name, web_folder(), config.max_file_bytes),
            MessageHandlers(rooms, log, lobby.name, Forms(files, quota)),
            SearchHandlers(log),
            RuleHandlers(rooms),
            events,
            tus := TusHandlers(rooms, log, uploads),  # before the files, which take any path
            FileHandlers(rooms, log, files, lobby.name, quota),
            ArchiveHandlers(log, files),
            WithdrawalHandlers(rooms, log),
            MetricHandlers(rooms, lambda: door.keeper.inside, lambda: log.waiting, lambda: sum(ask() for ask in drops)),
            OpenApiHandlers(),
        )
        app.on_response_prepare.append(tus.sign)
        for handler in handlers:
            for route in handler.routes():
                # through `register`, which answers HEAD wherever there is GET
                route.kwargs["expect_handler"] = hold
                route.register(app.router)
        runner = web.AppRunner(app, shutdown_timeout=DRAIN_S)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(browsers.close)
        stack.callback(events.close)
        if (http := runner.server) is None:
            raise RuntimeError("aiohttp made no server")

        line = LineTransport(rooms, lobby.name, policy)
        upload = UploadTransport(rooms, files, uploads, lobby.name, quota, policy)
        streams = {Language.LINE: line.serve, Language.UPLOAD: upload.serve}
        most = for_connections(config.max_connections)
        door = FrontDoor(lambda: Connection(http, guard), streams, most, tally)
        stack.push_async_callback(door.empty, DRAIN_S)
        stack.callback(door.shut)
        for tcp, udp in sockets:
            datagrams = DatagramTransport(rooms, lobby, udp, tally, policy)
            drops.append(datagrams.kernel_drops)
            stack.callback(datagrams.close)
            door.listen(tcp)
        keeper.start()
        stack.push_async_callback(keeper.close)

    def _fail(self, fault: StoreError) -> None:
        logger.critical("the disk has failed, so nothing more is stored and the server ends: %s", fault)
        self.failed = True
        self._on_failure()


def _policy(config: Config) -> Policy:
    try:
        tokens = Tokens.load(config.data, config.token_path())
    except (ValueError, OSError) as exc:
        raise ConfigError(f"the token cannot be used: {exc}") from exc
    return Policy(Zones(networks(config.trust)), tokens, Native(config.native), config.token)


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
            if port or exc.errno != errno.EADDRINUSE:
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
        if family is socket.AF_INET6:  # beside IPv4 on the same number, not instead of it
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
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
