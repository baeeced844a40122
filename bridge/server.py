"""The composition root: build the house from its settings, open it, drain it, close it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

from aiohttp import web

from bridge import __version__
from bridge.certificate import Certificate, own
from bridge.config import EVERYWHERE, Config, ConfigError
from bridge.darkroom import Darkroom
from bridge.descriptors import for_connections
from bridge.discovery import Announcement, Whereabouts, called_at, host_name
from bridge.front_door import FrontDoor, Serve
from bridge.keeper import Keep, Keeper
from bridge.model import StoreError, address
from bridge.policy import Callers, Guesses, Kept, Limits, Native, Numbers, Policy, Tokens, Zones
from bridge.policy.kept import KEPT_FILE
from bridge.policy.knocks import Knocks
from bridge.policy.zones import networks
from bridge.porch import Porch
from bridge.quota import Quota
from bridge.reach import Reach, is_public, reachable
from bridge.rooms import Rooms
from bridge.sockets import Pair, bind, bind_everywhere
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


class Server:
    """`async with Server(config) as server:` serves until the block is left. `url` and `address` have the real port."""

    def __init__(self, config: Config, on_failure: Callable[[], object] = lambda: None) -> None:
        self.config = config
        self._on_failure = on_failure
        self.failed = False
        """Whether the disk failed: close, and end the process without touching the disk once more."""
        self._stack = AsyncExitStack()
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
        self.policy = policy = _policy(config)
        self.certificate = _certificate(config)
        bound = _bind(config)
        for pair in bound:
            stack.callback(pair.close)
        self.reach = reachable() if config.everywhere else []
        _check_exposure(config, bound, self.reach)
        best = (self.reach[0].ip if self.reach else "127.0.0.1") if config.everywhere else config.host
        self.address = best, bound[0].port
        self.url = f"http://{address(self.address)}/"

        space = Space(config.data, None if config.reserve_bytes < 0 else config.reserve_bytes, config.ballast_bytes)
        files = DiskFiles(config.data, space.claim)
        stack.push_async_callback(files.close)  # after the log, which may still refuse a file that is then removed
        darkroom = Darkroom(files, DiskThumbnails(config.data, files))
        stack.push_async_callback(darkroom.close)
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

        kept = Kept(config.data / KEPT_FILE)
        knocks = Knocks(rooms.tell_hosts, kept)
        porch = Porch(policy, kept, knocks, tally)
        browsers = BrowserTransport(rooms, policy.limits, caller_of, is_host, knocks)
        app = web.Application(client_max_size=0)
        pages = PageHandlers(rooms, lobby.name, web_folder(), config.max_file_bytes)
        door = Door(policy, tally, pages.render)
        guard = Guard(_names(config), policy, door, tally)
        guard.protect(app)
        Lock(rooms, lobby.name).protect(app)
        events = EventHandlers(rooms)
        drops: list[Callable[[], int]] = []
        handlers = (
            browsers,
            door,
            pages,
            MessageHandlers(rooms, log, lobby.name, Forms(files, quota)),
            SearchHandlers(log),
            RuleHandlers(rooms),
            events,
            tus := TusHandlers(rooms, log, uploads),  # before the files, which take any path
            FileHandlers(rooms, log, files, lobby.name, quota),
            ThumbnailHandlers(log, files, darkroom),
            ArchiveHandlers(log, files),
            WithdrawalHandlers(rooms, log),
            MetricHandlers(
                rooms, lambda: front.keeper.inside, lambda: log.waiting, lambda: sum(ask() for ask in drops)
            ),
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

        line = LineTransport(rooms, lobby.name, porch)
        upload = UploadTransport(rooms, files, uploads, lobby.name, quota, porch)
        streams: dict[Language, Serve] = {Language.LINE: line.serve, Language.UPLOAD: upload.serve}
        most = for_connections(config.max_connections)
        tls = self.certificate.context if self.certificate else None
        front = FrontDoor(
            lambda: Connection(http, guard), streams, most, tally, policy.limits, tls, policy.may_speak_plainly
        )
        stack.push_async_callback(front.empty, DRAIN_S)
        stack.callback(front.shut)
        listed = config.on_network and not config.unlisted
        where = Whereabouts("https" if config.tls == "require" else "http", lobby.name).answer if listed else None
        for pair in bound:
            datagrams = DatagramTransport(rooms, lobby, pair.udp, tally, porch, where)
            drops.append(datagrams.kernel_drops)
            stack.callback(datagrams.close)
            front.listen(pair.tcp)
        keeper.start()
        stack.push_async_callback(keeper.close)
        if listed and (addresses := called_at(pair.ip for pair in bound)):
            announcement = Announcement(self.address[1], addresses, self._told(policy))
            announcement.start()
            stack.push_async_callback(announcement.close)

    def _told(self, policy: Policy) -> dict[str, str]:
        """What the network may know: how to come in, and nothing by which."""
        token = "no" if policy.tokens.member is None else "yes"
        told = {"path": "/", "version": __version__, "tls": self.config.tls, "token": token}
        return told | ({"fp": self.certificate.fingerprint} if self.certificate else {})

    def _fail(self, fault: StoreError) -> None:
        logger.critical("the disk has failed, so nothing more is stored and the server ends: %s", fault)
        self.failed = True
        self._on_failure()


def _policy(config: Config) -> Policy:
    try:
        tokens = Tokens.load(config.data, config.token_path())
    except (ValueError, OSError) as exc:
        raise ConfigError(f"the token cannot be used: {exc}") from exc
    zones = Zones(networks(config.trust))
    callers = Callers(zones, networks(config.proxy))
    numbers = Numbers(
        config.messages_per_s,
        config.messages_burst,
        config.connections_per_address,
        config.connects_per_s,
        config.connects_burst,
        config.uploads_per_address,
    )
    return Policy(
        zones,
        tokens,
        Native(config.native),
        guard_loopback=config.token,
        open=config.open,
        callers=callers,
        guesses=Guesses(zones, config.wrong_tokens, config.wrong_minutes * 60.0, config.shut_hours * 3600.0),
        limits=Limits(zones, numbers, callers.is_proxy),
        tls_required=config.tls == "require",
    )


def _certificate(config: Config) -> Certificate | None:
    if config.tls == "off":
        return None
    try:
        cert = Path(config.cert) if config.cert else own(config.data, config.allow_host)
        return Certificate(cert, Path(config.key) if config.key else None)
    except (ValueError, OSError) as exc:
        raise ConfigError(f"the certificate cannot be used: {exc}") from exc


def _names(config: Config) -> list[str]:
    """By which names browsers may call us, beside loopback's and the address that they reached.

    A server for this machine alone is not called by the machine's name: whoever answers for that on the network could
    point it at loopback, under a page of his own.
    """
    names = [*config.allow_host, *(host for host, _port in config.addresses() if host not in EVERYWHERE)]
    if config.on_network:
        name = socket.gethostname()
        names += [name, f"{name.partition('.')[0]}.local", host_name()]
    return names


def _bind(config: Config) -> list[Pair]:
    """Sockets for every address, the main one first."""
    bound: list[Pair] = []
    try:
        if config.everywhere:
            bound += bind_everywhere(config.port)
        for host, port in list(config.addresses())[2 if config.everywhere else 0 :]:
            bound.append(bind(host, port))
    except OSError as exc:
        for pair in bound:
            pair.close()
        raise ConfigError(exc.strerror) from exc
    return bound


def _check_exposure(config: Config, bound: list[Pair], reach: list[Reach]) -> None:
    """Nobody opens a room to the whole Internet without having said so."""
    if not config.open or config.insecure_public:
        return
    # Behind most routers IPv6 addresses are global too, and yet nobody outside reaches them, so only named ones count.
    for ip in (*(pair.ip for pair in bound), *(one.ip for one in reach if ":" not in one.ip)):
        if is_public(ip):
            message = f"{ip} is a public address, and with --open whoever finds it is in: leave --open out"
            raise ConfigError(f"{message}, or add --insecure-public if that is what you want")


def web_folder() -> Path:
    """Where `static/` and `templates/` are: in the wheel beside this file, in a checkout at its top."""
    inside = Path(__file__).parent / "_web"
    return inside if inside.is_dir() else Path(__file__).parent.parent
