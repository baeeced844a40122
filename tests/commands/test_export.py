"""What a room holds, on stdout: readable, or an object a line."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.commands import told
from bridge.store.sqlite import SqliteLog
from tests.store.sqlite.conftest import ask
from tests.support import observe
from tests.support.nouns import draft, file, peer
from tests.support.process import CHECKOUT, Running
from tests.support.program import done


def export(*arguments: object, **env: str) -> subprocess.CompletedProcess[bytes]:
    return done(sys.executable, "-m", "bridge", "export", *arguments, env={"PYTHONPATH": str(CHECKOUT), **env})


def filled(folder: Path, *texts: str, old: int = 0) -> None:
    """A log of these texts; the first `old` are trimmed."""

    async def fill() -> None:
        now = 1000.0
        log = SqliteLog(folder / "log.sqlite3", lambda: now)
        for number, text in enumerate(texts):
            if number == old:
                now += 1
                await log.trim(int(now * 1000))
            await log.append(draft(text, sender=peer(name="爱丽丝")))
        await log.close()

    asyncio.run(fill())


def test_a_running_server_s_room_comes_out_as_it_is(running: Running) -> None:
    for text in ("one", "two\nlines", "ctrl"):
        assert observe.fetch(running.address, "POST", "/", text.encode(), X_Name="bob")[0] == 201
    assert observe.fetch(running.address, "PUT", "/a.txt", b"hello", X_Name="bob")[0] == 201

    ended = export("lobby", "--format", "ndjson", "--data", running.data)
    assert ended.returncode == 0
    log = observe.log(running.address)
    assert [json.loads(line) for line in ended.stdout.splitlines()] == log

    ended = export("lobby", "--data", running.data, TZ="Asia/Shanghai")
    lines = ended.stdout.decode().splitlines()
    when = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+08:00) "
    url = log[-1]["file"]["url"]
    expected = ["[bob] one", "[bob] two", "    lines", "[bob] ctrl", f"[bob] sent a.txt (5 bytes) {url}"]
    assert [re.sub(f"^{when}", "", line) for line in lines] == expected
    first = re.match(when, lines[0])
    assert first and datetime.fromisoformat(first[1]).timestamp() == log[0]["at"] // 1000
    assert observe.fetch(running.address, "POST", "/", b"and on")[0] == 201


def test_long_rooms_come_out_whole_and_in_order(tmp_path: Path) -> None:
    texts = [str(number) for number in range(1234)]
    filled(tmp_path, *texts)
    lines = [json.loads(line) for line in told(tmp_path, "lobby", "ndjson")]
    assert [line["text"] for line in lines] == texts


@pytest.mark.parametrize("form", ["ndjson", "text"])
def test_what_is_no_longer_kept_is_told_first(tmp_path: Path, form: Any) -> None:
    filled(tmp_path, *"abcde", old=3)
    first, *rest = list(told(tmp_path, "lobby", form))
    if form == "ndjson":
        assert json.loads(first) == {"type": "gap", "from": 1, "to": 3}
    else:
        assert first == b"* what was said before is no longer kept\n"
    assert len(rest) == 2


def test_nobody_forges_a_line_or_steers_a_terminal(tmp_path: Path) -> None:
    filled(tmp_path, "hi\n2026-01-01 00:00:00+00:00 [bob] pay me", "\u202egnorw")
    lines = b"".join(told(tmp_path, "lobby", "text")).decode().splitlines()
    assert [line for line in lines if "[bob]" in line and not line.startswith("    ")] == []
    assert lines[-1].endswith("[爱丽丝] gnorw")


def test_a_room_that_is_not_there_is_named(tmp_path: Path) -> None:
    filled(tmp_path, "hi")
    for room, said in (("nowhere", "there is no room nowhere in"), ("no room", "room name holds ' '")):
        ended = export(room, "--data", tmp_path)
        assert (ended.returncode, ended.stdout) == (2, b"")
        assert said in ended.stderr.decode()
    ended = export("lobby", "--data", tmp_path / "elsewhere")
    assert ended.returncode == 2 and "unable to open database file" in ended.stderr.decode()
    assert not (tmp_path / "elsewhere").exists()


def test_memory_does_not_grow_with_the_room(tmp_path: Path) -> None:
    """Sixty megabytes of a room go out through a process that may not grow by twenty."""
    filled(tmp_path, "x" * 15_000, "last")
    copies = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
    ask(
        tmp_path / "log.sqlite3",
        f"INSERT INTO entry (room, at, author, key, sender, text) {copies} "
        "SELECT room, at, author, key || i, sender, text FROM entry, n WHERE seq = 1",
    )
    measure = (
        "import resource, sys; from pathlib import Path; from bridge.commands import told\n"
        "size = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "lines = told(Path(sys.argv[1]), 'lobby', 'ndjson'); next(lines); before = size()\n"
        "print(sum(map(len, lines)), size() - before)"
    )
    ended = done(sys.executable, "-c", measure, tmp_path, env={"PYTHONPATH": str(CHECKOUT)})
    written, grown_kib = map(int, ended.stdout.split())
    assert written > 60_000_000
    assert grown_kib < 20_000


def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    filled(tmp_path, *("x" * 10_000 for _ in range(100)))
    command = f"{sys.executable} -m bridge export lobby --data {tmp_path} | head -n 1"
    ended = done("bash", "-c", command, env={"PYTHONPATH": str(CHECKOUT)})
    assert ended.stdout.count(b"\n") == 1
    assert ended.stderr == b""


def test_a_file_is_told_by_its_address_on_any_server(tmp_path: Path) -> None:
    async def fill() -> None:
        log = SqliteLog(tmp_path / "log.sqlite3")
        await log.append(draft(text=None, file=file("f1", "报告.pdf", 1)))
        await log.close()

    asyncio.run(fill())
    (line,) = told(tmp_path, "lobby", "text")
    assert line.decode().endswith("[alice] sent 报告.pdf (1 byte) /files/f1/%E6%8A%A5%E5%91%8A.pdf\n")
