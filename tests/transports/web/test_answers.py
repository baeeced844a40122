"""What went wrong, said in HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bridge.model import Draft, Refused, StoreError
from bridge.server import Server
from bridge.store.files import DiskFiles
from bridge.store.sqlite import SqliteLog

WRONG: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "an unknown path": ("GET", "nothing/here", {}, 404, "not_found"),
    "an unknown file": ("GET", "files/0/a.txt", {}, 404, "not_found"),
    "an unknown part of the page": ("GET", "static/nothing.js", {}, 404, "not_found"),
    "a method that is not offered": ("DELETE", "rooms", {}, 405, "bad_request"),
    "a room that cannot be": ("GET", "r/a%20b", {}, 400, "bad_room"),
    "entries of such a room": ("GET", "r/a.b/entries", {}, 400, "bad_room"),
    "a post into such a room": ("POST", "r/a.b", {"data": b"hi"}, 400, "bad_room"),
    "a file into such a room": ("PUT", "r/a.b/c.txt", {"data": b"hi"}, 400, "bad_room"),
    "no number": ("GET", "r/lobby/entries?after=x", {}, 400, "bad_request"),
    "a number below zero": ("GET", "r/lobby/entries?after=-1", {}, 400, "bad_request"),
    "a limit of none": ("GET", "r/lobby/entries?limit=0", {}, 400, "bad_request"),
    "a number beyond everything": ("GET", f"r/lobby/entries?before={9**30}", {}, 400, "bad_request"),
    "a handshake without upgrade": ("GET", "r/lobby/ws", {}, 400, "bad_request"),
    "nothing to say": ("POST", "r/lobby", {}, 400, "empty"),
    "only a newline": ("POST", "r/lobby", {"data": b"\n"}, 400, "empty"),
    "a text that is too long": ("POST", "r/lobby", {"data": b"x" * (16 * 1024 + 1)}, 413, "too_long"),
    "a text that is far too long": ("POST", "r/lobby", {"data": b"x" * 1_000_000}, 413, "too_long"),
    "a control character": ("POST", "r/lobby", {"data": b"\x1b[31m"}, 400, "bad_text"),
    "bytes that are no text": ("POST", "r/lobby", {"data": b"\xff\xfe\x80"}, 400, "bad_text"),
    "a bad name": ("POST", "r/lobby", {"data": b"hi", "headers": {"X-Name": "[x]"}}, 400, "bad_name"),
    "a key that is too long": ("POST", "r/lobby", {"data": b"hi", "headers": {"X-Key": "k" * 65}}, 400, "bad_request"),
    "a secret that is too long": (
        "POST",
        "r/lobby",
        {"data": b"hi", "headers": {"X-Client": "c" * 65}},
        400,
        "bad_request",
    ),
    "a file that is too large": ("PUT", "r/lobby/a", {"data": b"x" * 1001}, 413, "too_large"),
    "a missing slash": ("PUT", "r/lobby", {"data": b"x"}, 404, "not_found"),
    "an encoded body": ("POST", "r/lobby", {"data": b"x", "headers": {"Content-Encoding": "gzip"}}, 415, "unsupported"),
    "a foreign page": ("POST", "r/lobby", {"data": b"x", "headers": {"Origin": "http://evil"}}, 403, "forbidden"),
    "another site": ("POST", "r/lobby", {"data": b"x", "headers": {"Sec-Fetch-Site": "cross-site"}}, 403, "forbidden"),
    "another host": ("GET", "rooms", {"headers": {"Host": "evil.example"}}, 421, "forbidden"),
    "an unknown expectation": ("POST", "r/lobby", {"data": b"hi", "headers": {"Expect": "x"}}, 417, "bad_request"),
}


@pytest.mark.parametrize(("method", "path", "more", "status", "code"), WRONG.values(), ids=WRONG.keys())
async def test_what_breaks_a_rule_is_a_problem_or_one_plain_line(
    serve: Callable[..., Awaitable[Server]],
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    more: dict[str, Any],
    status: int,
    code: str,
) -> None:
    server = await serve(max_file_bytes=1000)
    headers = {"Accept": "*/*", **more.get("headers", {})}
    async with session.request(method, server.url + path, data=more.get("data"), headers=headers) as response:
        assert response.status == status
        assert response.content_type == "text/plain"
        line = await response.text()
        assert line.startswith(f"{code}: ") and line.count("\n") == 1 and line.endswith("\n")
    for accept in ("application/json", "application/problem+json", "text/html,*/*;q=0.8"):
        headers["Accept"] = accept
        async with session.request(method, server.url + path, data=more.get("data"), headers=headers) as response:
            assert response.status == status
            assert response.content_type == "application/problem+json"
            document = await response.json(content_type=None)
            assert document.keys() == {"type", "title", "status", "detail", "code"}
            assert (document["status"], document["code"]) == (status, code)
            assert line == f"{code}: {document['detail']}\n"


async def test_who_sends_no_accept_gets_a_plain_line(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{server.url}nothing/here", skip_auto_headers=["Accept"]) as response:
        assert (await response.text()).startswith("not_found: ")


def answered(fault: Exception) -> Callable[[SqliteLog, Draft], asyncio.Future[None]]:
    def append(log: SqliteLog, draft: Draft) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(fault)
        return future

    return append


@pytest.mark.parametrize(
    ("fault", "status", "code", "retry"),
    [
        (Refused("disk_full", "the server's disk is full"), 507, "disk_full", None),
        (Refused("busy", "16384 drafts wait"), 503, "busy", "1"),
        (Refused("rate_limited", "too many"), 429, "rate_limited", "1"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "r/lobby"), ("PUT", "r/lobby/a.txt")])
async def test_what_cannot_be_stored_now_says_so(
    server: Server,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    fault: Refused,
    status: int,
    code: str,
    retry: str | None,
    method: str,
    path: str,
) -> None:
    monkeypatch.setattr(SqliteLog, "append", answered(fault))
    async with session.request(method, server.url + path, data=b"hi") as response:
        assert response.status == status
        assert response.headers.get("Retry-After") == retry
        assert await response.text() == f"{code}: {fault.message}\n"


async def test_a_full_disk_is_told_before_a_byte_is_taken(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(files: DiskFiles, size: int | None = None) -> None:
        raise Refused("disk_full", "the server's disk is full")

    monkeypatch.setattr(DiskFiles, "create", full)
    async with session.put(f"{server.url}a.txt", data=b"hi") as response:
        assert response.status == 507


@pytest.mark.parametrize(("method", "path"), [("POST", "r/lobby"), ("PUT", "r/lobby/a.txt"), ("GET", "rooms")])
async def test_a_fault_of_ours_is_500_and_logged_once(
    server: Server,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    faults_are_heard: list[logging.LogRecord],
    method: str,
    path: str,
) -> None:
    async def unreadable(log: SqliteLog, *query: object) -> None:
        raise StoreError("log: it burns")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteLog, "append", answered(StoreError("log: it burns")))
        patch.setattr(SqliteLog, "rooms", unreadable)
        body = None if method == "GET" else b"hi"
        async with session.request(method, server.url + path, data=body) as response:
            assert response.status == 500
            line = await response.text()
            assert line.startswith("busy: ") and "burns" not in line
    assert [record.name for record in faults_are_heard] == ["roombridge.web"]
    faults_are_heard.clear()
    async with session.request(method, server.url + path, data=body) as response:
        assert response.status in (200, 201)
