"""A secret may stand wherever a client can put one; no log repeats it, however much is logged."""

from __future__ import annotations

import json
import socket
import sqlite3
import struct
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.support.peers import PATIENCE_S, BrowserPeer, DatagramPeer, LinePeer, UploadPeer
from tests.support.process import Running
from tests.support.streams import everything, request, reset

SECRET = "S3cr3t-of-a-client"
HEADERS = (f"Authorization: Bearer {SECRET}", f"Cookie: roombridge={SECRET}")


def asked(address: tuple[str, int], line: str, *headers: str, body: str = "", host: str = "localhost") -> bytes:
    """One request with a secret in every header that may hold one; what came back."""
    head = "\r\n".join((line, f"Host: {host}", "Connection: close", *HEADERS, *headers, "", ""))
    with socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall((head + body).encode("latin-1"))
        return everything(connection)


def lively_http(address: tuple[str, int]) -> None:
    """Requests that are answered, refused, broken off, and no HTTP at all."""
    query = f"token={SECRET}&client={SECRET}"
    for line in (
        f"GET /?{query} HTTP/1.1",
        f"GET /nowhere?{query} HTTP/1.1",
        f"GET /r/lobby/entries?after=x&{query} HTTP/1.1",
        f"GET /r/lobby/ws?client={SECRET * 9} HTTP/1.1",
        f"BREW /?{query} HTTP/1.1",
        f"GET /?{query} HTTP/1.9",
        f"GET  /?{query}  x HTTP/1.1",
        f"PUT /r/no%20room/a?{query} HTTP/1.1",
        f"GET /{'a' * 9000}?{query} HTTP/1.1",
        f"GET http://[bad/?{query} HTTP/1.1",
    ):
        asked(address, line)
    asked(address, f"POST /?{query} HTTP/1.1", "Content-Length: 5", f"X-Client: {SECRET}", body="hello")
    asked(address, f"POST /?{query} HTTP/1.1", "Content-Length: 5", f"X-Client: {SECRET * 9}", body="hello")
    asked(address, f"POST /?{query} HTTP/1.1", "Content-Length: nonsense")
    asked(address, f"GET /?{query} HTTP/1.1", host="evil.example")
    asked(address, f"GET /?{query} HTTP/1.1", f"Cookie: a={SECRET}\0")
    asked(address, f"GET /?{query} HTTP/1.1", f"Co okie: a={SECRET}")
    asked(address, f"GET /?{query} HTTP/1.1", *[f"X-{number}: {SECRET}" for number in range(100)])
    asked(address, f"POST /?{query} HTTP/1.1", "Transfer-Encoding: chunked", body=f"{SECRET}\r\n")
    broken = socket.create_connection(address, PATIENCE_S)
    broken.sendall(request(f"PUT /a.bin?{query} HTTP/1.1", *HEADERS, "Content-Length: 9", body=b"x"))
    reset(broken)


def lively_natives(address: tuple[str, int]) -> None:
    with LinePeer(address) as line, DatagramPeer(address) as datagrams:
        line.say(f"/pass {SECRET}")
        line.read_until("that is not the secret")
        line.say(f"/pas {SECRET}")
        datagrams.say(f"/pass {SECRET}")
        line.say(f"GET /?token={SECRET} HTTP/1.1")
        assert datagrams.read().startswith("* welcome")
    with UploadPeer(address) as upload:
        upload.push("a.txt", b"a", token=SECRET, reply=True)
        assert "seq" in upload.reply()
        upload.push("a.txt", b"a", token=SECRET, room="no room", reply=True)
        assert "error" in upload.reply()
    for header in (
        f'{{"file_name":"a","file_size":"x","token":"{SECRET}"}}',
        f'{{"token":"{SECRET}"',
        f'{{"token":"{SECRET}","file_name":7}}',
        f'{{"{SECRET}":"{SECRET}","file_name":"a","file_size":1}}x{SECRET}',
    ):
        with socket.create_connection(address, PATIENCE_S) as connection:
            connection.sendall(struct.pack("<i", len(header)) + header.encode())
            connection.shutdown(socket.SHUT_WR)
            everything(connection)


async def lively_browser(running: Running, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, running.url, client=SECRET, token=SECRET)
    await browser.say(f"key-of-{SECRET}", "hello")
    await browser.entry()
    bad: list[Any] = [{"type": "say", "text": 7, "key": SECRET}, {"type": SECRET}, {"type": "name", "name": ""}]
    await browser.send(*bad)
    await browser.until(type="error")
    await browser.ws.send_bytes(SECRET.encode())
    await browser.close()


def test_the_token_is_in_no_log_and_in_no_file_but_its_own(run: Callable[..., Running]) -> None:
    running = run("--token", "--log-level", "debug")
    for name in ("token", "host-token"):
        token = (running.data / name).read_text().strip()
        bearer = f"Authorization: Bearer {token}"
        for line in (
            f"GET /j/{token} HTTP/1.1",
            f"GET /j/{token}x HTTP/1.1",
            f"GET /j/{token}/x HTTP/1.1",
            f"GET /j/{token} HTTP/1.9",
            f"BREW /j/{token} HTTP/1.1",
            f"GET /?token={token} HTTP/1.1",
            f"GET /nowhere?token={token} HTTP/1.1",
            f"GET /r/lobby/entries?after=x&token={token} HTTP/1.1",
            f"GET /r/lobby?token={token}&token={token} HTTP/1.1",
        ):
            asked(running.address, line, bearer)
            asked(running.address, line, host="evil.example")
        asked(running.address, f"PUT /a.txt?token={token} HTTP/1.1", "Content-Length: 1", bearer, body="a")
        asked(running.address, f"POST /?token={token} HTTP/1.1", "Content-Length: 2", bearer, body="hi")
        form = f"token={token}&to=/"
        asked(running.address, "POST /j HTTP/1.1", f"Content-Length: {len(form)}", body=form)
    assert running.stop() == 0
    for name in ("token", "host-token"):
        token = (running.data / name).read_text().strip()
        assert token not in running.stderr
        for path in running.data.rglob("*"):
            if path.is_file() and path.name not in ("token", "host-token"):
                assert token.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("format", ["text", "json"])
async def test_no_log_holds_a_secret_of_a_client(
    run: Callable[..., Running], session: aiohttp.ClientSession, format: str
) -> None:
    running = run("--log-level", "debug", "--log-format", format)
    await lively_browser(running, session)
    lively_http(running.address)
    lively_natives(running.address)
    assert running.stop() == 0

    assert "closed 127.0.0.1:" in running.stderr, "it did log"
    assert SECRET not in running.stderr
    with sqlite3.connect(running.data / "log.sqlite3") as log:
        rows = "\n".join(log.iterdump())
    log.close()
    assert "hello" in rows
    assert SECRET not in rows.replace(json.dumps(f"key-of-{SECRET}")[1:-1], ""), "nor does the room's, but for a key"
