"""What the pages tell people to type is typed here, and does what they say."""

from __future__ import annotations

import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.config import read_file
from tests.docs import fences, tools
from tests.docs.fences import ROOT, Fence
from tests.support.peers import PATIENCE_S
from tests.support.process import Running

READMES = ("README.md", "README.zh-CN.md")
SET_UP = [
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/roombridge",
    "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest",
]
SNIPPET_S = 30
PAGES = fences.pages()
KNOWN = {"", "transcript", "sh", "python", "js", "json", "toml", "ini"}


def snippets(page: Path) -> list[Fence]:
    """What is to be run, without the two commands that set everything up."""
    return [one for one in fences.read(page) if one.language in ("sh", "python", "js") and one.code not in SET_UP]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page) and page.name not in READMES], ids=name)
def test_every_snippet_runs(page: Path, run: Callable[..., Running], desk: Desk) -> None:
    desk.server = run(data=desk.data)
    for snippet in snippets(page):
        desk.type(snippet)


@pytest.mark.parametrize("page", READMES)
def test_all_ways_in_lead_to_one_room(page: str, run: Callable[..., Running], desk: Desk) -> None:
    desk.server = run(data=desk.data)
    for snippet in snippets(ROOT / page):
        desk.type(snippet)
    with urllib.request.urlopen(f"{desk.server.url}r/lobby/entries?limit=500", timeout=PATIENCE_S) as answer:
        entries = json.load(answer)["entries"]
    came = {(entry["type"], entry["from"]["via"]) for entry in entries}
    assert came == {("text", "tcp"), ("text", "udp"), ("text", "http"), ("file", "tcp"), ("file", "http")}


@pytest.mark.parametrize("page", READMES)
def test_two_commands_and_no_third_set_it_up(page: str) -> None:
    assert [one.code for one in fences.read(ROOT / page) if "venv" in one.code] == SET_UP


def test_ci_runs_the_command_of_the_readme() -> None:
    assert SET_UP[1] in (ROOT / ".ci" / "run").read_text().split("\n")


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    for page in PAGES:
        for block in fences.read(page):
            assert block.language in KNOWN, f"{name(page)}:{block.line}: {block.language}"
            if not block.language:  # a picture
                assert not re.search(r"^(\$|curl|nc|python3?|roombridge) ", block.code, re.M), (
                    f"{name(page)}:{block.line}"
                )


def test_data_is_what_it_says(tmp_path: Path) -> None:
    for page in PAGES:
        for block in fences.read(page):
            if block.language == "json":
                json.loads(block.code)
            if block.language == "toml":
                tomllib.loads(block.code)
                (tmp_path / "roombridge.toml").write_text(block.code)
                read_file(tmp_path / "roombridge.toml")  # knows every setting in it


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            assert there.exists(), f"{name(page)} links to {target}"
            if anchor:
                assert anchor in anchors(there), f"{name(page)} links to {target}"


def test_every_file_that_is_named_is_there() -> None:
    for page in PAGES:
        for path in re.findall(r"`((?:bridge|tests|docs|scripts|static|templates|\.ci)/[\w./-]*)`", page.read_text()):
            assert (ROOT / path).exists(), f"{name(page)} names {path}"


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_make_verb_is_there() -> None:
    tools.require("make")
    verbs = re.findall(r"`make (\w+)`", (ROOT / "CONTRIBUTING.md").read_text())
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony
    assert sorted(verbs) == sorted(set(phony[1].split()) - {"setup"})
    for verb in verbs:
        subprocess.run(["make", "-n", verb], cwd=ROOT, check=True, capture_output=True)


