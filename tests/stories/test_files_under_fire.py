"""The file threats of docs/security.md, over every way in: whatever a sender does, no half file and no stray one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support import observe
from tests.support.peers import PATIENCE_S, UploadPeer
from tests.support.process import Running
from tests.support.streams import content, reset
from tests.test_gate import HOSTILE

BODY = content(1000)
SENDERS = 52  # of one name at once, divided among the ways in


def raw(name: str, body: bytes, size: int | None = None) -> tuple[bytes, bytes]:
    """Header and body of a raw file."""
    header = json.dumps({"file_name": name, "file_size": len(body) if size is None else size}).encode()
    return struct.pack("<i", len(header)) + header, body


def put(name: str, body: bytes, size: int | None = None) -> tuple[bytes, bytes]:
    """The same by PUT."""
    length = len(body) if size is None else size
    return f"PUT /{quote(name, safe='')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode(), body


def created(name: str, body: bytes, size: int | None = None) -> tuple[bytes, bytes]:
    """The same by tus, all in one request."""
    length = len(body) if size is None else size
    filename = base64.b64encode(name.encode("utf-8", "surrogatepass")).decode()
    head = (
        "POST /r/lobby/uploads HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
        f"Upload-Length: {length}\r\nUpload-Metadata: filename {filename}\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n"
    )
    return head.encode(), body


def form(name: str, body: bytes, size: int | None = None) -> tuple[bytes, bytes]:
    """The same as the only part of a form; without a name it would be an input that was left empty."""
    part = (
        f"--cut\r\nContent-Disposition: form-data; name=file; filename*=UTF-8''{quote(name or 'file', safe='')}\r\n\r\n"
    )
    end = b"\r\n--cut--"
    length = len(part) + (len(body) if size is None else size) + len(end)
    head = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=cut\r\n"
        f"Content-Length: {length}\r\n\r\n{part}"
    )
    return head.encode(), body + end


WAYS: dict[str, Callable[..., tuple[bytes, bytes]]] = {"raw": raw, "put": put, "tus": created, "form": form}


def send(running: Running, data: bytes, how: str = "closes", answered: bool = False) -> None:
    """Send and go; `answered`: not before the answer came, for what is whole over HTTP may be lost until then."""
    with socket.create_connection(running.address, PATIENCE_S) as sender:
        sender.sendall(data)
        if not answered:
            observe.all_read(running.port, [sender])
        else:
            assert sender.recv(100).startswith(b"HTTP/1.")
        if how == "resets":
            reset(sender)


def files(running: Running) -> list[dict[str, Any]]:
    """What a first byte and an end look like is a text: `)` may well be one. So only files count."""
    return [entry for entry in observe.log(running.address) if entry["type"] == "file"]


def halves(running: Running) -> list[str]:
    return [path.name for folder in ("parts", "uploads") for path in (running.data / folder).iterdir()]


@pytest.mark.parametrize("way", WAYS)
def test_a_sender_may_break_off_at_any_byte(running: Running, way: str) -> None:
    head, body = WAYS[way]("a.bin", BODY)
    whole = head + body
    for known, how in enumerate(("closes", "resets")):
        for size in (0, 1, len(head) - 1, len(head), len(head) + 1, len(whole) - 1):
            send(running, whole[:size], how)
        observe.until(lambda: halves(running) == [], "no half file is left")
        assert len(files(running)) == known == len(observe.files_in(running.data)[1])
        send(running, whole, how, answered=way != "raw")
        observe.until(lambda known=known: len(files(running)) == known + 1, "what was whole is there")
    for how in ("closes", "resets"):  # a byte too many harms nothing
        send(running, whole + b"\0", how, answered=way != "raw")
    # Over HTTP it is half of a bad request, which may take the good one with it.
    observe.until(lambda: way != "raw" or len(files(running)) == 4)
    observe.until(lambda: halves(running) == [])
    for entry in files(running):
        assert observe.digest(running.address, entry) == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize("way", WAYS)
def test_a_size_that_lies_makes_no_file_of_another_size(running: Running, way: str) -> None:
    for size in (1001, 2**40, 999):
        send(running, b"".join(WAYS[way]("a.bin", BODY, size)))
    if way == "raw":  # it is whole at its declared size; what follows is something else
        observe.until(lambda: len(files(running)) == 1)
    observe.until(lambda: halves(running) == [])
    for entry in files(running):
        assert entry["file"]["size"] == 999
        assert observe.digest(running.address, entry) == hashlib.sha256(BODY[:999]).hexdigest()


def all_at_once(running: Running, contents: list[bytes]) -> list[dict[str, Any]]:
    """The entries of files of one name, sent at the same time through all ways in."""

    async def one(number: int) -> None:
        way = list(WAYS.values())[number % len(WAYS)]
        reader, writer = await asyncio.open_connection(*running.address)
        head, body = way("same.txt", contents[number])
        for start in range(0, len(head + body), 300):
            writer.write((head + body)[start : start + 300])
            await writer.drain()
            await asyncio.sleep(0)
        if way is not raw:
            assert b" 201 " in await reader.readline()
        writer.close()
        await writer.wait_closed()

    async def all() -> None:
        await asyncio.gather(*(one(number) for number in range(len(contents))))

    asyncio.run(all())
    observe.until(lambda: len(observe.log(running.address)) == len(contents))
    return observe.log(running.address)


def test_many_of_one_name_at_once_are_as_many_files(running: Running) -> None:
    contents = [b"%03d" % number + BODY for number in range(SENDERS)]
    entries = all_at_once(running, contents)
    expected = {hashlib.sha256(content).hexdigest() for content in contents}
    assert {entry["file"]["sha256"] for entry in entries} == expected
    assert {observe.digest(running.address, entry) for entry in entries} == expected
    assert {entry["file"]["name"] for entry in entries} == {"same.txt"}
    assert len({entry["file"]["id"] for entry in entries}) == SENDERS and halves(running) == []


def test_the_same_bytes_at_once_are_as_many_files_and_on_the_disk_once(running: Running) -> None:
    """What one of them is taken back, trimmed or seen by, is no matter of the others."""
    entries = all_at_once(running, [BODY] * SENDERS)
    ids = {entry["file"]["id"] for entry in entries}
    assert len(ids) == SENDERS and {entry["file"]["name"] for entry in entries} == {"same.txt"}

    def kept() -> list[Path]:
        return observe.files_in(running.data)[1]

    observe.until(lambda: len(observe.inodes(kept())) == 1, "one and the same")
    assert {path.name for path in kept()} == ids and halves(running) == []
    status, _, answer = observe.fetch(
        running.address, "PUT", "/mine.txt", BODY, X_Client="me", Accept="application/json"
    )
    mine = json.loads(answer)
    assert status == 201 and len({entry["file"]["id"] for entry in [*entries, mine]}) == SENDERS + 1
    for path in kept()[: SENDERS // 2]:  # as if they had been trimmed
        path.unlink()
    observe.until(lambda: len(observe.inodes(kept())) == 1)
    left = {path.name for path in kept()}
    assert observe.fetch(running.address, "DELETE", mine["file"]["url"], X_Client="me")[0] == 200
    observe.until(lambda: mine["file"]["id"] not in {path.name for path in kept()})
    for entry in entries:
        status, _headers, body = observe.fetch(running.address, "GET", entry["file"]["url"])
        assert (status, body == BODY) == ((200, True) if entry["file"]["id"] in left else (404, False))


NAMES = [
    *(name for name in HOSTILE if not any("\ud800" <= char <= "\udfff" for char in name)),
    "\\..\\..\\x",
    'a"; filename=evil.sh',
    "～/../x",
    "....//....//x",
    "file:///etc/passwd",
    "../log.sqlite3",
    "log.sqlite3",
    "lock",
    "../uploads/x.json",
]


def test_no_name_reaches_a_path(running: Running, tmp_path: Path) -> None:
    def outside() -> set[Path]:
        return {path for path in tmp_path.rglob("*") if running.data not in path.parents}

    before = outside()
    inside = {path.name for path in running.data.iterdir()}
    for way, told in WAYS.items():
        wholes = [
            b"".join(told(name[:600], b"evil")) for name in NAMES
        ]  # the line of a request is as long as it may be
        for whole in [b"".join(wholes)] if way == "raw" else wholes:
            send(running, whole, answered=way != "raw")
    sent = len(NAMES) * len(WAYS)
    observe.until(lambda: len(observe.log(running.address)) == sent)
    assert outside() == before
    assert {path.name for path in running.data.iterdir()} == inside
    for entry in observe.log(running.address):
        name = entry["file"]["name"]
        assert name not in ("", ".", "..") and not set(name) & set('/\\\0\r\n"') and len(name.encode()) <= 200
        assert entry["file"]["sha256"] == hashlib.sha256(b"evil").hexdigest()
    blobs = observe.files_in(running.data)[1]
    assert len(blobs) == sent and all(re.fullmatch("[0-9a-f]{32}", blob.name) for blob in blobs)
    observe.until(lambda: len(observe.inodes(blobs)) == 1)


def test_a_restart_keeps_what_may_go_on_and_nothing_else(running: Running) -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    with UploadPeer(running.address) as plain, UploadPeer(running.address) as resumable:
        plain.header(file_name="a", file_size=1_000_000)  # a small one would be held in memory
        plain.socket.sendall(BODY[:500])
        resumable.header(file_name="b", file_size=1000, resume=True, reply=True, sha256=digest)
        assert resumable.reply() == {"offset": 0}
        resumable.socket.sendall(BODY[:500])
        observe.until(lambda: len(halves(running)) == 3)
        observe.all_read(running.port, [plain.socket, resumable.socket])
        observe.until(lambda: sum(path.stat().st_size == 500 for path in (running.data / "uploads").iterdir()) == 1)
        running.kill()
    running.start()
    assert not list((running.data / "parts").iterdir()) and len(halves(running)) == 2
    with UploadPeer(running.address) as resumable:
        resumable.header(file_name="b", file_size=1000, resume=True, reply=True, sha256=digest)
        assert resumable.reply() == {"offset": 500}
