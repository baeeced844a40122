"""`roombridge files`: what it tells of a data folder that is in use, and what it removes from one that is not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.commands import prune, verify
from bridge.model import StoreError
from tests.store.sqlite.conftest import ask
from tests.support import observe
from tests.support.process import CHECKOUT, Running
from tests.support.program import done

KEPT_S = 3600.0
TUS = {"Tus_Resumable": "1.0.0"}


def files(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return done(sys.executable, "-m", "bridge", "files", *arguments, env={"PYTHONPATH": str(CHECKOUT)})


def put(running: Running, path: str, content: bytes, **headers: str) -> dict[str, Any]:
    answer = observe.fetch(running.address, "PUT", path, content, Accept="application/json", **headers)
    assert answer[0] == 201, answer
    return json.loads(answer[2])


def begun(running: Running, size: int, sent: bytes) -> str:
    """An upload that may go on, and its id."""
    headers = {**TUS, "Upload_Length": str(size)}
    path = observe.fetch(running.address, "POST", "/r/lobby/uploads", **headers)[1]["location"]
    headers = {**TUS, "Upload_Offset": "0", "Content_Type": "application/offset+octet-stream"}
    assert observe.fetch(running.address, "PATCH", path, sent, **headers)[0] == 204
    return path.rpartition("/")[2]


def blob(data: Path, entry: dict[str, Any]) -> Path:
    id = entry["file"]["id"]
    return data / "files" / id[:2] / id


def lying(data: Path) -> set[str]:
    return {path.name for name in ("files", "parts", "uploads") for path in (data / name).rglob("*") if path.is_file()}


# While a server runs


@pytest.fixture
def three(running: Running) -> tuple[Running, list[dict[str, Any]]]:
    """A server that has three files, two of which have the same bytes."""
    entries = [
        put(running, "/r/lobby/a%20b.txt", b"the same", X_Name="bob"),
        put(running, "/r/lab/%E6%8A%A5.txt", b"the same"),
        put(running, "/r/lobby/c", b"others"),
    ]
    observe.until(lambda: blob(running.data, entries[0]).stat().st_nlink == 2)
    return running, entries


def test_it_lists_what_is_kept_in_all_rooms(three: tuple[Running, list[dict[str, Any]]]) -> None:
    running, entries = three
    ended = files("list", "--data", running.data)
    assert (ended.returncode, ended.stderr) == (0, b"")
    *lines, last = ended.stdout.decode().splitlines()
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"
    for entry, line in zip(entries, lines, strict=True):
        file = entry["file"]
        rest = f" {file['id']} {file['size']:>12} {entry['room']} [{entry['from']['name']}] {file['name']}"
        assert re.fullmatch(when + re.escape(rest), line)
    assert last == "files: 3, their bytes: 22, the same counted once: 14"

    ended = files("list", "--format", "ndjson", "--data", running.data)
    assert [json.loads(line) for line in ended.stdout.splitlines()] == entries


def test_it_names_each_file_that_is_damaged_and_its_exit_code_says_so(
    three: tuple[Running, list[dict[str, Any]]],
) -> None:
    running, (first, twin, other) = three
    ended = files("verify", "--data", running.data)
    assert (ended.returncode, ended.stdout) == (0, b"files: 3, their bytes: 22, damaged: 0\n")

    with blob(running.data, twin).open("r+b") as held:
        held.write(b"T")  # its twin's, too
    short = put(running, "/short.bin", b"x" * 100)
    os.truncate(blob(running.data, short), 99)
    gone = put(running, "/gone.bin", b"gone")
    blob(running.data, gone).unlink()
    folder = put(running, "/folder.bin", b"folder")
    blob(running.data, folder).unlink()
    blob(running.data, folder).mkdir()
    back = put(running, "/back.bin", b"taken back", X_Client="me")
    assert observe.fetch(running.address, "DELETE", back["file"]["url"], X_Client="me")[0] == 200

    ended = files("verify", "--data", running.data)
    assert (ended.returncode, ended.stderr) == (1, b"")
    *lines, last = ended.stdout.decode().splitlines()
    assert last == "files: 6, their bytes: 132, damaged: 5"
    expected = [
        (first, r"sha256 is [0-9a-f]{64}, expected " + first["file"]["sha256"]),
        (twin, r"sha256 is [0-9a-f]{64}, expected " + twin["file"]["sha256"]),
        (short, "99 bytes are there, expected 100"),
        (gone, "its bytes are gone"),
        (folder, "its bytes cannot be read: Is a directory"),
    ]
    for line, (entry, fault) in zip(lines, expected, strict=True):
        file = entry["file"]
        where = f"{entry['room']}: {file['name']} ({file['id']}, entry {entry['seq']}): "
        assert line.startswith(where) and re.fullmatch(fault, line.removeprefix(where)), line
    assert observe.digest(running.address, other) == other["file"]["sha256"]


def test_what_is_taken_back_while_it_is_looked_at_is_no_damage(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = put(running, "/a.txt", b"hello", X_Client="me")

    def taken_back(folder: Path, id: str) -> Path:
        assert observe.fetch(running.address, "DELETE", entry["file"]["url"], X_Client="me")[0] == 200
        return folder / "nowhere"

    monkeypatch.setattr("bridge.commands.files.place", taken_back)
    said: list[str] = []
    assert (verify(running.data, said.append), said) == ((0, 0, 0), [])


def test_nothing_is_pruned_under_a_server(running: Running) -> None:
    half = begun(running, 10, b"half")
    ended = files("prune", "--data", running.data)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert ended.stderr.decode().startswith(f"roombridge: the data folder {running.data} is in use")
    assert lying(running.data) == {half, f"{half}.json"}


# While none runs


def test_what_is_nobody_s_is_pruned_and_all_else_stays(running: Running, run: Callable[..., Running]) -> None:
    kept = [put(running, "/a.txt", b"hello"), put(running, "/b.txt", b"hello")]
    observe.until(lambda: blob(running.data, kept[0]).stat().st_nlink == 2)
    fresh, old, placed = (begun(running, 10, sent) for sent in (b"fresh", b"old", b"placed"))
    assert running.stop() == 0
    data, now = running.data, time.time()
    os.utime(data / "uploads" / old, (now - 2 * KEPT_S,) * 2)
    (data / "files" / placed[:2]).mkdir(exist_ok=True)
    os.rename(data / "uploads" / placed, data / "files" / placed[:2] / placed)  # killed before it was announced
    (data / "uploads" / ("1" * 32)).write_bytes(b"no record")
    (data / "uploads" / ("2" * 32 + ".json")).write_bytes(b"{}")
    (data / "parts" / ("3" * 32)).write_bytes(b"a part")
    stray = blob(data, kept[0]).with_name("4" * 32)
    stray.write_bytes(b"a stray")
    os.link(blob(data, kept[0]), blob(data, kept[0]).with_name("5" * 32))  # which frees nothing

    record = (data / "uploads" / f"{old}.json").stat().st_size
    freed = sum(map(len, (b"old", b"no record", b"{}", b"a part", b"a stray"))) + record
    assert str(prune(data, now, KEPT_S)) == (
        f"removed files that no entry names: 2, parts: 1, uploads that cannot go on: 3, their bytes: {freed}"
    )
    ids = {entry["file"]["id"] for entry in kept}
    assert lying(data) == {*ids, fresh, f"{fresh}.json", placed, f"{placed}.json"}
    assert prune(data, now, KEPT_S) == (0, 0, 0, 0)
    running.start()
    assert [observe.digest(running.address, entry) for entry in kept] == [entry["file"]["sha256"] for entry in kept]
    for id, offset in ((fresh, "5"), (placed, "6")):
        headers = observe.fetch(running.address, "HEAD", f"/r/lobby/uploads/{id}", **TUS)[1]
        assert headers["upload-offset"] == offset


@pytest.mark.parametrize("command", ["list", "verify", "prune"])
def test_a_folder_without_a_log_is_named_and_left_alone(tmp_path: Path, command: str) -> None:
    stray = tmp_path / "files" / "ab" / "abc"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"whose?")
    ended = files(command, "--data", tmp_path)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert ended.stderr.decode() == f"roombridge: {tmp_path} holds no log (--data DIR names another folder)\n"
    assert stray.exists() and not (tmp_path / "log.sqlite3").exists()


@pytest.mark.parametrize("newer", [False, True])
def test_a_log_that_cannot_be_read_costs_no_file(tmp_path: Path, newer: bool) -> None:
    stray = tmp_path / "files" / "ab" / "abc"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"whose?")
    log = tmp_path / "log.sqlite3"
    if newer:
        ask(log, "PRAGMA user_version = 99")
    else:
        log.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"log\.sqlite3 has schema 99" if newer else r"log\.sqlite3: "):
        prune(tmp_path, time.time(), KEPT_S)
    assert stray.exists()
