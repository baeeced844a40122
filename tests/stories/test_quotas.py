"""Files that have no room, whichever way they come: refused at the start or on their way, and nothing of them left."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.config import Config
from bridge.server import Server
from tests.support.observe import inodes
from tests.support.peers import UploadPeer, entries, eventually

STORE = 1_000_000
SENDER = 600_000
HELD = 500_000
"""What is kept before anybody comes."""
TUS = {"Tus-Resumable": "1.0.0"}

Way = Callable[[aiohttp.ClientSession, Server, bytes], Awaitable[str]]
"""How a file of these bytes is sent by nobody in particular: the code with which it was refused, or nothing."""


async def raw(session: aiohttp.ClientSession, server: Server, content: bytes, **more: Any) -> str:
    def conversation() -> str:
        with UploadPeer(server.address) as sender:
            sender.push("a.bin", content, reply=True, **more)
            return sender.reply().get("error", {}).get("code", "")

    return await asyncio.to_thread(conversation)


async def resumable(session: aiohttp.ClientSession, server: Server, content: bytes) -> str:
    def conversation() -> str:
        with UploadPeer(server.address) as sender:
            digest = hashlib.sha256(content).hexdigest()
            sender.header(file_name="a.bin", file_size=len(content), sha256=digest, reply=True, resume=True)
            if "offset" in (answer := sender.reply()):
                sender.socket.sendall(content)
                answer = sender.reply()
            return answer.get("error", {}).get("code", "")

    return await asyncio.to_thread(conversation)


async def put(session: aiohttp.ClientSession, server: Server, content: bytes | AsyncIterator[bytes]) -> str:
    async with session.put(f"{server.url}a.bin", data=content) as response:
        return await code(response)


async def put_of_no_size(session: aiohttp.ClientSession, server: Server, content: bytes) -> str:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 50_000):
            yield content[start : start + 50_000]

    return await put(session, server, pieces())


async def form(session: aiohttp.ClientSession, server: Server, content: bytes) -> str:
    data = aiohttp.FormData()
    data.add_field("file", content, filename="a.bin")
    async with session.post(server.url, data=data) as response:
        return await code(response)


async def tus(session: aiohttp.ClientSession, server: Server, content: bytes) -> str:
    headers = {**TUS, "Upload-Length": str(len(content)), "Content-Type": "application/offset+octet-stream"}
    async with session.post(f"{server.url}r/lobby/uploads", data=content, headers=headers) as response:
        return await code(response)


async def code(response: aiohttp.ClientResponse) -> str:
    said = await response.text()
    if response.status == 201:
        return ""
    assert response.status == 507, said
    return said.partition(":")[0]


WAYS: dict[str, Way] = {
    "raw": raw,
    "resumable": resumable,
    "put": put,
    "put of no size": put_of_no_size,
    "form": form,
    "tus": tus,
}


def lying(data: Path) -> list[Path]:
    """Every file of bytes of a user's."""
    return [path for name in ("parts", "uploads", "files") for path in (data / name).rglob("*") if path.is_file()]


@pytest.mark.parametrize("way", WAYS)
async def test_all_files_together_have_so_much_room(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, tmp_path: Path, way: str
) -> None:
    server = await serve(max_store_bytes=STORE)
    send, mine = WAYS[way], {"X-Client": "me", "Accept": "application/json"}
    async with session.put(f"{server.url}mine.bin", data=os.urandom(HELD), headers=mine) as response:
        held = json.loads(await response.text())
    content = os.urandom(STORE - HELD)

    assert await send(session, server, content + b"x") == "disk_full"
    await eventually(lambda: len(lying(tmp_path / "data")) == 1)
    assert await send(session, server, content) == "", "to the last byte"
    assert await send(session, server, content) == "disk_full", "nobody knows yet that it is the same"
    async with session.post(server.url, data=b"chat goes on") as response:
        assert response.status == 201
    async with session.delete(f"{server.url.rstrip('/')}{held['file']['url']}", headers=mine) as response:
        assert response.status == 200
    for _ in range(3):
        assert await send(session, server, content) == "", "and the same bytes take their room once"
    assert len(await entries(session, server.url)) == 6  # four files, a text, what was taken back
    await eventually(lambda: len(inodes(lying(tmp_path / "data"))) == 1)


async def test_an_upload_that_stopped_keeps_its_room_over_a_restart(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    settings = {"max_store_bytes": STORE, "max_sender_bytes": SENDER}
    begun = {**TUS, "Upload-Length": str(SENDER), "X-Client": "me"}
    async with Server(Config(port=0, data=tmp_path / "data", reserve_bytes=0, ballast_bytes=0, **settings)) as first:
        async with session.post(f"{first.url}r/lobby/uploads", headers=begun) as response:
            assert response.status == 201
            path = response.headers["Location"]
    server = await serve(**settings)
    for client, size, status in (("me", 1, 507), ("you", STORE - SENDER + 1, 507), ("you", STORE - SENDER, 201)):
        async with session.put(f"{server.url}a.bin", data=b"x" * size, headers={"X-Client": client}) as response:
            assert response.status == status
    async with session.delete(f"{server.url.rstrip('/')}{path}", headers={**TUS, "X-Client": "me"}) as response:
        assert response.status == 204
    assert await put(session, server, b"y" * (SENDER // 2)) == ""


async def test_a_sender_s_files_have_so_much_room_and_one_connection_is_one_sender(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(max_sender_bytes=SENDER)

    def conversation() -> list[dict[str, Any]]:
        with UploadPeer(server.address) as sender:
            answers = []
            for content in (b"a" * HELD, b"b" * (SENDER - HELD), b"", b"c"):
                sender.push("a.bin", content, reply=True)
                answers.append(sender.reply())
            assert sender.socket.recv(1) == b""
            return answers

    answers = await asyncio.to_thread(conversation)
    assert [answer.get("error") for answer in answers[:3]] == [None] * 3
    assert answers[3]["error"] == {
        "code": "disk_full",
        "message": "1 bytes more are wanted, 0 of 600000 are left for one sender's files (--max-sender-bytes)",
    }
    assert await raw(session, server, b"d" * SENDER) == "", "another connection, another sender"
