"""One TCP port, many languages: listen, hold the opening bytes, sniff, hand over.

Every connection begins as an `Opening`, which holds what came until the sniffer knows the language, then replays it to
the protocol of that language and is gone. Nothing is ever written before that, and silence is never classified: a
browser opens connections ahead of need. Handing over is `transport.set_protocol`, so it is the same inside TLS: there
an `Opening` asks the same question again. While the house is full, whoever comes waits in the kernel's backlog until
somebody leaves.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from bridge.doorkeeper import Connection, Doorkeeper
from bridge.inlet import Inlet
from bridge.model import address
from bridge.outlet import cut
from bridge.policy import Limits
from bridge.tally import Tally
from bridge.tls import Tls
from bridge.wire import line
from bridge.wire.sniff import Language, settled_by_waiting, sniff

logger = logging.getLogger("roombridge.door")

SETTLE_S: Final = 1.0
"""How long 1 to 3 bytes that end a line wait for a fourth."""
OPENING_S: Final = 10.0
"""How long a begun opening may stay undecided."""
LINGER_S: Final = 60.0
"""How long the last words to a peer may wait to be read."""
TLS_IS_ASKED_FOR: Final = "this server asks for TLS: ncat --ssl HOST PORT"
STREAM_BUFFER_BYTES: Final = 256 * 1024
ACCEPT_BATCH: Final = 64
ACCEPT_PAUSE_S: Final = 0.1
"""When no descriptor is left, how long until the next try; the backlog waits."""
COMPLAINT_S: Final = 60.0
"""That nobody can come in is said at most so often."""
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Serve = Callable[[Any, asyncio.StreamWriter], Awaitable[None]]
"""A language spoken over streams, files over an `Inlet`: returns when the connection is over."""


Context = Callable[[], ssl.SSLContext]


class FrontDoor:
    """Listens on any number of sockets; `streams` and `http` say who speaks which language.

    `tls` is asked for each handshake; None: TLS is not offered. `may_speak_plainly` is asked by IP address.
    """

    def __init__(
        self,
        http: Callable[[], asyncio.Protocol],
        streams: Mapping[Language, Serve],
        most: int,
        tally: Tally,
        limits: Limits,
        tls: Context | None = None,
        may_speak_plainly: Callable[[str], bool] = lambda ip: True,
    ) -> None:
        self.keeper = Doorkeeper(most, self._listen, tally, limits)
        self._http = http
        self._streams = streams
        self._tls = tls
        self._may_speak_plainly = may_speak_plainly
        self._loop = asyncio.get_running_loop()
        self._listeners: list[socket.socket] = []
        self._openings: set[Opening | Tls] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._complained_at = -COMPLAINT_S

    def listen(self, listener: socket.socket) -> None:
        """Accept on a bound, listening, non-blocking socket from now on."""
        self._listeners.append(listener)
        self._listen()

    def shut(self) -> None:
        """Accept nobody any more; those inside stay."""
        for listener in self._listeners:
            self._loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()
        for opening in list(self._openings):
            opening.close()

    async def empty(self, within: float) -> None:
        """Ask all who speak over streams to end, and wait until they have; after `within` seconds they are cut off."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)

    def _listen(self) -> None:
        for listener in self._listeners:
            self._loop.add_reader(listener, self._accept, listener)

    def _rest(self, why: str) -> None:
        """Nobody can come in just now; the kernel keeps them in its backlog."""
        for listener in self._listeners:
            self._loop.remove_reader(listener)
        if self._loop.time() - self._complained_at >= COMPLAINT_S:
            self._complained_at = self._loop.time()
            logger.warning("new connections wait: %s", why)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPT_BATCH):
            if self.keeper.full:
                self.keeper.make_room()
                self._rest(f"{self.keeper.inside} are inside, the most there may be (--max-connections)")
                return
            try:
                accepted, peer = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as exc:
                if exc.errno not in _EXHAUSTED:
                    raise
                self._rest(f"{exc.strerror}; trying again every {ACCEPT_PAUSE_S} s")
                self._loop.call_later(ACCEPT_PAUSE_S, self._listen)
                return
            if (connection := self.keeper.admit(accepted, peer)) is None:
                continue
            with suppress(OSError):  # where a peer that is gone already is told so late
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._spawn(self._open(connection), f"open {connection.fileno()}")

    async def _open(self, connection: Connection) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: self._opening(connection), connection)
        except BaseException:
            connection.close()  # or it would be counted for ever
            raise

    def _opening(self, connection: Connection) -> Opening:
        return Opening(connection, self.keeper, self._openings, partial(self._hand_over, connection))

    def _hand_over(
        self, connection: Connection, language: Language, transport: asyncio.Transport, held: bytes, ended: bool
    ) -> None:
        inside = isinstance(transport, Tls)
        match language:
            case Language.HTTP:
                _replay(self._http(), transport, held, ended)
            case Language.TLS if self._tls is not None and not inside:
                _replay(Tls(self._tls(), self._opening(connection), self._openings), transport, held, ended)
            case Language.LINE | Language.UPLOAD if isinstance(transport, Tls) and transport.alpn is not None:
                self._turn_away(transport, f"it agreed to speak {transport.alpn}, and did not")
            case Language.LINE | Language.UPLOAD if not inside and not self._may_speak_plainly(_ip(transport)):
                if language is Language.LINE:
                    transport.write(line.notice(TLS_IS_ASKED_FOR))
                self._turn_away(transport, "it speaks without TLS, which is asked for")
            case Language.LINE | Language.UPLOAD:
                reader, writer = _ways(language, transport, held, ended)
                self._spawn(_serve(self._streams[language], reader, writer), f"{language.value} {_peer(transport)}")
            case Language.TLS | Language.REFUSED:
                # One that came and went without a byte is nothing to tell of: browsers and probes do that.
                self._turn_away(transport, _WHY_CLOSED[language], logging.INFO if held else logging.DEBUG)

    def _turn_away(self, transport: asyncio.Transport, why: str, level: int = logging.INFO) -> None:
        logger.log(level, "closed %s: %s", _peer(transport), why)
        transport.close()

    def _spawn(self, work: Awaitable[None], name: str) -> None:
        task = self._loop.create_task(_supervised(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_WHY_CLOSED: Final = {
    Language.TLS: "it speaks TLS, which is not offered here",
    Language.REFUSED: "its opening is none of our languages",
}


class _UntilTheEnd(asyncio.StreamReaderProtocol):
    """What was received is read to its end, also when the peer reset the connection: a file that is whole is done."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None)

    def eof_received(self) -> bool:
        super().eof_received()
        return True  # inside TLS too, where asyncio's own could not


def _ways(
    language: Language, transport: asyncio.Transport, held: bytes, ended: bool
) -> tuple[asyncio.StreamReader | Inlet, asyncio.StreamWriter]:
    """The way in and the way out: files have a wide one, on which nothing is copied."""
    loop = asyncio.get_running_loop()
    if language is Language.UPLOAD:
        inlet = Inlet(transport, held, ended)
        transport.set_protocol(inlet)
        return inlet, asyncio.StreamWriter(transport, inlet, None, loop)
    reader = asyncio.StreamReader(STREAM_BUFFER_BYTES, loop)
    protocol = _UntilTheEnd(reader, loop=loop)
    _replay(protocol, transport, held, ended)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _replay(protocol: asyncio.Protocol, transport: asyncio.Transport, held: bytes, ended: bool) -> None:
    """The connection is this protocol's from here on, and it hears all that was said."""
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    protocol.data_received(held)
    if ended and not protocol.eof_received():
        transport.close()


async def _serve(serve: Serve, reader: asyncio.StreamReader | Inlet, writer: asyncio.StreamWriter) -> None:
    try:
        await serve(reader, writer)
    except ConnectionError:
        pass  # theirs, and it hurts nobody
    finally:
        writer.close()
        # What it still holds may be read, but a peer that reads nothing does not keep its socket.
        if writer.transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(LINGER_S, cut, writer.transport)


async def _supervised(work: Awaitable[None], name: str) -> None:
    """A fault of ours ends this one connection and is logged once, with its name."""
    try:
        await work
    except Exception:
        logger.exception("a fault of ours ended %s", name)


def _peer(transport: asyncio.BaseTransport) -> str:
    return address(transport.get_extra_info("peername"))


def _ip(transport: asyncio.BaseTransport) -> str:
    return str((transport.get_extra_info("peername") or ("",))[0])


class Opening(asyncio.Protocol):
    """A connection nobody knows yet: holds its first bytes, at most 8 KiB and what one read brings beyond."""

    def __init__(
        self,
        connection: Connection,
        keeper: Doorkeeper,
        openings: set[Opening | Tls],
        hand_over: Callable[[Language, asyncio.Transport, bytes, bool], None],
    ) -> None:
        self._connection = connection
        self._keeper = keeper
        self._openings = openings
        self._hand_over = hand_over
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self._settle: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._openings.add(self)
        self._keeper.silent(self._connection, self.close)

    def data_received(self, data: bytes) -> None:
        self._keeper.speaks(self._connection)
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.call_later(OPENING_S, self.close)
        if self._settle is not None:
            self._settle.cancel()
        self._held += data
        if settled_by_waiting(self._held):
            self._settle = loop.call_later(SETTLE_S, self._decide, True)
        self._decide(False)

    def eof_received(self) -> bool:
        self._decide(True, ended=True)
        return True  # half-closed: it may still want to read

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()

    def close(self) -> None:
        """Nothing came of it."""
        if self._transport is not None:
            self._transport.abort()

    def _decide(self, waited: bool, ended: bool = False) -> None:
        language = sniff(self._held, waited)
        if language is None or self._transport is None:
            return
        transport, self._transport = self._transport, None
        self._forget()
        self._hand_over(language, transport, self._held, ended)

    def _forget(self) -> None:
        self._openings.discard(self)
        self._keeper.speaks(self._connection)
        for timer in (self._settle, self._deadline):
            if timer is not None:
                timer.cancel()
