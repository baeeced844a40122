"""A backup is whole whenever it is made, and what is restored from it says that it is another log."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.commands import copy
from bridge.model import StoreError
from tests.support import observe
from tests.support.peers import BrowserPeer
from tests.support.process import CHECKOUT, Running
from tests.support.program import done, tool, unavailable


def roombridge(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return done(sys.executable, "-m", "bridge", *arguments, env={"PYTHONPATH": str(CHECKOUT)})


def post(running: Running, text: str) -> dict[str, Any]:
    status, _headers, body = observe.fetch(running.address, "POST", "/", text.encode())
    assert status == 201, body
    return json.loads(body)


def put(running: Running, name: str, content: bytes) -> dict[str, Any]:
    status, _headers, body = observe.fetch(running.address, "PUT", f"/{name}", content, Accept="application/json")
    assert status == 201, body
    return json.loads(body)


def epoch(running: Running) -> str:
    return json.loads(observe.fetch(running.address, "GET", "/r/lobby/entries?limit=1")[2])["epoch"]


def refused(*arguments: object) -> str:
    ended = roombridge(*arguments)
    assert (ended.returncode, ended.stdout) == (2, b""), ended
    said = ended.stderr.decode()
    assert said.startswith("roombridge: ") and said.count("\n") == 1, said
    return said


def test_while_everybody_talks_and_sends_a_backup_holds_all_that_was_acknowledged_before_it(
    run: Callable[..., Running], running: Running, tmp_path: Path
) -> None:
    """Five backups while two write; each is restored, and served."""
    acknowledged: list[dict[str, Any]] = []
    over = threading.Event()

    def talk() -> None:
        while not over.is_set():
            acknowledged.append(post(running, f"text {len(acknowledged)} " + "x" * 2000))

    def send() -> None:
        while not over.is_set():
            acknowledged.append(put(running, "a.bin", os.urandom(50_000)))

    writers = [threading.Thread(target=talk), threading.Thread(target=send)]
    for writer in writers:
        writer.start()
    backups = []
    for number in range(5):
        observe.until(lambda number=number: len(acknowledged) > 20 * number)
        before = list(acknowledged)
        folder = tmp_path / f"backup-{number}"
        ended = roombridge("backup", folder, "--data", running.data)
        assert ended.returncode == 0, ended.stderr
        backups.append((folder, before, ended.stdout.decode()))
    over.set()
    for writer in writers:
        writer.join()

    epochs = {epoch(running)}
    for number, (folder, before, said) in enumerate(backups):
        data = tmp_path / f"restored-{number}"
        assert roombridge("restore", folder, "--data", data).returncode == 0
        restored = run(data=data)
        log = observe.log(restored.address)
        assert {entry["seq"] for entry in before} <= {entry["seq"] for entry in log}
        assert [entry for entry in observe.log(running.address) if entry["seq"] <= log[-1]["seq"]] == log
        sent = [entry for entry in log if entry["type"] == "file"]
        for entry in sent:
            assert observe.digest(restored.address, entry) == entry["file"]["sha256"]
        assert said == (
            f"{folder} holds entries: {len(log)}, rooms: 1, last number: {log[-1]['seq']}, "
            f"files: {len(sent)}, their bytes: {50_000 * len(sent)}\n"
        )
        assert len(observe.files_in(data)[1]) == len(sent)
        epochs.add(epoch(restored))
        assert restored.stop() == 0
    assert len(epochs) == 1 + len(backups), "each has an epoch of its own"


async def test_who_knew_numbers_after_the_backup_is_told_that_this_is_another_log(
    run: Callable[..., Running], tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """Also when the restored log has given those numbers to something else meanwhile, and however it was copied."""
    running = run()
    for number in range(3):
        post(running, f"before {number}")
    copy(running.data, tmp_path / "backup")
    known = [post(running, f"lost {number}") for number in range(3)][-1]["seq"]
    old = epoch(running)
    assert running.stop() == 0
    shutil.copytree(tmp_path / "backup", tmp_path / "by-hand")
    copy(tmp_path / "backup", tmp_path / "restored")
    for data in ("by-hand", "restored"):
        restored = run(data=tmp_path / data)
        others = [post(restored, f"other {number}") for number in range(6)]
        assert others[2]["seq"] == known, "the number is used again"
        browser = await BrowserPeer.join(session, restored.url, after=known, epoch=old)
        assert browser.hello["epoch"] != old
        assert await browser.until(type="gap") == {"type": "gap", "from": None, "to": None}
        assert (await browser.entry())["text"] == "before 0"
        await browser.close()
        own = browser.hello["epoch"]
        assert restored.stop() == 0
        restored.start()
        assert epoch(restored) == own, "which it keeps"


def test_authors_keep_their_ids_and_their_keys(run: Callable[..., Running], tmp_path: Path) -> None:
    running = run()
    headers = {"X-Client": "secret", "X-Key": "k"}
    first = json.loads(observe.fetch(running.address, "POST", "/", b"once", **headers)[2])
    copy(running.data, tmp_path / "backup")
    restored = run(data=tmp_path / "backup")
    status, _headers, body = observe.fetch(restored.address, "POST", "/", b"once", **headers)
    assert (status, json.loads(body)) == (200, first)


def test_a_copy_of_a_killed_server_s_folder_can_be_restored_from_too(running: Running, tmp_path: Path) -> None:
    said = post(running, "in the write-ahead log")
    running.kill()
    copy(running.data, tmp_path / "copy")
    running.data = tmp_path / "copy"
    running.start()
    assert observe.log(running.address) == [said]


# What is refused


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(running: Running, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary").write_text("mine")
    said = refused("backup", tmp_path / "full", "--data", running.data)
    assert f"{tmp_path / 'full'} is not empty" in said
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["diary"]


def test_nothing_is_restored_over_a_folder_in_use_or_one_that_was(running: Running, tmp_path: Path) -> None:
    post(running, "precious")
    copy(running.data, tmp_path / "backup")
    assert "is not empty" in refused("restore", tmp_path / "backup", "--data", running.data)
    assert observe.texts(running.address) == ["precious"]
    assert running.stop() == 0
    assert "is not empty" in refused("restore", tmp_path / "backup", "--data", running.data)


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: folder.mkdir()], ids=["nothing", "empty"])
def test_what_holds_no_log_is_named(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "data")
    for command in (("backup", tmp_path / "to", "--data", tmp_path / "data"), ("restore", tmp_path / "data")):
        more = () if command[0] == "backup" else ("--data", tmp_path / "to")
        assert f"{tmp_path / 'data'} holds no log to copy" in refused(*command, *more)
    assert not (tmp_path / "to").exists()


def test_what_is_no_log_is_named_and_the_copy_is_none(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "log.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        copy(tmp_path / "data", tmp_path / "to")
    with pytest.raises(StoreError, match="holds no log to copy"):
        copy(tmp_path / "to", tmp_path / "further")


# The copy on the disk


@pytest.fixture
def data(running: Running) -> Path:
    """The folder of a server that was stopped: one message, one file."""
    post(running, "hi")
    put(running, "a.bin", b"bytes")
    assert running.stop() == 0
    return running.data


def blob(folder: Path) -> Path:
    (path,) = observe.files_in(folder)[1]
    return path


def test_it_is_as_private_as_the_original(data: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        copy(data, tmp_path / "backup")
    finally:
        os.umask(before)
    for path in (tmp_path / "backup").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700


def test_files_share_their_bytes_on_one_disk_and_are_copied_to_another(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(data, tmp_path / "here")
    assert blob(tmp_path / "here").samefile(blob(data))
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        unavailable("there is no second disk")
    folder = elsewhere / f"roombridge-{os.getpid()}"
    try:
        copied = copy(data, folder)
        assert blob(folder).read_bytes() == b"bytes"
        assert not blob(folder).samefile(blob(data))
        assert (copied.files, copied.bytes, copied.missing) == (1, 5, 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_files_that_share_their_bytes_share_them_on_another_disk_too(
    running: Running, run: Callable[..., Running], tmp_path: Path
) -> None:
    entries = [put(running, name, b"the same") for name in ("a", "b", "c")] + [put(running, "d", b"others")]
    observe.until(lambda: len(observe.inodes(observe.files_in(running.data)[1])) == 2)
    folder = Path("/dev/shm") / f"roombridge-shared-{os.getpid()}"
    if not folder.parent.is_dir() or folder.parent.stat().st_dev == tmp_path.stat().st_dev:
        unavailable("there is no second disk")
    try:
        copy(running.data, folder)
        assert len(observe.inodes(observe.files_in(folder)[1])) == 2
        copy(folder, tmp_path / "restored")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    restored = run(data=tmp_path / "restored")
    assert len(observe.inodes(observe.files_in(restored.data)[1])) == 2
    for entry in entries:
        assert observe.digest(restored.address, entry) == entry["file"]["sha256"]


def test_bytes_that_are_gone_are_told_of(data: Path, tmp_path: Path) -> None:
    blob(data).unlink()
    assert str(copy(data, tmp_path / "backup")).endswith("files: 0 (no bytes any more: 1), their bytes: 0")


def test_it_is_synced_before_its_log_has_its_name(data: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    if done(tool("strace"), "-o", trace, "true").returncode:
        unavailable("strace may not trace here")
    watch = ("-f", "-y", "-e", "trace=fsync,fdatasync,rename,link,linkat", "-e", "signal=none", "-o", trace)
    command = (sys.executable, "-m", "bridge", "backup", tmp_path / "backup", "--data", data)
    assert done(tool("strace"), *watch, *command, env={"PYTHONPATH": str(CHECKOUT)}).returncode == 0
    calls = [line for line in trace.read_text().splitlines() if re.search(r"= 0\b", line)]
    (named,) = [place for place, line in enumerate(calls) if " rename(" in line and "log.sqlite3.part" in line]
    synced = [line for line in calls[:named] if "sync(" in line]
    shelf = blob(tmp_path / "backup").parent
    for path in (tmp_path / "backup" / "log.sqlite3.part", shelf, tmp_path / "backup" / "files"):
        assert any(f"<{path}>" in line for line in synced), path
    assert any(f"<{tmp_path / 'backup'}>" in line for line in calls[named:])
    assert hashlib.sha256(blob(tmp_path / "backup").read_bytes()).digest() == hashlib.sha256(b"bytes").digest()
