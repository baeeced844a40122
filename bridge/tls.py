"""A connection inside a connection: to the socket it is a protocol, to whoever speaks inside a transport.

asyncio's own TLS wants to read the opening itself, and closes on a peer that has ended its side; here the opening was
read by the front door, and `ncat --ssl` still gets its answer. What is written is sealed at once and held by the
socket's transport alone, so that there is one buffer to watch. What arrives while reading is paused stays sealed.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from typing import Any, Final, NoReturn

from bridge.model import address
from bridge.wire import tls

logger = logging.getLogger("roombridge.tls")

HANDSHAKE_S: Final = 10.0
"""asyncio would wait for a minute."""
READ_BYTES: Final = 64 * 1024


class Tls(asyncio.Transport, asyncio.Protocol):
    """Shakes hands, then tells `inside` that a connection is made; a peer that cannot is closed, and the log says why.

    Until then it is among the `undecided`.
    """

    def __init__(self, context: ssl.SSLContext, inside: asyncio.Protocol, undecided: set[Any]) -> None:
        super().__init__()
        self._context = context
        self._inside: asyncio.BaseProtocol = inside
        self._undecided = undecided
        self._arriving, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._seal = context.wrap_bio(self._arriving, self._leaving, server_side=True)
        self._loop = asyncio.get_running_loop()
        self._below: asyncio.Transport | None = None
        self._deadline = self._loop.call_later(HANDSHAKE_S, self._fail, f"no handshake within {HANDSHAKE_S:.0f} s")
        self._hello = b""
        self._greeted = False
        self._shaken = False
        self._paused = False
        self._ended = False
        self._closing = False

    @property
    def alpn(self) -> str | None:
        """The language that was agreed on before anything was said."""
        return self._seal.selected_alpn_protocol()

    # What the socket's transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._below = transport  # type: ignore[assignment]
        self._undecided.add(self)

    def data_received(self, data: bytes) -> None:
        if not self._greeted:
            self._hello += data
            if not self._greet():
                return
            data, self._hello = self._hello, b""
        self._arriving.write(data)
        self._go_on()

    def eof_received(self) -> bool:
        """Often the only leave that is taken: what matters says its length, and the rest is as good as it came."""
        if self._shaken:
            self._end()
        return self._shaken

    def connection_lost(self, exc: Exception | None) -> None:
        self._decided()
        if self._shaken:
            self._paused = False
            self._go_on()  # what came is heard to its end
            self._inside.connection_lost(exc)
        self._closing, self._below = True, None

    def pause_writing(self) -> None:
        self._inside.pause_writing()

    def resume_writing(self) -> None:
        self._inside.resume_writing()

    # Shaking hands, reading

    def _greet(self) -> bool:
        """Whether its whole first flight is here, and offers something of ours."""
        try:
            names = tls.offered(self._hello)
        except tls.BadHello as bad:
            self._fail(str(bad))
            return False
        if names and tls.HTTP not in names:
            self._leaving.write(tls.NO_LANGUAGE)
            self._fail(f"it offers {b' '.join(names)!r}, and inside TLS we speak {tls.HTTP.decode()}")
            return False
        self._greeted = names is not None
        return self._greeted

    def _go_on(self) -> None:
        try:
            if not self._shaken:
                self._seal.do_handshake()
                self._shaken = True
                self._decided()
                self._inside.connection_made(self)
            self._read()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as exc:
            self._fail(exc.reason or str(exc))
        self._flush()

    def _decided(self) -> None:
        self._deadline.cancel()
        self._undecided.discard(self)

    def _read(self) -> None:
        """Until there is no more (`SSLWantReadError`), or no more is wanted just now."""
        while not (self._paused or self._ended or self._closing):
            if not self._pass_on(self._inside):
                self._end()

    def _pass_on(self, inside: asyncio.BaseProtocol) -> int:
        """What is read next; 0 at the end."""
        if isinstance(inside, asyncio.BufferedProtocol):
            buffer = memoryview(inside.get_buffer(READ_BYTES))
            if size := int(self._seal.read(len(buffer), buffer)):
                inside.buffer_updated(size)
            return size
        if data := self._seal.read(READ_BYTES):
            inside.data_received(data)  # type: ignore[attr-defined]
        return len(data)

    def _end(self) -> None:
        """Its side is closed, and may stay so while it is answered (RFC 8446 section 6.1)."""
        if not (self._ended or self._closing):
            self._ended = True
            self._tell_end()

    def _tell_end(self) -> None:
        if not self._inside.eof_received():  # type: ignore[attr-defined]
            self.close()

    def _flush(self) -> None:
        if self._below is not None and (data := self._leaving.read()):
            self._below.write(data)

    def _fail(self, why: str) -> None:
        logger.info("closed %s: TLS: %s", address(self.get_extra_info("peername")), why)
        self._closing = True
        self._flush()  # the alert that says so, if it can go at once
        if self._below is not None:
            self._below.abort()

    # What those inside call

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "sslcontext":
            return self._context
        if name == "ssl_object":
            return self._seal
        return default if self._below is None else self._below.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._inside = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._inside

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Take leave; that the peer does so too is not waited for."""
        if self._closing or self._below is None:
            return
        self._closing = True
        with suppress(ssl.SSLError):  # it wants to hear the peer's too
            self._seal.unwrap()
        self._flush()
        self._below.close()

    def abort(self) -> None:
        self._closing = True
        if self._below is not None:
            self._below.abort()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        view = memoryview(data).cast("B")
        try:
            while view:
                view = view[self._seal.write(view) :]
        except ssl.SSLError as exc:
            self._fail(exc.reason or str(exc))
        self._flush()

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0 if self._below is None else self._below.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if self._below is not None:
            self._below.set_write_buffer_limits(high, low)

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        self._paused = True
        if self._below is not None:
            self._below.pause_reading()

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            self._loop.call_soon(self._resume)

    def _resume(self) -> None:
        """First what waits sealed, then what waits in the socket; an end is told again, as to whoever is new inside."""
        if self._paused or self._closing or self._below is None:
            return
        if self._ended:
            self._tell_end()
            return
        self._go_on()
        if not self._paused and self._below is not None:
            self._below.resume_reading()

    @property
    def _sendfile_compatible(self) -> NoReturn:
        """Where asyncio's `sendfile` looks; aiohttp takes this answer, reads the file itself and writes it."""
        raise NotImplementedError("no file goes past the seal")
