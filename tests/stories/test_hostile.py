"""Senders who break off anywhere, come all at once or come again: bounded, and never a half file or a doubled word."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import observe
from tests.support.peers import PATIENCE_S, BrowserPeer, LinePeer, UploadPeer
from tests.support.process import Running
from tests.support.streams import everything, packed, request, reset

SENDERS = 50
BODY = b"0123456789" * 30


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for the many small facts of this file."""
    running = Running(tmp_path_factory.mktemp("house") / "data")
    yield running
    running.close()
    assert " ERROR " not in running.stderr, running.stderr


def test_fifty_senders_of_one_name_at_once_make_fifty_files(running: Running) -> None:
    contents = [f"{number} ".encode() * (1000 * number + 1) for number in range(SENDERS)]
    together = threading.Barrier(SENDERS)

    def push(number: int) -> None:
        if number % 2:
            with UploadPeer(running.address) as upload:
                together.wait(PATIENCE_S)
                upload.push("same.bin", contents[number], order="<>"[number % 4 == 3], reply=True)
                assert "seq" in upload.reply()
        else:
            together.wait(PATIENCE_S)
            assert observe.fetch(running.address, "PUT", "/same.bin", contents[number])[0] == 201

    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(push, range(SENDERS)))

    entries = observe.log(running.address)
    assert {entry["file"]["name"] for entry in entries} == {"same.bin"}
    assert len({entry["file"]["id"] for entry in entries}) == SENDERS
    expected = sorted(hashlib.sha256(content).hexdigest() for content in contents)
    assert sorted(entry["file"]["sha256"] for entry in entries) == expected
    assert sorted(observe.digest(running.address, entry) for entry in entries) == expected
    assert len(observe.files_in(running.data)[1]) == SENDERS


HEADER = packed(">", b"", file_name="cut.bin", file_size=len(BODY))
"""Big-endian: a lone first byte of a little-endian length may well be a letter, and then it is text."""
CUTS = {
    "before the header": 0,
    "after 1 byte of the length": 1,
    "after 3 bytes of the length": 3,
    "after the length": 4,
    "inside the header": len(HEADER) // 2,
    "before the last byte of the header": len(HEADER) - 1,
    "after the header": len(HEADER),
    "after 1 byte": len(HEADER) + 1,
    "before the last byte": len(HEADER) + len(BODY) - 1,
    "after the last byte": len(HEADER) + len(BODY),
    "1 byte into the next": len(HEADER) + len(BODY) + 1,
}


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("place", [pytest.param(place, id=name) for name, place in CUTS.items()])
def test_a_sender_that_breaks_off_leaves_a_whole_file_or_none(house: Running, place: int, how: str) -> None:
    already = len(observe.log(house.address))
    whole = place >= len(HEADER) + len(BODY)
    senders = []
    for _ in range(6):
        sender = socket.create_connection(house.address, PATIENCE_S)
        sender.sendall((HEADER + BODY + HEADER)[:place])
        senders.append(sender)
    for sender in senders[3:]:  # half of them when all has been read, half at once
        observe.all_read(house.port, [sender] if place else [])
    for sender in senders:
        if how == "RST":
            reset(sender)
        else:
            sender.shutdown(socket.SHUT_WR)
            assert everything(sender) == b""
            sender.close()

    expected = 6 if whole else 0
    observe.until(lambda: len(observe.log(house.address)) - already >= expected, "the whole files are there")
    entries = observe.log(house.address)
    observe.until(lambda: observe.files_in(house.data)[0] == [], "no part is left")
    assert len(entries) - already == expected
    assert all(entry["file"]["sha256"] == hashlib.sha256(BODY).hexdigest() for entry in entries)
    assert {path.name for path in observe.files_in(house.data)[1]} == {entry["file"]["id"] for entry in entries}


@pytest.mark.parametrize("size", [10_000, 200_000, 2_000_000])
def test_a_file_that_has_come_whole_is_done_though_its_sender_resets(running: Running, size: int) -> None:
    for number in range(5):
        sender = socket.create_connection(running.address, PATIENCE_S)
        sender.sendall(packed("<", b"x" * size, file_name=f"{number}.bin"))
        observe.delivered(sender)
        reset(sender)

    observe.until(lambda: len(observe.log(running.address)) == 5, "all five")
    assert {entry["file"]["size"] for entry in observe.log(running.address)} == {size}


