"""Raw files over TCP, as conversations with a running server."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import logging
import os
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.config import Config
from bridge.inlet import LEND_MIN_BYTES
from bridge.model import Draft, Refused, StoreError
from bridge.room import TRANSFER_S
from bridge.server import Server
from bridge.store.files import SMALL_BYTES, DiskPart
from bridge.store.sqlite import SqliteLog
from bridge.transports import upload
from tests.support.peers import PATIENCE_S, BrowserPeer, LinePeer, UploadPeer, entries, eventually


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def parts(data: Path) -> list[Path]:
    """What lies where files are put together."""
    return list((data / "parts").iterdir())


def blobs(data: Path) -> list[Path]:
    return [path for path in (data / "files").rglob("*") if path.is_file()]


async def content(session: aiohttp.ClientSession, server: Server, entry: dict[str, Any]) -> bytes:
    async with session.get(server.url.rstrip("/") + entry["file"]["url"]) as response:
        assert response.status == 200
        return await response.read()


async def test_a_file_is_in_the_room_at_its_declared_size(server: Server, session: aiohttp.ClientSession) -> None:
    """The connection stays open; nothing is awaited but the entry."""
    browser = await BrowserPeer.join(session, server.url)
    with UploadPeer(server.address) as sender:
        port = sender.socket.getsockname()[1]
        sender.push("报告.pdf", b"\0\1\2" * 1000)
        entry = await browser.entry()
        assert entry["type"] == "file" and entry["room"] == "lobby" and "text" not in entry
        seen = {"name": f"tcp-{port}", "via": "tcp", "addr": f"127.0.0.1:{port}"}
        assert entry["from"].items() >= seen.items()
        file = entry["file"]
        assert file == {
            "id": file["id"],
            "name": "报告.pdf",
            "size": 3000,
            "sha256": digest(b"\0\1\2" * 1000),
            "media_type": "application/pdf",
            "url": f"/files/{file['id']}/%E6%8A%A5%E5%91%8A.pdf",
        }
        assert await content(session, server, entry) == b"\0\1\2" * 1000


@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
async def test_many_files_come_over_one_connection(server: Server, session: aiohttp.ClientSession, order: str) -> None:
    """What follows a file's last byte is the next header, even if the two look alike."""
    header = struct.pack("<i", 2) + b"{}"
    contents = [b"one", b"", header * 100, b"x" * 300_000, b"GET / HTTP/1.1\r\n\r\n", b""]

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            for number, body in enumerate(contents):
                sender.push(f"{number}.bin", body, order)
            sender.socket.shutdown(socket.SHUT_WR)
            assert sender.socket.recv(1) == b""

    await asyncio.to_thread(conversation)
    said = await entries(session, server.url)
    assert [entry["file"]["name"] for entry in said] == [f"{number}.bin" for number in range(len(contents))]
    assert [await content(session, server, entry) for entry in said] == contents
    assert len({entry["from"]["id"] for entry in said}) == 1


