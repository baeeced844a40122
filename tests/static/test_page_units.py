"""The page's plain parts, tested by node's own runner: helpers, models, and the room they make together."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE_MIN = 20  # the first whose test runner, ES modules and global `crypto` need no flags


def node() -> str:
    """Where a node is that will do; else the test is skipped, or fails where the page's tests are required."""
    for found in candidates():
        version = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout
        if int(version.removeprefix("v").split(".")[0]) >= NODE_MIN:
            return found
    reason = f"no node {NODE_MIN} or newer found: apt-get install nodejs"
    if os.environ.get("ROOMBRIDGE_REQUIRE_UI") == "1":
        pytest.fail(f"the page's tests are required here but cannot run: {reason}")
    pytest.skip(reason)


def candidates() -> Iterator[str]:
    """The machine's own, then the one that playwright brings: Debian 12 has node 18."""
    if found := shutil.which("node"):
        yield found
    playwright = importlib.util.find_spec("playwright")
    if playwright and playwright.origin and (driver := Path(playwright.origin).parent / "driver" / "node").is_file():
        yield str(driver)


@pytest.mark.parametrize("script", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_node_finds_every_fact_true(script: str) -> None:
    command = [node(), "--test", "--test-reporter=spec", script]
    done = subprocess.run(command, cwd=HERE, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
