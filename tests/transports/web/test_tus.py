"""tus, as conversations with a running server: what every client of it may rely on."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge import uploads as uploads_module
from bridge.server import Server
from tests.support.peers import PATIENCE_S, BrowserPeer, ask, entries, eventually
from tests.support.streams import reset

BYTES = {"Content-Type": "application/offset+octet-stream"}


def metadata(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def checksum(name: str, content: bytes) -> dict[str, str]:
    return {"Upload-Checksum": f"{name} {base64.b64encode(hashlib.new(name, content).digest()).decode()}"}


def kept(data: Path) -> list[str]:
    """What lies in the data folder of files that are not whole."""
    return sorted(path.name for folder in ("parts", "uploads") for path in (data / folder).iterdir())


class Tus:
    """A client of tus that does one step at a time."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, **headers: str) -> None:
        self._session = session
        self.top = server.url.rstrip("/")
        self.headers = {"Tus-Resumable": "1.0.0", **headers}

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> aiohttp.ClientResponse:
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self._session.request(method, self.top + path, data=body, headers=named) as response:
            await response.read()
            return response

    async def create(self, size: int, room: str = "lobby", body: Any = None, **headers: str) -> str:
        """The path of a new upload."""
        response = await self.ask("POST", f"/r/{room}/uploads", body, Upload_Length=str(size), **headers)
        assert response.status == 201, await response.text()
        assert response.headers["Tus-Resumable"] == "1.0.0"
        return response.headers["Location"]

    async def patch(self, path: str, offset: int, body: Any, **headers: str) -> aiohttp.ClientResponse:
        return await self.ask("PATCH", path, body, **BYTES, Upload_Offset=str(offset), **headers)

    async def offset(self, path: str) -> int:
        response = await self.ask("HEAD", path)
        assert response.status == 200
        return int(response.headers["Upload-Offset"])


@pytest.fixture
def tus(session: aiohttp.ClientSession, server: Server) -> Tus:
    return Tus(session, server)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def hang(server: Server, path: str, offset: int, length: int, sent: bytes, *headers: str) -> socket.socket:
    """A PATCH that announces `length` bytes and stops after `sent`, as a client does whose network went."""
    connection = socket.create_connection(server.address, PATIENCE_S)
    lines = [
        f"PATCH {path} HTTP/1.1",
        "Host: localhost",
        "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        f"Upload-Offset: {offset}",
        f"Content-Length: {length}",
        *headers,
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + sent)
    return connection


def status(connection: socket.socket) -> int:
    """What it was told."""
    with connection:
        return int(connection.recv(65_536).split(b" ")[1])


async def test_a_server_says_what_it_can_do(tus: Tus) -> None:
    for path in ("/r/lobby/uploads", "/r/lobby/uploads/any"):
        response = await tus.ask("OPTIONS", path)
        assert response.status == 204
        assert response.headers["Tus-Version"] == response.headers["Tus-Resumable"] == "1.0.0"
        assert response.headers["Tus-Extension"].split(",") == [
            "creation",
            "creation-with-upload",
            "termination",
            "expiration",
            "checksum",
        ]
        assert response.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"
        assert response.headers["Tus-Max-Size"] == str(64 * 1024**3)


