"""What the server says about itself can be read by people and by programs."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable
from datetime import datetime

import pytest

from bridge.journal import JsonLines
from tests.support import observe
from tests.support.process import CHECKOUT, Running
from tests.support.program import done


def record(message: str, *args: object, exc_info: object = None) -> logging.LogRecord:
    return logging.LogRecord("roombridge.door", logging.WARNING, "", 0, message, args, exc_info)


def test_a_record_is_one_json_object_on_one_line() -> None:
    made = record("%s said\n%r", "小明", "a\nb\x1b")
    line = JsonLines().format(made)
    assert line.isascii() and line.isprintable()
    said = json.loads(line)
    assert said.keys() == {"time", "level", "logger", "message"}
    assert said["message"] == "小明 said\n'a\\nb\\x1b'"
    assert (said["level"], said["logger"]) == ("warning", "roombridge.door")
    assert 0 <= made.created - datetime.fromisoformat(said["time"]).timestamp() < 0.001


@pytest.mark.parametrize("text", ["\ud800", "\0", "😀", '"\\'])
def test_whatever_is_said_is_json(text: str) -> None:
    assert json.loads(JsonLines().format(record("%s", text)))["message"] == text


def test_an_exception_comes_with_its_trace() -> None:
    try:
        raise ValueError("no\nsuch thing")
    except ValueError:
        line = JsonLines().format(record("it failed", exc_info=sys.exc_info()))
    assert "\n" not in line
    said = json.loads(line)
    assert said["message"] == "it failed"
    assert said["exception"].startswith("Traceback") and said["exception"].endswith("ValueError: no\nsuch thing")


def test_all_that_a_server_says_on_stderr_is_json_if_that_is_wanted(run: Callable[..., Running]) -> None:
    running = run("--log-format", "json", "--log-level", "debug")
    assert observe.fetch(running.address, "GET", "/healthz")[0] == 200
    assert running.stop() == 0
    said = [json.loads(line) for line in running.stderr.splitlines()]
    assert all({"time", "level", "logger", "message"} <= one.keys() for one in said)
    messages = [one["message"] for one in said if one["logger"] == "roombridge"]
    assert running.url in messages[0]
    assert messages[-1] == "shutting down"
    assert {"debug", "info"} <= {one["level"] for one in said}


def test_also_why_it_cannot_start(running: Running) -> None:
    options = ("--port", 0, "--data", running.data, "--log-format", "json")
    ended = done(sys.executable, "-m", "bridge", *options, env={"PYTHONPATH": str(CHECKOUT)})
    assert ended.returncode == 2
    said = json.loads(ended.stderr)
    assert said["level"] == "critical" and "in use by another roombridge" in said["message"]


def test_a_level_leaves_out_what_is_below_it(run: Callable[..., Running]) -> None:
    running = run("--log-level", "warning")
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    assert " INFO " not in running.stderr
