"""Every bench runs, small, and measures something; about time nothing is asserted."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from bench.chart import Chart, draw
from tests.support.process import CHECKOUT
from tests.support.program import tool

BENCH = CHECKOUT / "bench"
SVG = "{http://www.w3.org/2000/svg}"
ONLY = {
    "fanout": ("--peer", "aiohttp, naive", "--peer", "socket.io"),
    "growth": ("--only", "messages", "--only", "entries"),
}
HELPERS = {"stand", "all", "chart"}
ALONE = {"small_files", "page"}
"""Called by hand, with options of their own, and beside no peer."""
NIGHTLY = {"growth", "soak"}
"""Half an hour each."""


@pytest.mark.parametrize("name", sorted({path.stem for path in BENCH.glob("*.py")} - HELPERS - ALONE))
def test_a_bench_runs_and_measures(name: str) -> None:
    tool("cc")
    done = subprocess.run(
        [sys.executable, BENCH / f"{name}.py", "--small", *ONLY.get(name, ())],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tables = done.stdout.count("| --- |")
    measured = re.findall(r"^\| [^|]+ \|.*[1-9].*\|$", done.stdout, re.MULTILINE)  # a figure beyond the first column
    assert len(measured) >= tables > 0, done.stdout


def test_every_peer_that_we_wrote_is_measured() -> None:
    benches = "".join(path.read_text() for path in BENCH.glob("*.py"))
    written = [path.name for path in (BENCH / "peers").glob("*.*") if not path.name.startswith(("package", "."))]
    assert written
    assert [name for name in written if f'"{name}"' not in benches] == []


def test_make_bench_runs_them_all() -> None:
    told = re.search(r"BENCHES = \((.*?)\)", (BENCH / "all.py").read_text(), re.DOTALL)
    assert told
    assert (
        set(re.findall(r'"(\w+)"', told[1])) == {path.stem for path in BENCH.glob("*.py")} - HELPERS - ALONE - NIGHTLY
    )


def test_a_chart_shows_every_line_by_name_and_where_it_goes() -> None:
    picture = draw(Chart("Cost", "people & more", "µs"), {"ours": [(1, 10), (1000, 1)], "<theirs>": [(1, 100)]})
    root = ElementTree.fromstring(picture)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"Cost", "people & more", "µs", "ours", "<theirs>", "1", "1,000", "100"} <= set(texts)
    first, last = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in list(root.iter(f"{SVG}circle"))[:2]]
    assert first[0] < last[0] and first[1] < last[1], "to the right, and lower is less"


def test_small_files_are_counted() -> None:
    few = ("--count", "20", "--sizes", "4096", "--senders", "1")
    done = subprocess.run([sys.executable, BENCH / "small_files.py", *few], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\s*4096\s+1\s+[1-9]", done.stdout, re.MULTILINE), done.stdout
