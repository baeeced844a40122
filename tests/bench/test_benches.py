"""Every bench runs, small, and measures something; about time nothing is asserted."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.process import CHECKOUT
from tests.support.program import tool

BENCH = CHECKOUT / "bench"
ONLY = {"fanout": ("--peer", "aiohttp, naive")}
HELPERS = {"stand", "all"}
ALONE = {"small_files", "page"}
"""Called by hand, with options of their own, and beside no peer."""


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


def test_make_bench_runs_them_all() -> None:
    told = re.search(r"BENCHES = \((.*?)\)", (BENCH / "all.py").read_text(), re.DOTALL)
    assert told
    assert set(re.findall(r'"(\w+)"', told[1])) == {path.stem for path in BENCH.glob("*.py")} - HELPERS - ALONE


def test_small_files_are_counted() -> None:
    few = ("--count", "20", "--sizes", "4096", "--senders", "1")
    done = subprocess.run([sys.executable, BENCH / "small_files.py", *few], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\s*4096\s+1\s+[1-9]", done.stdout, re.MULTILINE), done.stdout
