"""A disk that is full: what cannot be stored is refused in every language, readers go on, and nothing is lost."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support import observe
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer, UploadPeer
from tests.support.process import Running
from tests.support.program import tool, unavailable

DISK_BYTES = 16 * 1024 * 1024
LONG = "x" * 12_000


class Disk:
    """A data folder that is a small disk of its own, to be filled to the last byte."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._filler = data / "filler"

    def fill(self) -> None:
        with self._filler.open("wb") as filler:
            block = b"\0" * 65536
            while block:
                try:
                    os.write(filler.fileno(), block)
                except OSError:
                    block = block[: len(block) // 2]

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "data"
    folder.mkdir()
    mount = [tool("mount"), "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        unavailable(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield Disk(folder)
    subprocess.run([tool("umount"), "--lazy", str(folder)], check=True)


@pytest.fixture
def running(disk: Disk, run: Callable[..., Running]) -> Running:
    """A server whose folder is on the small disk."""
    return run(data=disk.data)


async def test_a_browser_is_told_which_message_was_not_stored(
    disk: Disk, running: Running, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, running.url, client="c")
    await browser.say("before", LONG)
    await browser.until(key="before", type="text")
    disk.fill()

    await browser.say("k1", LONG)
    refused = await browser.until(type="error")
    assert (refused["code"], refused["key"]) == ("disk_full", "k1")
    await browser.send(*({"type": "say", "key": f"many-{number}", "text": LONG} for number in range(5)))
    assert {(await browser.until(type="error", code="disk_full"))["key"] for _ in range(5)} == {
        f"many-{number}" for number in range(5)
    }

    late = await BrowserPeer.join(session, running.url, after=0)
    assert (await late.entry())["key"] == "before", "readers go on"
    disk.free()
    await browser.say("k1", LONG)
    assert (await browser.until(key="k1", type="text"))["text"] == LONG
    assert (await late.entry())["key"] == "k1"
    await browser.close()
    await late.close()
    assert [entry["key"] for entry in await asyncio.to_thread(observe.log, running.address)] == ["before", "k1"]


def test_http_is_told_by_507(disk: Disk, running: Running) -> None:
    disk.fill()

    status, _headers, body = observe.fetch(running.address, "POST", "/", LONG.encode())
    assert (status, body.partition(b":")[0]) == (507, b"disk_full")
    status, _headers, body = observe.fetch(running.address, "POST", "/", LONG.encode(), Accept="application/json")
    assert (status, json.loads(body)["code"]) == (507, "disk_full")
    status, _headers, body = observe.fetch(running.address, "PUT", "/a.bin", LONG.encode())
    assert (status, body.partition(b":")[0]) == (507, b"disk_full")

    assert observe.log(running.address) == []
    disk.free()
    assert observe.fetch(running.address, "POST", "/", LONG.encode())[0] == 201
    assert observe.fetch(running.address, "PUT", "/a.bin", LONG.encode())[0] == 201
    assert [entry["type"] for entry in observe.log(running.address)] == ["text", "file"]


def test_socket_peers_are_told_by_a_notice(disk: Disk, running: Running) -> None:
    with LinePeer(running.address) as line, DatagramPeer(running.address) as datagrams:
        line.say("")
        datagrams.say("")
        assert line.read().startswith("* welcome")
        assert datagrams.read().startswith("* welcome")
        disk.fill()

        line.say(LONG)
        assert line.read() == "* not stored: the server's disk is full; nothing was stored"
        datagrams.say(LONG)
        assert datagrams.read() == "* not stored: the server's disk is full; nothing was stored\n"

        disk.free()
        line.say("there is room again")
        assert datagrams.read().endswith("] there is room again\n")
    assert observe.texts(running.address) == ["there is room again"]


def test_a_file_sender_who_asks_is_told_and_leaves_no_part(disk: Disk, running: Running) -> None:
    disk.fill()
    with UploadPeer(running.address) as upload:
        upload.push("a.bin", LONG.encode(), reply=True)
        assert upload.reply()["error"]["code"] == "disk_full"
    assert observe.files_in(disk.data) == ([], [])
    assert observe.log(running.address) == []

    disk.free()
    with UploadPeer(running.address) as upload:
        upload.push("a.bin", LONG.encode(), reply=True)
        assert "seq" in upload.reply()


def test_a_file_that_fills_the_disk_is_refused_and_its_bytes_given_back(disk: Disk, running: Running) -> None:
    film = b"\0" * (2 * DISK_BYTES)
    with UploadPeer(running.address) as upload:
        upload.push("film.mp4", film, reply=True)
        assert upload.reply()["error"]["code"] == "disk_full"
    observe.until(lambda: observe.files_in(disk.data) == ([], []))
    status, _headers, body = observe.fetch(running.address, "PUT", "/film.mp4", film)
    assert (status, body.partition(b":")[0]) == (507, b"disk_full")
    form = b"--cut\r\nContent-Disposition: form-data; name=a; filename=film.mp4\r\n\r\n" + film + b"\r\n--cut--\r\n"
    multipart = {"Content_Type": "multipart/form-data; boundary=cut"}
    status, _headers, body = observe.fetch(running.address, "POST", "/", form, **multipart)
    assert (status, body.partition(b":")[0]) == (507, b"disk_full")
    status, _headers, body = observe.fetch(
        running.address, "POST", "/r/lobby/uploads", Tus_Resumable="1.0.0", Upload_Length=str(len(film))
    )
    assert (status, body.partition(b":")[0]) == (507, b"disk_full")
    observe.until(lambda: observe.files_in(disk.data) == ([], []))
    assert not list((disk.data / "uploads").iterdir())

    assert observe.fetch(running.address, "POST", "/", b"chat goes on")[0] == 201
    assert observe.texts(running.address) == ["chat goes on"]


def test_an_upload_that_may_go_on_waits_for_the_disk_to_have_room(disk: Disk, running: Running) -> None:
    film = bytes(range(256)) * 4000
    tus = {"Tus_Resumable": "1.0.0", "Content_Type": "application/offset+octet-stream"}
    begun = observe.fetch(running.address, "POST", "/r/lobby/uploads", **tus, Upload_Length=str(len(film)))
    path = begun[1]["location"]
    disk.fill()
    status, _headers, body = observe.fetch(running.address, "PATCH", path, film, **tus, Upload_Offset="0")
    assert (status, body.partition(b":")[0]) == (507, b"disk_full")
    disk.free()
    offset = observe.fetch(running.address, "HEAD", path, **tus)[1]["upload-offset"]
    rest = film[int(offset) :]
    assert observe.fetch(running.address, "PATCH", path, rest, **tus, Upload_Offset=offset)[0] == 204
    (entry,) = observe.log(running.address)
    assert observe.digest(running.address, entry) == hashlib.sha256(film).hexdigest()


def test_nothing_acknowledged_is_lost_while_the_disk_fills_up_and_is_freed(disk: Disk, running: Running) -> None:
    acknowledged = []
    refused = 0
    for number in range(60):
        if number in (20, 45):
            disk.fill()
        if number in (30, 55):
            disk.free()
        status, _headers, body = observe.fetch(running.address, "POST", "/", f"{number} {LONG}".encode())
        assert status in (201, 507), body
        refused += status == 507
        if status == 201:
            acknowledged.append(json.loads(body))
    assert refused >= 10
    assert len(acknowledged) >= 40
    assert observe.log(running.address) == acknowledged

    assert running.stop() == 0
    running.start()
    assert observe.log(running.address) == acknowledged
    assert observe.fetch(running.address, "POST", "/", b"and on")[0] == 201


def test_a_server_stopped_on_a_full_disk_and_started_there_again_still_tells_what_it_holds(
    disk: Disk, running: Running
) -> None:
    assert observe.fetch(running.address, "POST", "/", b"kept")[0] == 201
    disk.fill()
    assert running.stop() == 0
    running.start()
    assert observe.texts(running.address) == ["kept"]
    assert observe.fetch(running.address, "POST", "/", LONG.encode())[0] == 507

    disk.free()
    assert observe.fetch(running.address, "POST", "/", b"and on")[0] == 201
    assert observe.texts(running.address) == ["kept", "and on"]


def test_a_server_that_cannot_open_its_log_for_a_full_disk_names_it_and_exits_2(disk: Disk, running: Running) -> None:
    assert running.stop() == 0
    disk.fill()
    with pytest.raises(AssertionError, match=r"roombridge: .*log\.sqlite3: "):
        running.start()
    assert running.process.returncode == 2

    disk.free()
    running.start()
    assert observe.texts(running.address) == []


# What stops first, and what last


def post(running: Running) -> int:
    return observe.fetch(running.address, "POST", "/", LONG.encode())[0]


def put(running: Running, size: int) -> tuple[int, str]:
    status, _headers, body = observe.fetch(running.address, "PUT", "/a.bin", b"x" * size)
    return status, body.decode()


def test_files_stop_at_the_reserve_and_chat_goes_on(disk: Disk, run: Callable[..., Running]) -> None:
    running = run("--reserve-bytes", "10000000", data=disk.data)
    assert put(running, 1_000_000)[0] == 201
    status, said = put(running, 6_000_000)
    assert status == 507
    assert said.startswith("disk_full: the server's disk is full: 6000000 bytes are wanted, ")
    assert said.endswith("10000000 are kept for chat (--reserve-bytes)\n")
    with UploadPeer(running.address) as upload:
        upload.push("b.bin", b"x" * 6_000_000, reply=True)
        assert upload.reply()["error"]["code"] == "disk_full"
    with subprocess.Popen(
        [tool("curl"), "-s", "-T", "-", running.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as of_no_size:
        said = of_no_size.communicate(b"x" * 6_000_000)[0].decode()
    assert said.startswith("disk_full: "), "found out on its way"
    assert len(observe.files_in(disk.data)[1]) == 1
    assert post(running) == 201


def test_ballast_lets_chat_go_on_when_the_disk_is_full_and_comes_back_with_the_space(
    disk: Disk, run: Callable[..., Running]
) -> None:
    running = run("--ballast-bytes", "800000", data=disk.data)
    ballast = disk.data / "ballast"
    assert ballast.stat().st_size == 800_000
    disk.fill()
    stored = 0
    while post(running) == 201:
        stored += 1
    assert stored > 20, "about what the ballast held"
    assert not ballast.exists()
    assert "the disk is full: 800000 bytes of ballast went overboard" in running.stderr
    assert len(observe.log(running.address)) == stored

    disk.free()
    assert post(running) == 201
    assert running.stop() == 0
    running.start()
    observe.until(ballast.exists)
    assert len(observe.log(running.address)) == stored + 1


def test_what_ballast_made_room_for_is_for_chat_alone(disk: Disk, run: Callable[..., Running]) -> None:
    running = run("--ballast-bytes", "800000", data=disk.data)
    disk.fill()
    while (disk.data / "ballast").exists():
        assert post(running) == 201
    assert shutil.disk_usage(disk.data).free > 100_000
    assert put(running, 10)[0] == 507
    assert post(running) == 201
