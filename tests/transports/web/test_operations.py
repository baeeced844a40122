"""What is said of each route is what it does: schemathesis asks a living server everything the document allows, and
much that it does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import msgspec

from bridge.server import Server
from bridge.transports.web.operations import OPERATIONS
from tests.support import observe
from tests.support.process import Running

# Not `unsupported_method`: PUT takes whatever path there is below a room for a file's name, folders and all.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
ENDLESS = ("/r/{room}/events", "/r/{room}/ws")
"""Asked for in tests of their own."""

BYTES_ARE_BYTES = """
import schemathesis
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
"""


async def test_every_route_is_described_and_nothing_else_is(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{server.url}openapi.json") as response:
        paths = (await response.json())["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    heads = {(method, path) for method, path in told if method == "HEAD"}
    assert told - heads == {(method, path) for method, path in OPERATIONS if method != "HEAD"}
    headed = {path for method, path in OPERATIONS if method in ("GET", "HEAD") and path not in ENDLESS}
    assert {path for _, path in heads} == headed


def test_schemathesis_finds_nothing_that_was_not_promised(running: Running, tmp_path: Path) -> None:
    _status, _headers, body = observe.fetch(running.address, "PUT", "/a.txt", b"abc", Accept="application/json")
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        f'[parameters]\n"path.id" = "{msgspec.json.decode(body)["file"]["id"]}"\n"path.path" = "main.js"\n'
    )
    (tmp_path / "hooks.py").write_text(BYTES_ARE_BYTES)
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run"),
            *(f"{running.url}openapi.json", "--phases", "coverage,fuzzing", "--max-examples", "10"),
            *("--checks", ",".join(CHECKS), "--generation-deterministic", "--no-color", "--warnings", "off"),
            *(option for path in ENDLESS for option in ("--exclude-path", path)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        env={
            **os.environ,
            "PYTHONUTF8": "1",
            "COLUMNS": "120",
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": str(tmp_path),
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    operations = len(OPERATIONS) - len(ENDLESS)
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested and int(tested[1]) > operations, done.stdout  # each, and the HEAD of each GET
