"""The delivery promises, against a list: clients speak, vanish, resume, lag and rename while the server goes and comes.

A machine of rules plays whatever hypothesis thinks of. Each client keeps what it was told, in order, by the rules of
`docs/protocols/browser.md`: it comes back behind the last number it has, says again what was not answered, and ignores
numbers it has. In the end the log is read from its start, and everybody's list must be its beginning.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import struct
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bridge.config import Config
from bridge.server import Server
from tests.support.process import Running
from tests.support.streams import packed

PATIENCE_S = 30.0
CLIENTS = 3
LONG = "x" * 16_000
FLOOD = 320
"""So many long texts are more than the kernel, a seat and the tail hold for somebody who does not read."""
FLOODS_MAX = 1
RECEIVE_BUFFER_BYTES = 16 * 1024

numbers = st.integers(0, CLIENTS - 1)


class House(Protocol):
    """A server that goes and comes back on the same data."""

    url: str

    async def open(self) -> None: ...

    async def restart(self) -> None: ...

    async def close(self) -> None: ...


class Here:
    """In this process: it is asked to stop and does so in peace."""

    def __init__(self, data: Path) -> None:
        self._data = data

    async def open(self) -> None:
        self._server = await Server(Config(port=0, data=self._data)).__aenter__()
        self.url = self._server.url

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def close(self) -> None:
        await self._server.__aexit__(None, None, None)


class Apart:
    """In a process of its own, which is killed."""

    def __init__(self, data: Path) -> None:
        self._data = data
        data.parent.mkdir()

    async def open(self) -> None:
        self._running = await asyncio.to_thread(Running, self._data)
        self.url = self._running.url

    async def restart(self) -> None:
        await asyncio.to_thread(self._running.kill)
        await asyncio.to_thread(self._running.start)

    async def close(self) -> None:
        await asyncio.to_thread(self._running.close)
        assert " ERROR " not in self._running.stderr, self._running.stderr


class Client:
    """One author, over as many connections as it takes."""

    def __init__(self, number: int) -> None:
        self.secret = f"secret of {number}"
        self.id: str | None = None
        self.ws: ClientConnection | None = None
        self.said: dict[str, str] = {}
        """The first words under each key."""
        self.waiting: set[str] = set()
        """Keys that no answer has come for."""
        self.stored: dict[str, int] = {}
        self.seen: list[dict[str, Any]] = []
        self.wishes = {"web", "http"}
        self._keys = count()

    @property
    def last_seq(self) -> int:
        return self.seen[-1]["seq"] if self.seen else 0

    def key(self, text: str) -> str:
        key = f"{self.secret}, {next(self._keys)}"
        self.said[key] = text
        return key

    async def send(self, *objects: dict[str, Any]) -> None:
        assert self.ws
        await self.ws.send("\n".join(map(json.dumps, objects)))

    async def say(self, *keys: str, otherwise: str | None = None) -> None:
        """Say what belongs to these keys, or other words under them."""
        self.waiting.update(keys)
        await self.send(*({"type": "say", "key": key, "text": otherwise or self.said[key]} for key in keys))

    async def hear(self, at_least: int) -> None:
        """Read until nothing is unanswered and all up to `at_least` has come."""
        assert self.ws
        while self.waiting or self.last_seq < at_least:
            for row in (await self.ws.recv()).split("\n"):
                self.take(json.loads(row))

    def take(self, said: dict[str, Any]) -> None:
        assert said["type"] in ("hello", "text", "file", "presence", "transfer"), said
        if "seq" not in said:
            return
        if said["seq"] > self.last_seq:
            self.seen.append(said)
        elif said["key"] not in self.waiting:  # an answer may have a number from before its time
            assert said in self.seen, f"a number that was told before comes with other words: {said}"
        if said["from"]["id"] == self.id:
            self.answered(said)

    def answered(self, entry: dict[str, Any]) -> None:
        """One's own entry, coming back with its key, is the acknowledgement."""
        key = entry["key"]
        assert entry.get("text", self.said[key]) == self.said[key]
        assert self.stored.setdefault(key, entry["seq"]) == entry["seq"], "one key, two numbers"
        self.waiting.discard(key)