def test_lines_that_have_come_are_all_said_though_their_client_resets(running: Running) -> None:
    lines = [f"line {number}" for number in range(5000)]
    client = socket.create_connection(running.address, PATIENCE_S)
    client.sendall("\n".join([*lines, ""]).encode())
    observe.delivered(client)
    reset(client)

    observe.until_said(running.address, lines)


async def test_a_file_that_broke_off_is_told_of_as_a_failed_transfer(
    running: Running, session: aiohttp.ClientSession
) -> None:
    watcher = await BrowserPeer.join(session, running.url)

    def break_off() -> None:
        with UploadPeer(running.address) as upload:
            upload.header(file_name="half.bin", file_size=1000)
            upload.socket.sendall(b"x" * 340)
            observe.all_read(running.port, [upload.socket])

    await asyncio.to_thread(break_off)
    failed = await watcher.until(type="transfer", state="failed")
    assert (failed["name"], failed["received"], failed["size"]) == ("half.bin", 340, 1000)
    assert "340 of 1000" in failed["reason"]
    await watcher.close()


@pytest.mark.parametrize(
    "broken",
    [
        request("PUT /a.bin HTTP/1.1", "Content-Length: 1000", body=b"half"),
        request("POST / HTTP/1.1", "Content-Length: 1000", body=b"half"),
        request("PUT /a.bin HTTP/1.1", "Transfer-Encoding: chunked", body=b"5\r\nhalf"),
        request("PUT /a.bin HTTP/1.1", "Transfer-Encoding: chunked", body=b"4\r\nhalf\r\n"),
        request("PUT /a.bin HTTP/1.1", "Transfer-Encoding: chunked", body=b"4\r\nhalf and more\r\n0\r\n\r\n"),
        request("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"zz\r\nhalf\r\n0\r\n\r\n"),
    ],
    ids=["PUT", "POST", "inside a chunk", "between chunks", "a chunk too long", "a chunk without a size"],
)
@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_a_request_whose_body_breaks_off_leaves_nothing_and_is_no_fault_of_ours(
    house: Running, broken: bytes, how: str
) -> None:
    already = len(observe.log(house.address))
    sender = socket.create_connection(house.address, PATIENCE_S)
    sender.sendall(broken)
    observe.all_read(house.port, [sender])
    if how == "RST":
        reset(sender)
    else:
        sender.shutdown(socket.SHUT_WR)
        everything(sender)
        sender.close()

    observe.until(lambda: observe.files_in(house.data)[0] == [], "no part is left")
    assert len(observe.log(house.address)) == already


LYING = {
    "size as text": b'{"file_name":"a","file_size":"5"}',
    "negative size": b'{"file_name":"a","file_size":-1}',
    "size beyond all": b'{"file_name":"a","file_size":1e999}',
    "size of 5000 digits": b'{"file_name":"a","file_size":' + b"9" * 5000 + b"}",
    "true as size": b'{"file_name":"a","file_size":true}',
    "no name": b'{"file_size":5}',
    "no object": b'{"file_name"',
    "a bomb of brackets": b'{"a":' + b"[" * 60_000,
    "a lone surrogate": b'{"file_name":"\\ud800","file_size":5}',
    "not UTF-8": b'{"file_name":"\xff","file_size":5}',
}


@pytest.mark.parametrize("described", [pytest.param(value, id=key) for key, value in LYING.items()])
def test_a_header_that_lies_is_closed_without_a_word_and_costs_nothing(house: Running, described: bytes) -> None:
    already = len(observe.log(house.address))
    with socket.create_connection(house.address, PATIENCE_S) as sender:
        sender.sendall(struct.pack("<i", len(described)) + described + b"hello")
        assert everything(sender) == b""
    assert len(observe.log(house.address)) == already
    assert observe.files_in(house.data)[0] == []


def test_headers_that_never_come_cost_no_memory(running: Running) -> None:
    before = observe.rss_bytes(running.process.pid)
    senders = [socket.create_connection(running.address, PATIENCE_S) for _ in range(200)]
    for sender in senders:
        sender.sendall(struct.pack("<i", 65_535) + b'{"file_name":"')
    observe.all_read(running.port, senders)
    assert observe.rss_bytes(running.process.pid) - before < 16 * 1024 * 1024
    with LinePeer(running.address) as line:
        line.say("")
        assert line.read().startswith("* welcome")
    for sender in senders:
        sender.close()


async def test_a_repeated_key_is_answered_with_the_first_entry_to_that_seat_alone(
    running: Running, session: aiohttp.ClientSession
) -> None:
    author = await BrowserPeer.join(session, running.url, client="secret", after=0)
    same = await BrowserPeer.join(session, running.url, client="secret", after=0)
    other = await BrowserPeer.join(session, running.url, client="else", after=0)
    await author.say("k", "first words")
    first = await author.entry()
    assert [await peer.entry() for peer in (same, other)] == [first, first]

    await author.say("k", "other words")
    assert await author.entry() == first
    again = {"X-Client": "secret", "X-Key": "k"}
    async with session.post(running.url, data="yet other words", headers=again) as response:
        assert (response.status, await response.json()) == (200, first)
    await other.say("k", "the same key of another author is another message")
    second = await other.entry()
    assert second["seq"] > first["seq"]

    assert [await peer.entry() for peer in (author, same)] == [second, second], "nobody else heard the repetition"
    assert await asyncio.to_thread(observe.log, running.address) == [first, second]
    for peer in (author, same, other):
        await peer.close()


async def test_a_browser_comes_back_to_a_restarted_server_without_loss_or_doubles(
    running: Running, session: aiohttp.ClientSession
) -> None:
    before = await BrowserPeer.join(session, running.url, client="c", after=0)
    for number in range(20):
        await before.say(f"k{number}", f"{number}")
    heard = [await before.entry() for _ in range(15)]
    epoch, after = before.hello["epoch"], heard[-1]["seq"]
    await asyncio.to_thread(running.kill)
    await before.close()
    await asyncio.to_thread(running.start)
    for number in range(20, 30):
        assert (await asyncio.to_thread(observe.fetch, running.address, "POST", "/", f"{number}".encode()))[0] == 201

    back = await BrowserPeer.join(session, running.url, client="c", after=after, epoch=epoch)
    assert back.hello["epoch"] == epoch
    assert back.hello["you"]["id"] == before.hello["you"]["id"]
    heard += await _to_the_end(back)
    log = await asyncio.to_thread(observe.log, running.address)
    assert heard == log
    texts = [int(entry["text"]) for entry in log]
    assert texts == sorted(set(texts))
    assert set(range(15)) | set(range(20, 30)) <= set(texts), "all that was acknowledged"
    await back.close()


@pytest.mark.parametrize(
    "place", [{"after": 3, "epoch": "another"}, {"after": 10_000}], ids=["epoch", "beyond the end"]
)
async def test_a_place_in_another_log_gets_a_gap_and_the_newest_fifty(
    running: Running, session: aiohttp.ClientSession, place: dict[str, Any]
) -> None:
    with LinePeer(running.address) as line:
        for number in range(70):
            line.say(f"{number}")
        await asyncio.to_thread(observe.until, lambda: len(observe.log(running.address)) == 70)
    if "epoch" not in place:
        place = {**place, "epoch": json.loads(observe.fetch(running.address, "GET", "/r/lobby/entries")[2])["epoch"]}

    browser = await BrowserPeer.join(session, running.url, **place)
    gap = await browser.read()
    assert gap == {"type": "gap", "from": None, "to": None}
    assert [int(entry["text"]) for entry in await _to_the_end(browser)] == list(range(20, 70))
    await browser.close()


async def _to_the_end(browser: BrowserPeer) -> list[dict[str, Any]]:
    """Entries up to the one that was newest when it sat down."""
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["seq"] < browser.hello["last_seq"]:
        heard.append(await browser.entry())
    return heard


def test_names_of_files_never_become_paths(running: Running, tmp_path: Path) -> None:
    names = [
        "../../up.txt",
        "/etc/passwd",
        "..\\..\\up.txt",
        "C:\\up.txt",
        ".",
        "..",
        "",
        "a/b/c",
        "\0",
        "x" * 500,
        "NUL",
    ]
    before = {path for path in tmp_path.rglob("*") if running.data not in path.parents}
    with UploadPeer(running.address) as upload:
        for name in names:
            upload.push(name, name.encode(), reply=True)
            assert "seq" in upload.reply()

    assert {path for path in tmp_path.rglob("*") if running.data not in path.parents} == before
    entries = observe.log(running.address)
    assert len(entries) == len(names)
    for entry, name in zip(entries, names, strict=True):
        kept = entry["file"]["name"]
        assert kept
        assert not set(kept) & set("/\\\0")
        assert kept not in (".", "..")
        assert observe.digest(running.address, entry) == hashlib.sha256(name.encode()).hexdigest()
