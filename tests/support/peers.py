"""Peers that speak to a server as users' programs do: blocking sockets for the natives, aiohttp for browsers."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import aiohttp

PATIENCE_S = 10.0
"""How long a peer waits for what must come."""


class LinePeer:
    """A `nc` in Python: lines out, lines in."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, PATIENCE_S)
        self.port = self.socket.getsockname()[1]
        self._file = self.socket.makefile("rb")

    def say(self, text: str) -> None:
        self.socket.sendall(text.encode() + b"\n")

    def read(self) -> str:
        """The next line without its newline; "" at the end of the stream."""
        return self._file.readline().decode().removesuffix("\n")

    def read_until(self, end: str) -> list[str]:
        """Lines up to and including the one that ends with `end`."""
        lines = [self.read()]
        while not lines[-1].endswith(end):
            assert lines[-1] != "", f"the stream ended before {end!r}: {lines}"
            lines.append(self.read())
        return lines

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> LinePeer:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()


class DatagramPeer:
    """Ten lines of Python with a UDP socket."""

    def __init__(self, address: tuple[str, int], here: str = "127.0.0.1") -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((here, 0))
        self.socket.settimeout(PATIENCE_S)
        self.port = self.socket.getsockname()[1]

    def say(self, text: str | bytes) -> None:
        self.socket.sendto(text if isinstance(text, bytes) else text.encode(), self.address)

    def read(self) -> str:
        """The next datagram, as the tutorial's clients read it."""
        return self.socket.recvfrom(1024)[0].decode()

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> DatagramPeer:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()


class UploadPeer:
    """Pushes files with a packed header."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, PATIENCE_S)

    def header(self, order: str = "<", **fields: Any) -> None:
        raw = json.dumps(fields).encode()
        self.socket.sendall(struct.pack(f"{order}i", len(raw)) + raw)

    def push(self, name: str, content: bytes, order: str = "<", **fields: Any) -> None:
        self.header(order, file_name=name, file_size=len(content), **fields)
        self.socket.sendall(content)

    def reply(self) -> dict[str, Any]:
        line = b""
        while not line.endswith(b"\n"):
            piece = self.socket.recv(1)
            assert piece, f"the stream ended after {line!r}"
            line += piece
        return json.loads(line)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> UploadPeer:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()


class BrowserPeer:
    """A page's WebSocket: objects out, objects in, one at a time however they were framed."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.hello: dict[str, Any] = {}
        self._objects: list[dict[str, Any]] = []

    @classmethod
    async def join(cls, session: aiohttp.ClientSession, url: str, room: str = "lobby", **query: Any) -> BrowserPeer:
        """Sit down in `room` and take the hello."""
        params = {key: str(value) for key, value in query.items()}
        peer = cls(await session.ws_connect(f"{url}r/{room}/ws", params=params, max_msg_size=0))
        JOINED.setdefault(session, []).append(peer)
        peer.hello = await peer.read()
        assert peer.hello["type"] == "hello"
        return peer

    async def say(self, key: str, text: str) -> None:
        await self.send({"type": "say", "key": key, "text": text})

    async def send(self, *objects: Any) -> None:
        await self.ws.send_str("\n".join(json.dumps(one) for one in objects))

    async def read(self) -> dict[str, Any]:
        """The next object, whatever it is."""
        while not self._objects:
            text = await self.ws.receive_str(timeout=PATIENCE_S)
            self._objects = [json.loads(line) for line in text.split("\n")]
        return self._objects.pop(0)

    async def until(self, **wanted: Any) -> dict[str, Any]:
        """The next object that has these fields; what comes before it is passed over."""
        while True:
            one = await self.read()
            if wanted.items() <= one.items():
                return one

    async def entry(self) -> dict[str, Any]:
        """The next object that is an entry."""
        while True:
            one = await self.read()
            if "seq" in one:
                return one

    async def close(self) -> None:
        await self.ws.close()

    def drop(self) -> None:
        """Gone without a word; harmless when closed already."""
        self.ws._response.close()


JOINED: WeakKeyDictionary[aiohttp.ClientSession, list[BrowserPeer]] = WeakKeyDictionary()
"""Who joined by which session: aiohttp warns, when it is collected, of a WebSocket that nobody closed."""


class Answer(NamedTuple):
    """What an HTTP server said; `headers` by any spelling."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(address: tuple[str, int], request: bytes) -> Answer:
    """Send these very bytes as one HTTP request, for what no client library would send."""
    with socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall(request)
        method = request.partition(b" ")[0].decode()
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        return Answer(response.status, response.headers, response.read())


async def entries(session: aiohttp.ClientSession, url: str, room: str = "lobby", **query: Any) -> list[dict[str, Any]]:
    """The room's newest entries, as any program would ask for them."""
    async with session.get(f"{url}r/{room}/entries", params={"limit": 500, **query}) as response:
        assert response.status == 200, await response.text()
        return (await response.json())["entries"]


async def texts(session: aiohttp.ClientSession, url: str, room: str = "lobby") -> list[str | None]:
    """What the room's newest entries say."""
    return [entry.get("text") for entry in await entries(session, url, room)]


async def eventually(true: Callable[[], object]) -> None:
    """Wait for what nobody tells of, such as a file that goes; fails after `PATIENCE_S`."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)