class Promises(RuleBasedStateMachine):
    """Every rule ends with the world in order; only what the server still holds is open."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house = house
        self.runner = asyncio.Runner()
        self.clients = [Client(number) for number in range(CLIENTS)]
        self.epoch: str | None = None
        self.newest = 0
        """The newest number that anybody was told of."""
        self.floods = 0
        self.broken: set[str] = set()
        """Names of files that were never whole."""

    def do(self, work: Any) -> Any:
        async def in_time() -> Any:
            async with asyncio.timeout(PATIENCE_S):
                return await work

        answer = self.runner.run(in_time())
        self.newest = max([self.newest, *(client.last_seq for client in self.clients)])
        return answer

    def sitting(self, number: int) -> bool:
        return self.clients[number].ws is not None

    @initialize()
    def open(self) -> None:
        self.do(self.house.open())

    # Coming and going

    @rule(number=numbers)
    def come(self, number: int) -> None:
        if not self.sitting(number):
            self.do(self._come(self.clients[number]))

    async def _come(self, client: Client) -> None:
        where = f"{self.house.url.replace('http', 'ws', 1)}r/lobby/ws?client={quote(client.secret)}"
        place = f"&after={client.last_seq}" + (f"&epoch={self.epoch}" if self.epoch else "")
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.connect(("127.0.0.1", self._port()))
        client.ws = await connect(where + place, sock=sock, proxy=None, max_size=None, compression=None)
        first, *more = (await client.ws.recv()).split("\n")
        hello = json.loads(first)
        assert hello["type"] == "hello"
        assert self.epoch in (None, hello["epoch"]) and client.id in (None, hello["you"]["id"])
        assert hello["last_seq"] >= self.newest, "what somebody was told of is gone"
        self.epoch, client.id = hello["epoch"], hello["you"]["id"]
        for row in more:
            client.take(json.loads(row))
        if client.waiting:  # unanswered means unknown: say it again
            await client.say(*client.waiting)

    @rule(number=numbers)
    def vanish(self, number: int) -> None:
        client = self.clients[number]
        if client.ws:
            client.ws.transport.abort()
            client.ws = None

    @rule()
    def restart(self) -> None:
        self.do(self._restart())

    async def _restart(self) -> None:
        await self.house.restart()
        for client in self.clients:
            if client.ws:
                with pytest.raises(ConnectionClosed):
                    while True:  # what had come before may be read or not
                        await client.ws.recv()
                client.ws = None

    # Speaking

    @rule(number=numbers, texts=st.lists(st.sampled_from(["hi", "你好", "a\nb", " x "]), min_size=1, max_size=4))
    def say(self, number: int, texts: list[str]) -> None:
        client = self.clients[number]
        if client.ws:
            self.do(client.say(*map(client.key, texts)))

    @rule(number=numbers, which=st.integers(0, 1000))
    def say_again_with_other_words(self, number: int, which: int) -> None:
        client = self.clients[number]
        if client.ws and client.stored:
            key = sorted(client.stored)[which % len(client.stored)]
            self.do(client.say(key, otherwise="other words"))

    @rule(number=numbers, name=st.sampled_from(["alice", "ALICE", "аlice", "bob", "admin"]))
    def rename(self, number: int, name: str) -> None:
        client = self.clients[number]
        if client.ws:
            client.wishes.add(name)
            self.do(client.send({"type": "name", "name": name}))

    @rule(number=numbers, lost=st.booleans())
    def post(self, number: int, lost: bool) -> None:
        """Over HTTP, where an answer may be lost on its way; then nobody knows, and it is said again some time."""
        client = self.clients[number]
        key = client.key("posted")
        self.do(self._lose(client, key) if lost else self._post(client, key))

    async def _post(self, client: Client, key: str) -> None:
        headers = {"X-Client": client.secret, "X-Key": key}
        async with aiohttp.ClientSession() as session:
            async with session.post(self.house.url, data=client.said[key], headers=headers) as answer:
                assert answer.status in (200, 201)
                self._keep(client, await answer.json())

    async def _lose(self, client: Client, key: str) -> None:
        client.waiting.add(key)
        _reader, writer = await asyncio.open_connection("127.0.0.1", self._port())
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Client: {client.secret}\r\nX-Key: {key}\r\n"
        writer.write(f"{head}Content-Length: 6\r\n\r\nposted".encode())
        await writer.drain()
        writer.close()

    @rule(number=numbers, size=st.sampled_from([0, 1, 70_000]))
    def put(self, number: int, size: int) -> None:
        self.do(self._put(self.clients[number], b"y" * size))

    async def _put(self, client: Client, content: bytes) -> None:
        headers = {"X-Client": client.secret, "X-Key": client.key("a file"), "Accept": "application/json"}
        async with aiohttp.ClientSession() as session:
            async with session.put(f"{self.house.url}whole.bin", data=content, headers=headers) as answer:
                assert answer.status == 201
                entry = await answer.json()
        assert entry["file"]["sha256"] == hashlib.sha256(content).hexdigest()
        self._keep(client, entry)

    @rule()
    def break_off(self) -> None:
        """A raw file that never becomes whole."""
        name = f"broken-{len(self.broken)}.bin"
        self.broken.add(name)
        self.do(self._break_off(packed("<", b"z" * 5000, file_name=name)[:-1]))

    async def _break_off(self, sent: bytes) -> None:
        _reader, writer = await asyncio.open_connection("127.0.0.1", self._port())
        writer.write(sent)
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def _keep(self, client: Client, entry: dict[str, Any]) -> None:
        assert client.id in (None, entry["from"]["id"])
        client.id = entry["from"]["id"]
        client.answered(entry)
        self.newest = max(self.newest, entry["seq"])

    def _port(self) -> int:
        return int(self.house.url.rstrip("/").rpartition(":")[2])

    # Reading, or not

    @rule(number=numbers)
    def hear(self, number: int) -> None:
        client = self.clients[number]
        if client.ws:
            self.do(client.hear(self.newest))

    @precondition(lambda self: self.floods < FLOODS_MAX and any(client.ws for client in self.clients))
    @rule(number=numbers)
    def flood(self, number: int) -> None:
        """One talks and talks; those who do not read meanwhile fall far behind."""
        client = self.clients[number]
        if client.ws:
            self.floods += 1
            self.do(self._flood(client))

    async def _flood(self, client: Client) -> None:
        for _ in range(FLOOD // 4):
            await client.say(*(client.key(LONG) for _ in range(3)))  # a frame holds 64 KiB
            await client.say(client.key(LONG))
            await client.hear(self.newest)

    # The end

    def teardown(self) -> None:
        try:
            self.do(self._compare())
        finally:
            self.runner.run(self.house.close())
            self.runner.close()

    async def _compare(self) -> None:
        await self._restart()
        for client in self.clients:  # 2, 4, 6: who comes back gets an answer to everything, and everything
            await self._come(client)
        for client in self.clients:
            await client.hear(self.newest)
        newest = max(client.last_seq for client in self.clients)
        reader = Client(CLIENTS)
        await self._come(reader)
        for client in (*self.clients, reader):
            await client.hear(newest)
            assert client.ws
            await client.ws.close()
        log = [entry for entry in reader.seen if entry["seq"] <= newest]
        assert [entry["seq"] for entry in log] == sorted({entry["seq"] for entry in log})
        for client in self.clients:
            assert [entry for entry in client.seen if entry["seq"] <= newest] == log, "3, 5: one order, and no doubles"
            own = [entry for entry in log if entry["from"]["id"] == client.id]
            assert {entry["key"]: entry["seq"] for entry in own} == client.stored, "1: acknowledged is durable"
            assert len(own) == len(client.said), "2: said again, stored once; and all was answered in the end"
            stems = {entry["from"]["name"].rpartition("-")[0] or entry["from"]["name"] for entry in own}
            assert stems <= client.wishes
        files = [entry["file"] for entry in log if entry["type"] == "file"]
        assert not self.broken & {file["name"] for file in files}
        async with aiohttp.ClientSession(self.house.url) as session:
            for file in files:  # 8: a file that appeared is whole
                async with session.get(file["url"]) as answer:
                    assert hashlib.sha256(await answer.read()).hexdigest() == file["sha256"]


@pytest.mark.parametrize(("house", "examples", "steps"), [(Here, 12, 40), (Apart, 4, 30)])
def test_the_promises_hold_whatever_happens(house: type[House], examples: int, steps: int, tmp_path: Path) -> None:
    folders = count()
    run_state_machine_as_test(
        lambda: Promises(house(tmp_path / f"{next(folders)}" / "data")),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
