"""The peers of a transcript: one class for each language, all spoken to and heard in the same four verbs."""

from __future__ import annotations

import asyncio
import http.client
import signal
import socket
import struct
from collections.abc import Iterator
from typing import Any, Protocol

import aiohttp

from tests.support.peers import PATIENCE_S

STOP = signal.SIGTERM
ENDINGS = ("(end)", "(close)", "(reset)")
LAST_WORDS = ("(nothing)", "(end)", "(closed)")
QUIET_S = 0.3
"""How long nothing must come for `(nothing)`."""


class Member(Protocol):
    """A peer on the stage."""

    port: int
    opening_is_address: bool
    """Whether the first line says where to connect, and is not itself sent."""

    def say(self, text: str) -> None:
        """Send `text` as one message of this language."""

    def put(self, data: bytes) -> None:
        """Send exactly these bytes."""

    def wait(self, seconds: float) -> None:
        """How long `hear` waits from now on."""

    def hear(self) -> str:
        """What came next, `(nothing)` if it does not come, `(end)` if nothing can come any more."""

    def end(self, how: str) -> None:
        """One of `ENDINGS`."""

    def close(self) -> None: ...


class _Stream:
    """What all peers over TCP share: lines come back."""

    opening_is_address = False

    def __init__(self, address: tuple[str, int], opening: str) -> None:
        self.socket = socket.create_connection(address, PATIENCE_S)
        self.port = self.socket.getsockname()[1]
        self._held = b""

    def put(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self) -> str:
        while b"\n" not in self._held:
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return "(nothing)"
            except ConnectionError:
                data = b""
            if not data:
                rest, self._held = self._held, b""
                return f"{rest.decode()}(end)"
            self._held += data
        line, _, self._held = self._held.partition(b"\n")
        return line.decode()

    def wait(self, seconds: float) -> None:
        self.socket.settimeout(seconds)

    def end(self, how: str) -> None:
        match how:
            case "(end)":
                self.socket.shutdown(socket.SHUT_WR)
            case "(reset)":
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.socket.close()
            case _:
                self.socket.close()

    def close(self) -> None:
        self.socket.close()


class Tcp(_Stream):
    """Text lines."""

    def say(self, text: str) -> None:
        self.put(text.encode() + b"\n")


class File(_Stream):
    """Raw files: what begins with `{` is a header and gets its length packed before it, all else goes as it is."""

    def say(self, text: str) -> None:
        data = text.encode()
        self.put(struct.pack("<i", len(data)) + data if text.startswith("{") else data)


class Udp:
    """Datagrams."""

    opening_is_address = False

    def __init__(self, address: tuple[str, int], opening: str) -> None:
        self._address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE_S)
        self.port = self.socket.getsockname()[1]

    def say(self, text: str) -> None:
        self.put(text.encode())

    def put(self, data: bytes) -> None:
        self.socket.sendto(data, self._address)

    def hear(self) -> str:
        """A datagram without the newline that every one ends in."""
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return "(nothing)"
        if len(data) > 1024 or not data.endswith(b"\n"):
            return f"a datagram of {len(data)} bytes: {data!r}"
        return data.decode()[:-1]

    def wait(self, seconds: float) -> None:
        self.socket.settimeout(seconds)

    def end(self, how: str) -> None:
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


class Http:
    """One request: `GET /path | Header: value`; the answer comes as its status, its headers, "", its body's lines."""

    opening_is_address = True

    def __init__(self, address: tuple[str, int], opening: str) -> None:
        request, *headers = opening.split(" | ")
        method, target = request.split(" ")
        self._connection = http.client.HTTPConnection(*address, timeout=PATIENCE_S)
        self._connection.request(method, target, headers=dict(header.split(": ", 1) for header in headers))
        self.port = self._connection.sock.getsockname()[1]
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        self._lines = self._read()

    def _read(self) -> Iterator[str]:
        yield f"{self._response.status} {self._response.reason}"
        for name, value in self._response.getheaders():
            yield f"{name}: {value}"
        yield ""
        while line := self._response.readline():
            yield line.decode().rstrip("\r\n")

    def say(self, text: str) -> None:
        raise ValueError("an http peer makes one request")

    def put(self, data: bytes) -> None:
        raise ValueError("an http peer makes one request")

    def hear(self) -> str:
        try:
            return next(self._lines, "(end)")
        except TimeoutError:
            return "(nothing)"
        except http.client.IncompleteRead:
            return "(end)"

    def wait(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def end(self, how: str) -> None:
        self.close()

    def close(self) -> None:
        self._response.close()
        self._connection.close()


class Ws:
    """A WebSocket; objects come one at a time, however they were framed."""

    opening_is_address = True

    def __init__(self, address: tuple[str, int], opening: str) -> None:
        self._runner = asyncio.Runner()
        self._objects: list[str] = []
        self._seconds = PATIENCE_S
        self._runner.run(self._connect(f"http://{address[0]}:{address[1]}{opening}"))

    async def _connect(self, url: str) -> None:
        self._session = aiohttp.ClientSession()
        try:
            self._ws = await self._session.ws_connect(url, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as refused:
            self._ws = None
            self._objects = [f"(refused {refused.status})"]
            self.port = 0
            return
        self.port = self._ws.get_extra_info("sockname")[1]

    def say(self, text: str) -> None:
        self._runner.run(self._ws.send_str(text))

    def put(self, data: bytes) -> None:
        self._runner.run(self._ws.send_bytes(data))

    def hear(self) -> str:
        if not self._objects:
            self._objects = self._runner.run(self._receive())
        return self._objects.pop(0)

    async def _receive(self) -> list[str]:
        if self._ws is None:
            return ["(closed)"]
        try:
            message = await self._ws.receive(self._seconds)
        except TimeoutError:
            return ["(nothing)"]
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data).split("\n")
        return [f"(close {self._ws.close_code})", "(closed)"]

    def wait(self, seconds: float) -> None:
        self._seconds = seconds

    def end(self, how: str) -> None:
        self._runner.run(self._ws.close())

    def close(self) -> None:
        async def close() -> None:
            if self._ws is not None:
                await self._ws.close()
            await self._session.close()

        self._runner.run(close())
        self._runner.close()


LANGUAGES: dict[str, Any] = {"tcp": Tcp, "udp": Udp, "file": File, "ws": Ws, "http": Http}
