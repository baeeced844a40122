"""A file fetched while it still comes in: whole, or visibly broken."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bridge.server import Server
from bridge.transports.web import early
from tests.support.peers import PATIENCE_S, BrowserPeer, UploadPeer, eventually
from tests.support.streams import everything, reset

CONTENT = os.urandom(3_000_000)
HALF = len(CONTENT) // 2


def chunked(server: Server, name: str) -> socket.socket:
    """A file on its way that does not say how long it is."""
    sender = socket.create_connection(server.address, PATIENCE_S)
    sender.sendall(f"PUT /{name} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    return sender


@pytest.fixture
async def sender(server: Server, session: aiohttp.ClientSession) -> AsyncIterator[UploadPeer]:
    """Half a film is here."""
    browser = await BrowserPeer.join(session, server.url)
    with UploadPeer(server.address) as sender:
        sender.header(file_name="film.mp4", file_size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
        await asyncio.to_thread(sender.socket.sendall, CONTENT[:HALF])
        told = await browser.until(type="transfer", received=HALF)
        sender.url = f"{server.url}files/{told['id']}/film.mp4"
        yield sender


async def read(response: aiohttp.ClientResponse, size: int) -> bytes:
    return await asyncio.wait_for(response.content.readexactly(size), PATIENCE_S)


async def test_a_reader_has_what_is_here_and_waits_for_the_rest(
    session: aiohttp.ClientSession, sender: UploadPeer
) -> None:
    async with session.get(sender.url) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(CONTENT)))
        assert response.headers["Content-Type"] == "video/mp4"
        assert response.headers["Content-Disposition"].startswith("inline")
        assert "sandbox" in response.headers["Content-Security-Policy"] and "ETag" not in response.headers
        first = await read(response, HALF - 1)
        assert not response.content.at_eof()
        await asyncio.to_thread(sender.socket.sendall, CONTENT[HALF:])
        assert first + await response.read() == CONTENT


async def test_a_crowd_of_readers_at_different_places_all_get_it(
    session: aiohttp.ClientSession, sender: UploadPeer
) -> None:
    async def fetch() -> str:
        async with session.get(sender.url) as response:
            return hashlib.sha256(await response.read()).hexdigest()

    readers = [asyncio.create_task(fetch()) for _ in range(20)]
    for start in range(HALF, len(CONTENT), 100_000):
        await asyncio.to_thread(sender.socket.sendall, CONTENT[start : start + 100_000])
        await asyncio.sleep(0)
    assert set(await asyncio.gather(*readers)) == {hashlib.sha256(CONTENT).hexdigest()}


@pytest.mark.parametrize("how", ["closes", "resets"])
async def test_a_sender_that_breaks_off_breaks_its_readers_off(
    session: aiohttp.ClientSession, sender: UploadPeer, how: str
) -> None:
    async with session.get(sender.url) as response:
        await read(response, HALF - 1)
        reset(sender.socket) if how == "resets" else sender.close()
        with pytest.raises(aiohttp.ClientError):
            await response.read()
    async with session.get(sender.url) as response:
        assert response.status == 404


async def test_a_file_that_turns_out_wrong_was_never_given_whole(
    session: aiohttp.ClientSession, sender: UploadPeer
) -> None:
    async with session.get(sender.url) as response:
        wrong = bytes(CONTENT[HALF:-1]) + bytes([CONTENT[-1] ^ 1])
        await asyncio.to_thread(sender.socket.sendall, wrong)
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_a_head_says_what_it_will_be(session: aiohttp.ClientSession, sender: UploadPeer) -> None:
    async with session.head(sender.url) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(CONTENT)))


async def test_one_of_unknown_size_ends_when_it_is_whole(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    with chunked(server, "a.txt") as sender:
        sender.sendall(b"3\r\nabc\r\n")
        told = await browser.until(type="transfer", received=3)
        async with session.get(f"{server.url}files/{told['id']}/a.txt") as response:
            assert "Content-Length" not in response.headers
            assert await read(response, 2) == b"ab"
            sender.sendall(b"3\r\ndef\r\n0\r\n\r\n")
            assert await response.read() == b"cdef"

    with chunked(server, "b.txt") as sender:
        sender.sendall(b"3\r\nabc\r\n")
        told = await browser.until(type="transfer", received=3, name="b.txt")
        async with session.get(f"{server.url}files/{told['id']}/b.txt") as response:
            await read(response, 2)
            reset(sender)
            with pytest.raises(aiohttp.ClientError):
                await response.read()


async def test_an_old_reader_that_could_not_tell_the_end_from_a_break_is_refused(
    server: Server, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    with chunked(server, "a") as sender:
        sender.sendall(b"3\r\nabc\r\n")
        told = await browser.until(type="transfer", received=3)

        def old() -> bytes:
            with socket.create_connection(server.address, PATIENCE_S) as reader:
                reader.sendall(f"GET /files/{told['id']}/a HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                return everything(reader)

        assert b" 503 " in (await asyncio.to_thread(old)).partition(b"\r\n")[0]


async def test_a_reader_that_goes_is_not_waited_for(
    server: Server, session: aiohttp.ClientSession, sender: UploadPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early, "LOOK_S", 0.05)

    def handles() -> int:
        links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
        return sum("/parts/" in os.readlink(link) for link in links if os.path.islink(link))

    before = handles()
    async with session.get(sender.url) as response:
        await read(response, 1000)
        assert handles() == before + 1
        response.close()
    await eventually(lambda: handles() == before)