def test_the_wheel_has_the_page_and_the_command(tmp_path: Path) -> None:
    """What `pip install .` installs, served from a folder that is no checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", tmp_path, ROOT], capture_output=True, text=True
    )
    if done.returncode and re.search("No matching distribution|[Cc]onnection", done.stderr):
        assert os.environ.get("ROOMBRIDGE_REQUIRE_TOOLS") != "1", done.stderr
        pytest.skip("no package index to fetch the build system from")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    (points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "roombridge = bridge.__main__:main" in points.read_text()
    running = Running(tmp_path / "data", env={"PYTHONPATH": str(installed)}, cwd=installed)
    try:
        for path in ("", "static/main.js", "static/i18n/zh-CN.json"):
            with urllib.request.urlopen(running.url + path, timeout=PATIENCE_S) as answer:
                assert answer.status == 200
    finally:
        running.close()


class Desk:
    """Where somebody sits who reads a page and types what it says."""

    def __init__(self, folder: Path) -> None:
        self.server: Running
        self._folder = folder
        self.data = folder / ".local" / "share" / "roombridge"
        self.data.parent.mkdir(parents=True)
        shutil.copy(ROOT / "README.md", folder)
        bin = folder / "bin"
        bin.mkdir()
        (bin / "roombridge").write_text(f'#!/bin/sh\nexec {sys.executable} -m bridge "$@"\n')
        (bin / "roombridge").chmod(0o755)
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")} | {
            "HOME": str(folder),
            "PATH": f"{bin}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }

    def type(self, snippet: Fence) -> None:
        """What a block may say after its language: `interactive` (a line is typed, an answer awaited), `serves` (a
        server, stopped once it is ready), `stopped` (to be run while no server is)."""
        code = re.sub(r"(127\.0\.0\.1|localhost)([ :]|\", )8080\b", rf"\g<1>\g<2>{self.server.port}", snippet.code)
        tools.require(code if snippet.language == "sh" else snippet.language.replace("js", "node"))
        where = f"{snippet.page.name}:{snippet.line}"
        if "interactive" in snippet.info:
            self._talk(where, self._command(snippet.language, code))
        elif "serves" in snippet.info:
            self._serve(where, re.sub(r"(--port |127\.0\.0\.1:)\d+", r"\g<1>0", code))
        elif "stopped" in snippet.info:
            assert self.server.stop() == 0
            self._run(where, self._command(snippet.language, code))
            self.server.start()
        else:
            self._run(where, self._command(snippet.language, code))

    def _command(self, language: str, code: str) -> list[str]:
        match language:
            case "python":
                return [sys.executable, "-c", code]
            case "js":
                (self._folder / "snippet.mjs").write_text(code)
                return ["node", "snippet.mjs"]
            case _:
                return ["bash", "-euo", "pipefail", "-c", code.replace(".venv/bin/roombridge", "roombridge")]

    def _run(self, where: str, command: list[str]) -> None:
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SNIPPET_S,
        )
        assert done.returncode == 0, f"{where}: {done.stdout}{done.stderr}"

    def _start(self, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._environment | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # so that all it starts can be ended, and nothing else
        )

    def _talk(self, where: str, command: list[str]) -> None:
        process = self._start(command)
        try:
            process.stdin.write(b"hello from the docs\n")
            process.stdin.flush()
            heard = _heard(process, rb"lobby")  # in a welcome, and in a hello
            assert b"lobby" in heard, f"{where}: {heard!r}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def _serve(self, where: str, code: str) -> None:
        elsewhere = str(self._folder / "elsewhere")  # the usual folder is in use
        process = self._start(["bash", "-c", f"exec {code}"], ROOMBRIDGE_PORT="0", ROOMBRIDGE_DATA=elsewhere)
        try:
            heard = _heard(process, rb"listening on .*\n")
            assert b"listening" in heard, f"{where}: {heard!r}"
            process.terminate()
            assert process.wait(PATIENCE_S) == 0, where
        finally:
            process.kill()
            process.communicate()


def _heard(process: subprocess.Popen[bytes], wanted: bytes) -> bytes:
    """What it printed until `wanted` was in it, it ended, or patience did."""
    heard = b""
    until = time.monotonic() + SNIPPET_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not re.search(wanted, heard) and selector.select(until - time.monotonic()):
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                break
            heard += data
    return heard


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")