async def test_a_file_in_pieces_is_one_entry_like_any_other(
    tus: Tus, session: aiohttp.ClientSession, server: Server, data: Path
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    path = await tus.create(11, Upload_Metadata=metadata(filename="../报告.pdf", name="小明", filetype="text/html"))
    first = await browser.until(type="transfer")
    assert (first["name"], first["received"], first["size"], first["state"]) == ("报告.pdf", 0, 11, "receiving")
    for offset, piece in ((0, b"hello "), (6, b"wor"), (9, b"ld")):
        assert await tus.offset(path) == offset
        response = await tus.patch(path, offset, piece)
        assert (response.status, response.headers["Upload-Offset"]) == (204, str(offset + len(piece)))
    entry = await browser.entry()
    assert entry["from"].items() >= {"name": "小明", "via": "http"}.items()
    file = entry["file"]
    assert (file["name"], file["size"], file["media_type"]) == ("报告.pdf", 11, "application/pdf")
    assert file["sha256"] == sha256(b"hello world")
    assert first["id"] == file["id"] == path.rpartition("/")[2]
    done = await browser.until(type="transfer", state="done")
    assert (done["id"], done["received"]) == (file["id"], 11)
    assert response.headers["Content-Location"] == file["url"]
    assert kept(data) == []
    async with session.get(tus.top + file["url"]) as got:
        assert await got.read() == b"hello world"


async def test_an_upload_that_is_complete_says_so_for_ever(tus: Tus) -> None:
    """The answer to the last bytes may be lost; a client that asks again must not begin anew."""
    path = await tus.create(3)
    await tus.patch(path, 0, b"abc")
    response = await tus.ask("HEAD", path)
    assert (response.headers["Upload-Offset"], response.headers["Upload-Length"]) == ("3", "3")
    assert (await tus.patch(path, 3, b"")).status == 409
    assert (await tus.ask("DELETE", path)).status == 409


async def test_creation_may_bring_the_bytes(tus: Tus, session: aiohttp.ClientSession, server: Server) -> None:
    path = await tus.create(6, body=b"abc", **BYTES)
    assert await tus.offset(path) == 3
    assert (await tus.patch(path, 3, b"def")).status == 204
    response = await tus.ask("POST", "/r/lobby/uploads", b"whole", **BYTES, Upload_Length="5")
    assert (response.status, response.headers["Upload-Offset"]) == (201, "5")
    assert [entry["file"]["sha256"] for entry in await entries(session, server.url)] == [
        sha256(b"abcdef"),
        sha256(b"whole"),
    ]


async def test_an_empty_file_is_there_when_it_is_created(
    tus: Tus, session: aiohttp.ClientSession, server: Server
) -> None:
    await tus.create(0, Upload_Metadata=metadata(filename="empty.txt"))
    (entry,) = await entries(session, server.url)
    assert (entry["file"]["name"], entry["file"]["size"]) == ("empty.txt", 0)


async def test_creation_that_breaks_off_leaves_nothing(
    tus: Tus, session: aiohttp.ClientSession, server: Server, data: Path
) -> None:
    """Nobody was told where it is, so nobody could go on with it."""
    browser = await BrowserPeer.join(session, server.url)
    head = (
        "POST /r/lobby/uploads HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 10\r\n"
        "Content-Type: application/offset+octet-stream\r\nContent-Length: 10\r\n\r\nabc"
    )
    with socket.create_connection(server.address, PATIENCE_S) as sender:
        sender.sendall(head.encode())
        await browser.until(type="transfer", received=3)
    await browser.until(type="transfer", state="failed")
    await eventually(lambda: kept(data) == [])


async def test_metadata_is_told_back(tus: Tus) -> None:
    said = metadata(filename="a.txt", filetype="text/plain", mood="好") + ",lonely"
    path = await tus.create(3, Upload_Metadata=said)
    response = await tus.ask("HEAD", path)
    assert response.headers["Upload-Metadata"] == said
    assert response.headers["Cache-Control"] == "no-store"
    assert "Upload-Metadata" not in (await tus.ask("HEAD", await tus.create(3))).headers


async def test_a_sender_takes_its_upload_back(
    tus: Tus, session: aiohttp.ClientSession, server: Server, data: Path
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    path = await tus.create(10)
    await tus.patch(path, 0, b"abc")
    assert kept(data)
    assert (await tus.ask("DELETE", path)).status == 204
    failed = await browser.until(type="transfer", state="failed")
    assert (failed["received"], failed["reason"]) == (3, "its sender took it back")
    assert kept(data) == []
    for method in ("HEAD", "DELETE"):
        assert (await tus.ask(method, path)).status == 404
    assert (await tus.patch(path, 3, b"d")).status == 404


REFUSED: dict[str, tuple[str, dict[str, str], int]] = {
    "no length": ("POST", {}, 400),
    "a length that is none": ("POST", {"Upload_Length": "ten"}, 400),
    "a length below zero": ("POST", {"Upload_Length": "-1"}, 400),
    "a length to be told later": ("POST", {"Upload_Defer_Length": "1"}, 400),
    "too large": ("POST", {"Upload_Length": str(64 * 1024**3 + 1)}, 413),
    "metadata that is none": ("POST", {"Upload_Length": "1", "Upload_Metadata": "filename *"}, 400),
    "a digest that is none": ("POST", {"Upload_Length": "1", "Upload_Metadata": metadata(sha256="00")}, 400),
    "a name that cannot be": ("POST", {"Upload_Length": "1", "Upload_Metadata": metadata(name="[a]")}, 400),
    "a checksum by nobody": ("POST", {"Upload_Length": "1", "Upload_Checksum": "md5 YQ==", **BYTES}, 400),
    "another version": ("POST", {"Upload_Length": "1", "Tus_Resumable": "0.2.2"}, 412),
    "a body that is packed": ("POST", {"Upload_Length": "1", "Content_Encoding": "gzip"}, 415),
}


async def test_what_is_refused_leaves_nothing(tus: Tus, data: Path) -> None:
    for what, (method, headers, expected) in REFUSED.items():
        body = b"a" if "Content-Type" in headers else None
        response = await tus.ask(method, "/r/lobby/uploads", body, **headers)
        assert response.status == expected, what
        if expected not in (415,):  # refused by the guard, before anybody knew what it was
            assert response.headers["Tus-Resumable"] == "1.0.0", what
        if expected == 412:
            assert response.headers["Tus-Version"] == "1.0.0"
        await eventually(lambda: kept(data) == [])
    assert (await tus.ask("POST", "/r/no room/uploads", Upload_Length="1")).status == 400


async def test_bytes_that_do_not_fit_change_nothing(tus: Tus) -> None:
    path = await tus.create(10)
    await tus.patch(path, 0, b"abc")
    assert (await tus.patch(path, 0, b"abc")).status == 409
    assert (await tus.patch(path, 4, b"e")).status == 409
    assert (await tus.ask("PATCH", path, b"d", **BYTES)).status == 400
    assert (await tus.ask("PATCH", path, b"d", Upload_Offset="3", Content_Type="text/plain")).status == 415
    assert (await tus.patch(path, 3, b"d", Tus_Resumable="2.0.0")).status == 412
    assert await tus.offset(path) == 3


async def test_a_method_may_be_named_in_a_header(tus: Tus) -> None:
    path = await tus.create(6)
    override = "X_HTTP_Method_Override"
    response = await tus.ask("POST", path, b"abc", **BYTES, Upload_Offset="0", **{override: "PATCH"})
    assert (response.status, response.headers["Upload-Offset"]) == (204, "3")
    assert (await tus.ask("POST", path, **{override: "HEAD"})).headers["Upload-Offset"] == "3"
    assert (await tus.ask("POST", path, **{override: "DELETE"})).status == 204
    assert (await tus.ask("POST", path)).status == 405
    assert (await tus.ask("PUT", path, b"abc")).status == 405


async def test_an_upload_is_its_creators_and_its_rooms(
    tus: Tus, session: aiohttp.ClientSession, server: Server
) -> None:
    alice = Tus(session, server, **{"X-Client": "alice"})
    eve = Tus(session, server, **{"X-Client": "eve"})
    path = await alice.create(10)
    for stranger in (eve, tus):
        assert (await stranger.ask("HEAD", path)).status == 404
        assert (await stranger.ask("DELETE", path)).status == 404
        assert (await stranger.patch(path, 0, b"evil")).status == 404
    assert (await alice.ask("HEAD", path.replace("lobby", "lab"))).status == 404
    assert await alice.offset(path) == 0
    # One that was begun by nobody in particular belongs to who knows where it is.
    path = await tus.create(10)
    assert await eve.offset(path) == 0
    assert len(path.rpartition("/")[2]) == 32  # 128 bits


@pytest.mark.parametrize("name", ["sha1", "sha256"])
async def test_bytes_with_a_checksum_count_only_if_they_are_right(
    tus: Tus, session: aiohttp.ClientSession, server: Server, name: str
) -> None:
    path = await tus.create(9)
    assert (await tus.patch(path, 0, b"abc", **checksum(name, b"abc"))).status == 204
    response = await tus.patch(path, 3, b"dxf", **checksum(name, b"def"))
    assert (response.status, response.headers["Tus-Resumable"]) == (460, "1.0.0")
    assert await tus.offset(path) == 3
    browser = await BrowserPeer.join(session, server.url)
    with hang(server, path, 3, 6, b"de", f"Upload-Checksum: {checksum(name, b'defghi')['Upload-Checksum']}"):
        await browser.until(type="transfer", received=5)
    assert await tus.offset(path) == 3
    assert (await tus.patch(path, 3, b"ghi", **checksum(name, b"xxx"))).status == 460
    assert (await tus.patch(path, 3, b"defghi", **checksum(name, b"defghi"))).status == 204
    (entry,) = await entries(session, server.url)
    assert entry["file"]["sha256"] == sha256(b"abcdefghi")


async def test_a_wrong_checksum_says_so_as_a_problem_too(tus: Tus) -> None:
    path = await tus.create(9)
    response = await tus.patch(path, 0, b"abc", **checksum("sha1", b"x"), Accept="application/json")
    assert response.content_type == "application/problem+json"
    assert (await response.json())["status"] == 460


async def test_a_digest_told_before_is_checked_before_the_file_is_announced(
    tus: Tus, session: aiohttp.ClientSession, server: Server, data: Path
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    path = await tus.create(3, Upload_Metadata=metadata(filename="a", sha256=sha256(b"abd")))
    response = await tus.patch(path, 0, b"abc")
    assert response.status == 400 and sha256(b"abc") in await response.text()
    assert (await browser.until(type="transfer", state="failed"))["reason"].startswith("sha256 is")
    assert await entries(session, server.url) == []
    assert kept(data) == [] and not [path for path in (data / "files").rglob("*") if path.is_file()]
    assert (await tus.ask("HEAD", path)).status == 404
    path = await tus.create(3, Upload_Metadata=metadata(filename="a", sha256=sha256(b"abc").upper()))
    assert (await tus.patch(path, 0, b"abc")).status == 204


async def test_an_upload_says_until_when_it_is_kept(
    tus: Tus, session: aiohttp.ClientSession, server: Server, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = await tus.ask("POST", "/r/lobby/uploads", Upload_Length="10")
    path = response.headers["Location"]
    for answer in (response, await tus.patch(path, 0, b"abc"), await tus.ask("HEAD", path)):
        left = parsedate_to_datetime(answer.headers["Upload-Expires"]) - parsedate_to_datetime(answer.headers["Date"])
        assert abs(left.total_seconds() - 24 * 3600) < 60
    assert "Upload-Expires" not in (await tus.patch(path, 3, b"defghij")).headers


# tusd's six cases: what goes wrong on a network


@pytest.mark.parametrize("how", ["closes", "resets"])
async def test_what_came_before_a_break_is_kept(
    tus: Tus, session: aiohttp.ClientSession, server: Server, how: str
) -> None:
    """NetworkClose and NetworkReset."""
    browser = await BrowserPeer.join(session, server.url)
    path = await tus.create(10)
    connection = hang(server, path, 0, 10, b"abc")
    await browser.until(type="transfer", received=3)
    reset(connection) if how == "resets" else connection.close()
    paused = await browser.until(type="transfer", state="paused")
    assert (paused["received"], paused["size"]) == (3, 10)
    assert await tus.offset(path) == 3
    late = await BrowserPeer.join(session, server.url)
    assert [(one["state"], one["received"]) for one in late.hello["transfers"]] == [("paused", 3)]
    assert (await tus.patch(path, 3, b"defghij")).status == 204
    assert (await late.entry())["file"]["sha256"] == sha256(b"abcdefghij")


async def test_a_sender_that_falls_silent_is_told_and_keeps_its_place(
    tus: Tus, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ReadTimeout."""
    monkeypatch.setattr("bridge.transports.web.body.SILENCE_S", 0.05)
    path = await tus.create(10)
    connection = hang(server, path, 0, 10, b"abc")
    assert await asyncio.to_thread(status, connection) == 408
    assert await tus.offset(path) == 3


async def test_who_asks_where_it_stands_takes_it_out_of_a_dead_hand(
    tus: Tus, session: aiohttp.ClientSession, server: Server
) -> None:
    """LockRelease: the old connection hangs; it is asked to stop, saves, and lets go."""
    browser = await BrowserPeer.join(session, server.url)
    path = await tus.create(10)
    dead = hang(server, path, 0, 10, b"abc")
    await browser.until(type="transfer", received=3)
    assert await tus.offset(path) == 3
    assert await asyncio.to_thread(status, dead) == 423
    assert (await tus.patch(path, 3, b"defghij")).status == 204


async def test_who_goes_on_at_the_right_place_takes_it_out_of_a_dead_hand(tus: Tus, server: Server) -> None:
    path = await tus.create(10)
    dead = hang(server, path, 0, 10, b"", "Expect: 100-continue")
    assert (await asyncio.to_thread(dead.recv, 1000)).startswith(b"HTTP/1.1 100")
    assert (await tus.patch(path, 0, b"abcdefghij")).status == 204
    assert await asyncio.to_thread(status, dead) == 423


async def test_of_two_at_once_one_wins_and_the_other_is_told(
    tus: Tus, session: aiohttp.ClientSession, server: Server
) -> None:
    ours, theirs = b"a" * 900_000, b"b" * 900_000
    for _ in range(5):
        path = await tus.create(len(ours))
        answers = await asyncio.gather(tus.patch(path, 0, ours), tus.patch(path, 0, theirs))
        told = sorted(one.status for one in answers)
        assert told[0] == 204 and told[1] in (409, 423), told
    said = await entries(session, server.url)
    assert len(said) == 5
    assert {entry["file"]["sha256"] for entry in said} <= {sha256(ours), sha256(theirs)}


@pytest.mark.parametrize("chunked", [False, True])
async def test_bytes_behind_the_end_are_not_taken(
    tus: Tus, session: aiohttp.ClientSession, server: Server, chunked: bool
) -> None:
    """LengthExceeded."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"abcd"

    path = await tus.create(10)
    response = await tus.patch(path, 0, pieces() if chunked else b"abcd" * 3)
    assert (response.status, response.headers["Upload-Offset"]) == (204, "10")
    (entry,) = await entries(session, server.url)
    assert (entry["file"]["size"], entry["file"]["sha256"]) == (10, sha256(b"abcdabcdab"))


async def test_one_that_is_taken_back_while_it_comes_ends_at_once(
    tus: Tus, session: aiohttp.ClientSession, server: Server, data: Path
) -> None:
    """Stop."""
    browser = await BrowserPeer.join(session, server.url)
    path = await tus.create(10)
    sender = hang(server, path, 0, 10, b"abc")
    await browser.until(type="transfer", received=3)
    assert (await tus.ask("DELETE", path)).status == 204
    assert await asyncio.to_thread(status, sender) == 423
    assert kept(data) == []
    await browser.until(type="transfer", state="failed")


# What lasts


async def test_a_pause_between_two_pieces_is_told_only_when_it_is_one(
    tus: Tus, session: aiohttp.ClientSession, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "BREATH_S", 0.2)
    browser = await BrowserPeer.join(session, server.url)
    path = await tus.create(10)
    await tus.patch(path, 0, b"abc")
    assert (await browser.until(type="transfer", received=3))["state"] == "receiving"
    await browser.until(type="transfer", state="paused")
    await tus.patch(path, 3, b"defghij")
    await browser.until(type="transfer", state="done")


async def test_too_many_unfinished_ones_are_refused(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "UNFINISHED_MAX", 2)
    path = await tus.create(1)
    await tus.create(1)
    response = await tus.ask("POST", "/r/lobby/uploads", Upload_Length="1")
    assert response.status == 503 and "2 uploads are unfinished" in await response.text()
    await tus.patch(path, 0, b"a")
    await tus.create(1)


async def test_a_page_of_another_origin_uploads_nothing(tus: Tus, data: Path) -> None:
    response = await tus.ask("POST", "/r/lobby/uploads", Upload_Length="3", Origin="http://evil.example")
    assert response.status == 403 and kept(data) == []


async def test_a_file_that_is_too_large_is_refused_before_it_comes(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(max_file_bytes=1000)
    tus = Tus(session, server)
    assert (await tus.ask("OPTIONS", "/r/lobby/uploads")).headers["Tus-Max-Size"] == "1000"
    assert (await tus.ask("POST", "/r/lobby/uploads", Upload_Length="1001")).status == 413


async def test_what_is_expected_is_answered_when_all_else_is_known(tus: Tus, server: Server) -> None:
    path = await tus.create(3)
    request = (
        f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 2\r\nContent-Length: 3\r\n"
        "Content-Type: application/offset+octet-stream\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    answer = await asyncio.to_thread(ask, server.address, request.encode())
    assert answer.status == 409
