"""The composition root: build the house from its settings, open it, drain it, close it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

from aiohttp import web

from bridge.certificate import Certificate
from bridge.config import Config
from bridge.darkroom import Darkroom
from bridge.descriptors import for_connections
from bridge.discovery import Announcement, Whereabouts, called_at
from bridge.front_door import FrontDoor, Serve
from bridge.keeper import Keep, Keeper
from bridge.model import StoreError, address
from bridge.policy import Kept, Policy
from bridge.policy.kept import KEPT_FILE
from bridge.policy.knocks import Knocks
from bridge.porch import Porch
from bridge.premises import bind_all, certificate_of, check_exposure, names_of, policy_of, told_of
from bridge.quota import Quota
from bridge.reach import Reach, reachable
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.sockets import Pair
from bridge.store.files import DiskFiles
from bridge.store.folder import claimed
from bridge.store.space import Space
from bridge.store.sqlite import SqliteLog
from bridge.store.thumbnails import DiskThumbnails
from bridge.store.unfinished import DiskUnfinished
from bridge.tally import Tally
from bridge.transports.browser import BrowserTransport
from bridge.transports.datagram import DatagramTransport
from bridge.transports.line import LineTransport
from bridge.transports.upload import UploadTransport
from bridge.transports.web import (
    ArchiveHandlers,
    Connection,
    Door,
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
    ThumbnailHandlers,
    TusHandlers,
    WithdrawalHandlers,
    caller_of,
    hold,
    is_host,
)
from bridge.uploads import Uploads
from bridge.wire.sniff import Language

logger = logging.getLogger("roombridge.server")

DRAIN_S: Final = 2.0
"""How long each floor may take to end what it does; all together stay below the 10 s that are promised."""


class _Kept(NamedTuple):
    """What is kept, who looks after it, and the rooms that are made of it."""

    log: SqliteLog
    files: DiskFiles
    darkroom: Darkroom
    rooms: Rooms
    lobby: Room
    quota: Quota
    uploads: Uploads
    keeper: Keeper


class Server:
    """`async with Server(config) as server:` serves until the block is left. `url` and `address` have the real port."""

    def __init__(self, config: Config, on_failure: Callable[[], object] = lambda: None) -> None:
        self.config = config
        self._on_failure = on_failure
        self.failed = False
        """Whether the disk failed: close, and end the process without touching the disk once more."""
        self._stack = AsyncExitStack()
        self._tally = Tally()
        self._front: FrontDoor
        self._datagrams: list[DatagramTransport] = []
        self.certificate: Certificate | None = None
        self.url = ""
        self.address = ("", 0)
        self.policy: Policy
        self.reach: list[Reach] = []
        """Where others find a server that serves everywhere, the best first."""

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
        config = self.config
        stack.enter_context(claimed(config.data))
        self.policy = policy_of(config)
        self.certificate = certificate_of(config)
        bound = self._bind(stack)
        kept = await self._open_store(stack)
        admitted = Kept(config.data / KEPT_FILE)
        knocks = Knocks(kept.rooms.tell_hosts, admitted)
        http = await self._open_web(stack, kept, knocks)
        self._open_doors(stack, kept, http, Porch(self.policy, admitted, knocks, self._tally), bound)
        kept.keeper.start()
        stack.push_async_callback(kept.keeper.close)
        if self._listed and (addresses := called_at(pair.ip for pair in bound)):
            announcement = Announcement(self.address[1], addresses, told_of(config, self.policy, self.certificate))
            announcement.start()
            stack.push_async_callback(announcement.close)

    def _bind(self, stack: AsyncExitStack) -> list[Pair]:
        """Take the addresses, and find out what we are called there."""
        config = self.config
        bound = bind_all(config)
        for pair in bound:
            stack.callback(pair.close)
        self.reach = reachable() if config.everywhere else []
        check_exposure(config, bound, self.reach)
        best = (self.reach[0].ip if self.reach else "127.0.0.1") if config.everywhere else config.host
        self.address = best, bound[0].port
        self.url = f"http://{address(self.address)}/"
        return bound

    async def _open_store(self, stack: AsyncExitStack) -> _Kept:
        config = self.config
        space = Space(config.data, None if config.reserve_bytes < 0 else config.reserve_bytes, config.ballast_bytes)
        files = DiskFiles(config.data, space.claim)
        stack.push_async_callback(files.close)  # after the log, which may still refuse a file that is then removed
        darkroom = Darkroom(files, DiskThumbnails(config.data, files))
        stack.push_async_callback(darkroom.close)
        log = SqliteLog(config.data / "log.sqlite3", relieve=space.relieve)
        stack.push_async_callback(log.close)
        log.on_commit = self._tally.committed
        log.on_failure = self._fail
        log.on_gone = files.let_go
        log.on_same = files.share
        rooms = Rooms(log, self._tally)
        keep = Keep(config.keep_days, config.keep_bytes, config.keep_files_days, config.keep_files_bytes)
        keeper = Keeper(log, files, keep, also=space.refit)
        lobby = await rooms.get(config.room)
        quota = Quota(log, config.max_file_bytes, config.max_sender_bytes, config.max_store_bytes)
        uploads = Uploads(rooms, files, DiskUnfinished(files), quota, config.unfinished_hours * 3600.0)
        await uploads.open(log.file)
        stack.push_async_callback(uploads.close)
        return _Kept(log, files, darkroom, rooms, lobby, quota, uploads, keeper)

    async def _open_web(self, stack: AsyncExitStack, kept: _Kept, knocks: Knocks) -> Callable[[], Connection]:
        """All of HTTP; the answer makes a protocol for each of its connections."""
        log, files, rooms, lobby, quota = kept.log, kept.files, kept.rooms, kept.lobby.name, kept.quota
        browsers = BrowserTransport(rooms, self.policy.limits, caller_of, is_host, knocks)
        pages = PageHandlers(rooms, lobby, web_folder(), self.config.max_file_bytes)
        door = Door(self.policy, self._tally, pages.render)
        events = EventHandlers(rooms)
        tus = TusHandlers(rooms, log, kept.uploads)
        app = web.Application(client_max_size=0)
        guard = Guard(names_of(self.config), self.policy, door, self._tally)
        guard.protect(app)
        Lock(rooms, lobby).protect(app)
        app.on_response_prepare.append(tus.sign)
        for handler in (
            browsers,
            door,
            pages,
            MessageHandlers(rooms, log, lobby, Forms(files, quota)),
            SearchHandlers(log),
            RuleHandlers(rooms),
            events,
            tus,  # before the files, which take any path
            FileHandlers(rooms, log, files, lobby, quota),
            ThumbnailHandlers(log, files, kept.darkroom),
            ArchiveHandlers(log, files),
            WithdrawalHandlers(rooms, log),
            MetricHandlers(rooms, self._inside, lambda: log.waiting, self._dropped),
            OpenApiHandlers(),
        ):
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
        return lambda: Connection(http, guard)

    def _open_doors(
        self, stack: AsyncExitStack, kept: _Kept, http: Callable[[], Connection], porch: Porch, bound: list[Pair]
    ) -> None:
        config, policy, rooms, lobby = self.config, self.policy, kept.rooms, kept.lobby
        line = LineTransport(rooms, lobby.name, porch)
        upload = UploadTransport(rooms, kept.files, kept.uploads, lobby.name, kept.quota, porch)
        streams: dict[Language, Serve] = {Language.LINE: line.serve, Language.UPLOAD: upload.serve}
        most = for_connections(config.max_connections)
        tls = self.certificate.context if self.certificate else None
        self._front = FrontDoor(http, streams, most, self._tally, policy.limits, tls, policy.may_speak_plainly)
        stack.push_async_callback(self._front.empty, DRAIN_S)
        stack.callback(self._front.shut)
        scheme = "https" if config.tls == "require" else "http"
        where = Whereabouts(scheme, lobby.name).answer if self._listed else None
        for pair in bound:
            datagrams = DatagramTransport(rooms, lobby, pair.udp, self._tally, porch, where)
            stack.callback(datagrams.close)
            self._datagrams.append(datagrams)
            self._front.listen(pair.tcp)

    @property
    def _listed(self) -> bool:
        """Whether the network is told that we are here."""
        return self.config.on_network and not self.config.unlisted

    def _inside(self) -> int:
        return self._front.keeper.inside

    def _dropped(self) -> int:
        return sum(datagrams.kernel_drops() for datagrams in self._datagrams)

    def _fail(self, fault: StoreError) -> None:
        logger.critical("the disk has failed, so nothing more is stored and the server ends: %s", fault)
        self.failed = True
        self._on_failure()


def web_folder() -> Path:
    """Where `static/` and `templates/` are: in the wheel beside this file, in a checkout at its top."""
    inside = Path(__file__).parent / "_web"
    return inside if inside.is_dir() else Path(__file__).parent.parent