async def test_large_files_and_what_follows_them_are_told_apart_however_they_are_cut(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    bodies = [chance.randbytes(size) for size in (9_000_000, 10, LEND_MIN_BYTES, 3_000_000, 700_000)]
    stream = b""
    for number, body in enumerate(bodies):
        header = json.dumps({"file_name": f"{number}", "file_size": len(body), "reply": True}).encode()
        stream += struct.pack("<i", len(header)) + header + body

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            left = memoryview(stream)
            while left:
                size = chance.choice((1, 3_000, 300_000, 2_500_000))
                sender.socket.sendall(left[:size])
                left = left[size:]
            assert [sender.reply()["sha256"] for _ in bodies] == [digest(body) for body in bodies]

    errands = 0

    def counted(part: DiskPart, data: Any, more: Any, take: Callable[..., int] = DiskPart._take) -> int:
        nonlocal errands
        taken = take(part, data, more)
        errands += taken > len(data)
        return taken

    monkeypatch.setattr(DiskPart, "_take", counted)
    await asyncio.to_thread(conversation)
    assert [await content(session, server, entry) for entry in await entries(session, server.url)] == bodies
    assert errands, "no writer asked the socket itself"


async def test_both_byte_orders_may_be_mixed(server: Server, session: aiohttp.ClientSession) -> None:
    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.push("little", b"1", "<")
            sender.push("big", b"2", ">")
            sender.push("little again", b"3", "<", reply=True)
            assert sender.reply()["sha256"] == digest(b"3")

    await asyncio.to_thread(conversation)
    assert [entry["file"]["name"] for entry in await entries(session, server.url)] == ["little", "big", "little again"]


async def test_files_that_come_byte_by_byte_are_the_same(server: Server, session: aiohttp.ClientSession) -> None:
    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            header = json.dumps({"file_name": "a", "file_size": 5}).encode()
            for byte in 2 * (struct.pack("<i", len(header)) + header + b"hello"):
                sender.socket.sendall(bytes((byte,)))
            sender.socket.shutdown(socket.SHUT_WR)
            assert sender.socket.recv(1) == b""

    await asyncio.to_thread(conversation)
    assert [entry["file"]["sha256"] for entry in await entries(session, server.url)] == [digest(b"hello")] * 2


async def test_a_sender_that_closes_at_its_last_byte_loses_nothing(
    server: Server, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    with UploadPeer(server.address) as sender:
        for number in range(50):
            sender.push(f"{number}", b"%d" % number * 1000)
    assert [(await browser.entry())["file"]["name"] for _ in range(50)] == [str(number) for number in range(50)]


async def test_a_reply_is_one_line_a_file_for_those_who_ask(server: Server, session: aiohttp.ClientSession) -> None:
    def conversation() -> list[dict[str, Any]]:
        with UploadPeer(server.address) as sender:
            sender.push("silent", b"1")
            sender.push("told.txt", b"22", reply=True)
            sender.push("silent too", b"333", reply=False)
            sender.push("told again", b"", reply=True)
            replies = [sender.reply(), sender.reply()]
            sender.socket.shutdown(socket.SHUT_WR)
            assert sender.socket.recv(1) == b""
            return replies

    replies = await asyncio.to_thread(conversation)
    _, second, _, fourth = await entries(session, server.url)
    assert replies == [
        {"seq": entry["seq"], "url": entry["file"]["url"], "sha256": entry["file"]["sha256"]}
        for entry in (second, fourth)
    ]


async def test_a_file_may_name_room_and_sender(server: Server, session: aiohttp.ClientSession) -> None:
    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.push("a", b"1", room="厨房", sender="小明")
            sender.push("b", b"2", sender="小红")
            sender.push("c", b"3", reply=True)
            sender.reply()

    await asyncio.to_thread(conversation)
    (kitchen,) = await entries(session, server.url, "厨房")
    assert (kitchen["room"], kitchen["file"]["name"], kitchen["from"]["name"]) == ("厨房", "a", "小明")
    second, third = await entries(session, server.url)
    assert second["from"]["name"] == "小红" and third["from"]["name"].startswith("tcp-")


async def test_a_taken_name_gets_the_same_suffix_each_time(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url, name="alice")
    with UploadPeer(server.address) as sender:
        for number in range(3):
            sender.push(str(number), b"", sender="Alice")
            assert (await alice.entry())["from"]["name"] == "Alice-2"


async def test_what_else_a_header_says_is_passed_over(server: Server, session: aiohttp.ClientSession) -> None:
    """Up to the longest header there is."""

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.push("a", b"1", token="x", mode=0o644, nested={"a": [1, None]}, reply=True)
            sender.reply()
            bare = len(json.dumps({"file_name": "b", "file_size": 1, "reply": True, "more": ""}))
            sender.push("b", b"1", reply=True, more="x" * (65_535 - bare))
            assert sender.reply()["sha256"] == digest(b"1")

    await asyncio.to_thread(conversation)


@pytest.mark.parametrize("spell", [str.lower, str.upper])
async def test_a_digest_that_is_given_is_checked(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, spell: Callable[[str], str]
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    right, wrong = spell(digest(b"right")), spell(digest(b"wrong"))

    def conversation() -> dict[str, Any]:
        with UploadPeer(server.address) as sender:
            sender.push("a", b"right", sha256=right, reply=True)
            assert sender.reply()["sha256"] == digest(b"right")
            sender.push("b", b"right", sha256=wrong, reply=True)
            return sender.reply()

    reply = await asyncio.to_thread(conversation)
    assert reply["error"]["code"] == "bad_request" and digest(b"right") in reply["error"]["message"]
    failed = await browser.until(type="transfer", state="failed")
    assert failed["reason"] == reply["error"]["message"]
    assert len(await entries(session, server.url)) == 1
    await eventually(lambda: len(blobs(tmp_path / "data")) == 1 and not parts(tmp_path / "data"))


HOSTILE = {
    "../../etc/passwd": "passwd",
    "/etc/passwd": "passwd",
    "..\\..\\windows\\win.ini": "win.ini",
    "C:\\boot.ini": "boot.ini",
    "C:evil.txt": "evil.txt",
    "..": "file",
    ".": "file",
    "": "file",
    "   ": "file",
    "/": "file",
    "a/": "file",
    "a\0b.txt": "ab.txt",
    "a\nb\r.txt": "ab.txt",
    "red\x1b[31m.txt": "red[31m.txt",
    "txt.\u202egpj.exe": "txt.gpj.exe",
    'a"b<c>d|e?f*g:h.txt': "a_b_c_d_e_f_g_h.txt",
    "CON": "CON_",
    "nul.txt": "nul_.txt",
    "COM¹.log": "COM¹_.log",
    "trailing. . .": "trailing",
    ".bashrc": ".bashrc",
    "e\u0301.txt": "é.txt",
    "фото.jpg": "фото.jpg",
    "长" * 100 + ".pdf": "长" * 65 + ".pdf",
    "x" * 300: "x" * 200,
    "%2e%2e%2fetc": "%2e%2e%2fetc",
    "; rm -rf ~": "; rm -rf ~",
    "👩‍👧.png": "👩‍👧.png",
}


async def test_a_hostile_name_is_only_data(server: Server, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    """No name reaches a path: the folder holds nothing but random ids, and nothing appears beside it."""
    before = {path for path in tmp_path.rglob("*") if (tmp_path / "data") not in path.parents}

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            for name in HOSTILE:
                sender.push(name, b"evil", reply=True)
                assert "error" not in sender.reply()

    await asyncio.to_thread(conversation)
    said = await entries(session, server.url)
    assert [entry["file"]["name"] for entry in said] == list(HOSTILE.values())
    assert sorted(path.name for path in blobs(tmp_path / "data")) == sorted(entry["file"]["id"] for entry in said)
    assert {path for path in tmp_path.rglob("*") if (tmp_path / "data") not in path.parents} == before
    for entry in said:
        assert await content(session, server, entry) == b"evil"


async def test_files_are_private_to_the_server(server: Server, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    browser = await BrowserPeer.join(session, server.url)
    with UploadPeer(server.address) as sender:
        sender.push("a.sh", b"#!/bin/sh")
        await browser.entry()
    (blob,) = blobs(tmp_path / "data")
    assert blob.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def packed(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<i", len(header) if length is None else length) + header


GOOD = b'{"file_name":"a","file_size":3}'
BAD_HEADERS = {
    "no JSON": packed(b"{nothing}"),
    "not closed": packed(b'{"file_name":"a","file_size":3'),
    "no name": packed(b'{"file_size":3}'),
    "no size": packed(b'{"file_name":"a"}'),
    "a name that is no string": packed(b'{"file_name":7,"file_size":3}'),
    "a size that is a string": packed(b'{"file_name":"a","file_size":"3"}'),
    "a size that is no integer": packed(b'{"file_name":"a","file_size":3.5}'),
    "a size that is a boolean": packed(b'{"file_name":"a","file_size":true}'),
    "a size that is null": packed(b'{"file_name":"a","file_size":null}'),
    "a size below zero": packed(b'{"file_name":"a","file_size":-1}'),
    "a size beyond everything": packed(b'{"file_name":"a","file_size":' + b"9" * 5000 + b"}"),
    "a size of infinity": packed(b'{"file_name":"a","file_size":1e999}'),
    "no number": packed(b'{"file_name":"a","file_size":NaN}'),
    "no UTF-8": packed(b'{"file_name":"\xff","file_size":3}'),
    "a lone surrogate": packed(b'{"file_name":"\\ud800","file_size":3}'),
    "no number in a field of no matter": packed(b'{"file_name":"a","file_size":3,"x":NaN}'),
    "a lone surrogate in a field of no matter": packed(b'{"file_name":"a","file_size":3,"x":"\\ud800"}'),
    "a bomb in a field of no matter": packed(b'{"file_name":"a","file_size":3,"x":' + b"[" * 60_000),
    "a byte order mark": packed(b"\xef\xbb\xbf" + b'{"file_name":"a","file_size":3}'),
    "a size with a fraction of nothing": packed(b'{"file_name":"a","file_size":3.0}'),
    "a room that is no string": packed(b'{"file_name":"a","file_size":3,"room":7}'),
    "a list in a bomb": packed(b'{"file_name":' + b"[" * 60_000 + b"}"),
    "text after the object": packed(GOOD + b" x"),
    "a reply that is no boolean": packed(b'{"file_name":"a","file_size":3,"reply":"yes"}'),
    "a second header of no length": packed(GOOD) + b"abc" + struct.pack("<i", 0) + b"{}",
    "a second header below zero": packed(GOOD) + b"abc" + struct.pack("<i", -5) + b"{}",
    "a second header that is too long": packed(GOOD) + b"abc" + struct.pack("<i", 70_000) + b"{",
    "a second header that is a list": packed(GOOD) + b"abc" + packed(b"[1,2]"),
    "a second header that is text": packed(GOOD) + b"abc" + b"hello everybody\n",
}


@pytest.mark.parametrize("sent", BAD_HEADERS.values(), ids=BAD_HEADERS.keys())
async def test_a_header_that_is_none_closes_without_a_word(
    server: Server, session: aiohttp.ClientSession, sent: bytes
) -> None:
    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            try:
                sender.socket.sendall(sent)
                assert sender.socket.recv(1) == b""
            except (ConnectionResetError, BrokenPipeError):
                pass

    await asyncio.to_thread(conversation)
    assert len(await entries(session, server.url)) == (1 if GOOD in sent and b"abc" in sent else 0)


@pytest.mark.parametrize("rest", [b"", b"x" * 5_000_000], ids=["nothing more", "a file behind it"])
@pytest.mark.parametrize(
    "fields",
    [{"file_size": -1}, {}, {"file_size": 3.0}, {"file_size": 3, "room": 7}],
    ids=["below zero", "no size", "a fraction of nothing", "a room that is no string"],
)
async def test_an_object_that_is_no_header_is_answered_if_a_reply_was_asked_for(
    server: Server, session: aiohttp.ClientSession, fields: dict[str, Any], rest: bytes
) -> None:
    """Its sender gets as far as reading that, whatever it sends behind it."""

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.header(file_name="a", reply=True, **fields)
            sender.socket.sendall(rest)
            error = sender.reply()["error"]
            assert error["code"] == "bad_request" and error["message"].startswith("the header: ")
            assert sender.socket.recv(1) == b""

    await asyncio.to_thread(conversation)
    assert await entries(session, server.url) == []


async def test_a_sender_that_goes_on_behind_an_answered_header_is_not_heard_for_ever(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "HEADER_S", 0.2)

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.header(file_name="a", reply=True)
            assert "error" in sender.reply()
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                deadline = time.monotonic() + PATIENCE_S
                while time.monotonic() < deadline:
                    sender.socket.sendall(b"x")

    await asyncio.to_thread(conversation)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "too large": ({"file_name": "a", "file_size": 5_000_001}, "too_large"),
    "a room that cannot be": ({"file_name": "a", "file_size": 5_000_000, "room": "a b"}, "bad_room"),
    "an empty room": ({"file_name": "a", "file_size": 5_000_000, "room": ""}, "bad_room"),
    "a sender that cannot be": ({"file_name": "a", "file_size": 5_000_000, "sender": "[a]"}, "bad_name"),
    "another digest": ({"file_name": "a", "file_size": 5_000_000, "sha256": "0" * 64}, "bad_request"),
    "no digest": ({"file_name": "a", "file_size": 0, "sha256": "x"}, "bad_request"),
}


@pytest.mark.parametrize("reply", [True, False])
@pytest.mark.parametrize(("header", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_refused_file_is_read_away_and_then_closed(
    serve: Callable[..., Awaitable[Server]],
    session: aiohttp.ClientSession,
    tmp_path: Path,
    header: dict[str, Any],
    code: str,
    reply: bool,
) -> None:
    """So that a sender which only sends gets as far as reading why; one that did not ask is told nothing."""
    server = await serve(max_file_bytes=5_000_000)

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.header(**header, reply=reply)
            sender.socket.sendall(b"x" * header["file_size"])
            if reply:
                error = sender.reply()["error"]
                assert error["code"] == code and error["message"]
            assert sender.socket.recv(1) == b""

    await asyncio.to_thread(conversation)
    assert await entries(session, server.url) == []
    await eventually(lambda: not parts(tmp_path / "data") and not blobs(tmp_path / "data"))


async def test_more_than_enough_of_a_refused_file_is_not_read(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "DRAIN_MAX_BYTES", 1_000_000)
    server = await serve(max_file_bytes=10)

    def conversation() -> int:
        sent = 0
        with UploadPeer(server.address) as sender:
            sender.header(file_name="a", file_size=2**40)
            try:
                while sent < 100_000_000:
                    sender.socket.sendall(b"x" * 100_000)
                    sent += 100_000
            except (ConnectionResetError, BrokenPipeError):
                return sent
        return sent

    assert await asyncio.to_thread(conversation) < 50_000_000


async def test_a_transfer_is_shown_from_its_header_to_its_end(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    with UploadPeer(server.address) as sender:
        sender.header(file_name="../a.txt", file_size=6, sender="小明")
        first = await browser.until(type="transfer")
        wanted = {"type", "id", "name", "from", "received", "size", "rate", "state", "reason", "code"}
        assert first.keys() == wanted and "seq" not in first
        assert (first["name"], first["received"], first["size"]) == ("a.txt", 0, 6)
        assert (first["state"], first["reason"], first["from"]["name"]) == ("receiving", None, "小明")
        sender.socket.sendall(b"abc")
        half = await browser.until(type="transfer", received=3)
        assert half["state"] == "receiving" and half["id"] == first["id"]
        late = await BrowserPeer.join(session, server.url)
        assert [(one["id"], one["received"]) for one in late.hello["transfers"]] == [(first["id"], 3)]
        sender.socket.sendall(b"def")
        entry = await late.entry()
        assert entry["file"]["id"] == first["id"]
        for peer in (browser, late):
            done = await peer.until(type="transfer", state="done")
            assert (done["received"], done["size"], done["reason"]) == (6, 6, None)
        after = await BrowserPeer.join(session, server.url)
        assert after.hello["transfers"] == []


async def test_a_transfer_is_not_told_of_more_often_than_ten_times_a_second(
    server: Server, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, server.url)

    def conversation() -> tuple[int, float]:
        started, sent = time.monotonic(), 0
        with UploadPeer(server.address) as sender:
            sender.header(file_name="a", file_size=10_000_000, reply=True)
            while time.monotonic() - started < 0.8 or sent <= 5000:
                sender.socket.sendall(b"x" * 100)
                sent += 100
                time.sleep(0.002)  # a slow sender, far above ten pieces a second
            sender.socket.sendall(b"x" * (10_000_000 - sent))
            sender.reply()
        return sent // 100, time.monotonic() - started

    pieces, seconds = await asyncio.to_thread(conversation)
    told = [await browser.until(type="transfer")]
    while told[-1]["state"] == "receiving":
        told.append(await browser.until(type="transfer"))
    assert pieces > 50
    assert len(told) <= seconds / TRANSFER_S + 2  # the first and the last come besides
    assert len(told) >= 5
    received = [one["received"] for one in told]
    assert received == sorted(received) and received[-1] == 10_000_000
    assert all(one["rate"] >= 0 for one in told)


@pytest.mark.parametrize("how", ["closes", "resets"])
@pytest.mark.parametrize("sent", [0, 1, 50, 99])
async def test_a_sender_that_breaks_off_leaves_only_a_failed_transfer(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, how: str, sent: int
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    sender = UploadPeer(server.address)
    sender.header(file_name="a.txt", file_size=100, reply=True)
    sender.socket.sendall(b"x" * sent)
    await browser.until(type="transfer", received=sent)
    if how == "resets":
        sender.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sender.close()
    failed = await browser.until(type="transfer", state="failed")
    assert (failed["name"], failed["received"], failed["size"]) == ("a.txt", sent, 100)
    assert failed["reason"] == f"the sender broke off after {sent} of 100 bytes"
    await eventually(lambda: not parts(tmp_path / "data"))
    assert blobs(tmp_path / "data") == []
    assert await entries(session, server.url) == []
    late = await BrowserPeer.join(session, server.url)
    assert late.hello["transfers"] == []


async def test_a_sender_that_breaks_off_keeps_what_was_complete(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    with UploadPeer(server.address) as sender:
        sender.push("whole", b"1")
        sender.header(file_name="half", file_size=2)
        sender.socket.sendall(b"1")
    assert (await browser.entry())["file"]["name"] == "whole"
    await browser.until(type="transfer", state="failed", name="half")
    assert len(await entries(session, server.url)) == 1


async def test_a_sender_that_ends_inside_a_header_leaves_nothing(
    server: Server, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, server.url)

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.push("whole", b"1")
            sender.socket.sendall(packed(GOOD)[:10])
            sender.socket.shutdown(socket.SHUT_WR)
            assert sender.socket.recv(1) == b""

    await asyncio.to_thread(conversation)
    assert (await browser.entry())["file"]["name"] == "whole"
    assert len(await entries(session, server.url)) == 1


@pytest.mark.parametrize("before", [b"", packed(GOOD) + b"abc"], ids=["the first", "a later one"])
async def test_a_header_that_takes_its_time_is_closed_without_a_word(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    """Counted from its first byte, however often another comes."""
    monkeypatch.setattr(upload, "HEADER_S", 0.5)

    def conversation() -> float:
        with UploadPeer(server.address) as sender:
            sender.socket.sendall(before + packed(GOOD)[:9])
            sender.socket.settimeout(0.05)
            started = time.monotonic()
            while time.monotonic() - started < PATIENCE_S:
                try:
                    sender.socket.sendall(b" ")
                    assert sender.socket.recv(1) == b""
                    break
                except TimeoutError:
                    continue
                except (ConnectionResetError, BrokenPipeError):
                    break
            return time.monotonic() - started

    assert 0.4 < await asyncio.to_thread(conversation) < PATIENCE_S
    assert len(await entries(session, server.url)) == bool(before)


async def test_each_header_has_a_time_of_its_own(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that begins in the same piece in which the file before it ends."""
    monkeypatch.setattr(upload, "HEADER_S", 1.0)
    whole = packed(GOOD) + b"abc"
    browser = await BrowserPeer.join(session, server.url)
    with UploadPeer(server.address) as sender:
        sender.socket.sendall(whole[:9])
        await asyncio.sleep(0.3)  # it is waited for
        sender.socket.sendall(whole[9:-1])
        await browser.until(type="transfer", received=2)
        await asyncio.sleep(1.0)  # the time of the first header is over
        sender.socket.sendall(whole[-1:] + whole[:9])
        await browser.entry()
        sender.socket.sendall(whole[9:])
        await browser.entry()


async def test_between_two_files_a_sender_may_take_its_time(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "HEADER_S", 0.1)
    monkeypatch.setattr(upload, "SILENCE_S", 0.1)

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            for number in range(2):
                sender.push(f"{number}", b"abc", reply=True)
                assert "seq" in sender.reply()
                time.sleep(0.3)  # three times as long as it may pause elsewhere

    await asyncio.to_thread(conversation)
    assert len(await entries(session, server.url)) == 2


@pytest.mark.parametrize("size", [100, 5_000_000])
async def test_a_sender_that_falls_silent_inside_a_file_has_broken_off(
    serve: Callable[..., Awaitable[Server]],
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    """Also inside one that is refused, and only read away."""
    monkeypatch.setattr(upload, "SILENCE_S", 0.2)
    server = await serve(max_file_bytes=1000)
    browser = await BrowserPeer.join(session, server.url)

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.header(file_name="a", file_size=size)
            sender.socket.sendall(b"x" * 99)
            assert sender.socket.recv(1) == b""

    await asyncio.to_thread(conversation)
    if size == 100:
        assert (await browser.until(type="transfer", state="failed"))["received"] == 99
    assert await entries(session, server.url) == []


async def test_line_clients_hear_of_files(server: Server) -> None:
    def conversation() -> None:
        with LinePeer(server.address) as alice, UploadPeer(server.address) as sender:
            alice.say("/time")
            assert alice.read().startswith("* welcome") and alice.read().startswith("* ")
            sender.push("a b.txt", b"123", sender="bob")
            line = alice.read()
            assert line.startswith(f"[bob] sent a b.txt (3 bytes) {server.url}files/") and line.endswith("/a%20b.txt")

    await asyncio.to_thread(conversation)


async def test_files_of_one_name_at_once_are_files_of_their_own(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    def conversation() -> list[str]:
        senders = [UploadPeer(server.address) for _ in range(30)]
        for number, sender in enumerate(senders):
            sender.header(file_name="same.txt", file_size=1000, reply=True)
            sender.socket.sendall(b"%03d" % number)
        for sender in senders:
            sender.socket.sendall(b"x" * 997)
        replies = [sender.reply()["sha256"] for sender in senders]
        for sender in senders:
            sender.close()
        return replies

    replies = await asyncio.to_thread(conversation)
    assert replies == [digest(b"%03d" % number + b"x" * 997) for number in range(30)]
    said = await entries(session, server.url)
    assert sorted(entry["file"]["sha256"] for entry in said) == sorted(replies)
    assert len({entry["file"]["id"] for entry in said}) == 30 and len(blobs(tmp_path / "data")) == 30


@pytest.mark.parametrize("room_bytes", [0, 4_000_000], ids=["from the first byte", "in the midst of it"])
async def test_a_full_disk_refuses_the_file_and_leaves_nothing(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room_bytes: int
) -> None:
    written = 0

    def small(part: DiskPart, data: memoryview, write: Callable[..., None] = DiskPart._write) -> None:
        nonlocal written
        written += len(data)
        if written > room_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(part, data)

    browser = await BrowserPeer.join(session, server.url)

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.push("a", b"x" * 9_000_000, reply=True)
            assert sender.reply()["error"]["code"] == "disk_full"
            assert sender.socket.recv(1) == b""

    monkeypatch.setattr(DiskPart, "_write", small)
    await asyncio.to_thread(conversation)
    assert (await browser.until(type="transfer", state="failed"))["reason"] == "the server's disk is full"
    await eventually(lambda: not parts(tmp_path / "data"))
    assert await entries(session, server.url) == []


@pytest.mark.parametrize(
    ("fault", "code", "ours"),
    [(Refused("disk_full", "no room for an entry"), "disk_full", 0), (StoreError("log: it burns"), "busy", 1)],
)
async def test_a_file_that_cannot_be_announced_is_not_kept(
    server: Server,
    session: aiohttp.ClientSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    faults_are_heard: list[logging.LogRecord],
    fault: Exception,
    code: str,
    ours: int,
) -> None:
    def broken(log: SqliteLog, draft: Draft) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(fault)
        return future

    browser = await BrowserPeer.join(session, server.url)

    def conversation() -> None:
        with UploadPeer(server.address) as sender:
            sender.push("a", b"x", reply=True)
            assert sender.reply()["error"]["code"] == code
            assert sender.socket.recv(1) == b""

    monkeypatch.setattr(SqliteLog, "append", broken)
    await asyncio.to_thread(conversation)
    assert (await browser.until(type="transfer", state="failed"))["reason"]
    await eventually(lambda: not parts(tmp_path / "data") and not blobs(tmp_path / "data"))
    assert [record.name for record in faults_are_heard] == ["roombridge.upload"] * ours
    faults_are_heard.clear()


async def test_a_server_that_goes_keeps_no_half_file(tmp_path: Path) -> None:
    async with Server(Config(port=0, data=tmp_path / "data")) as server:
        sender = UploadPeer(server.address)
        sender.header(file_name="a", file_size=SMALL_BYTES + 1)
        sender.socket.sendall(b"x")
        await eventually(lambda: parts(tmp_path / "data"))
    with sender:
        sender.socket.settimeout(PATIENCE_S)
        assert sender.socket.recv(1) == b""
    assert parts(tmp_path / "data") == []
