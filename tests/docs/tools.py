"""The programs that the docs call: skipped without them, unless they are required."""

from __future__ import annotations

import os
import re
import shutil

import pytest

TOOLS = ("curl", "nc", "ncat", "socat", "telnet", "node", "make", "tar")


def require(commands: str) -> None:
    """Skip the test if a program that `commands` call is missing; fail where `ROOMBRIDGE_REQUIRE_TOOLS=1`."""
    called = set(re.findall(r"[a-z]+", commands))
    missing = [tool for tool in TOOLS if tool in called and not shutil.which(tool)]
    if missing and os.environ.get("ROOMBRIDGE_REQUIRE_TOOLS") == "1":
        pytest.fail(f"required here but not installed: {' '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {' '.join(missing)}")
