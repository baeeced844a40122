"""Descriptors are asked for and shared out, each time in a process that has its own limits."""

from __future__ import annotations

import json
import sys

import pytest

from tests.support.process import CHECKOUT
from tests.support.program import done, tool

_ASK = """
import json, resource
from bridge.descriptors import for_connections, raise_limit
before = for_connections(10_000)
raise_limit()
print(json.dumps([before, for_connections(10_000), for_connections(50), resource.getrlimit(resource.RLIMIT_NOFILE)]))
"""


def asked(limits: str) -> list[object]:
    """Connections before and after raising the limit, of 10,000 and (after) of 50 wished for; and the limit then."""
    ended = done(tool("prlimit"), f"--nofile={limits}", sys.executable, "-c", _ASK, env={"PYTHONPATH": str(CHECKOUT)})
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("limits", "shared"),
    [
        ("128:128", [64, 64, 50, [128, 128]]),
        ("128:2000", [64, 1744, 50, [2000, 2000]]),
        ("512:512", [256, 256, 50, [512, 512]]),
        ("1024:1024", [768, 768, 50, [1024, 1024]]),
        ("1024:20000", [768, 10_000, 50, [20_000, 20_000]]),
    ],
)
def test_the_limit_is_raised_and_all_but_256_or_half_are_for_connections(limits: str, shared: list[object]) -> None:
    assert asked(limits) == shared
