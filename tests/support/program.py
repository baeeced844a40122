"""Users' programs (`nc`, `curl`, a script of theirs) with their input and output in our hands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.peers import PATIENCE_S

CLIENTS = Path(__file__).parents[1] / "clients"


def tool(name: str) -> str:
    """The path of a program; without it the test is skipped, or fails where all are required."""
    if path := shutil.which(name):
        return path
    unavailable(f"{name} is not installed")
    raise AssertionError


def unavailable(reason: str) -> None:
    """Skip, and say why; with `ROOMBRIDGE_REQUIRE_TOOLS=1`, as in CI, that is a failure."""
    if os.environ.get("ROOMBRIDGE_REQUIRE_TOOLS") == "1":
        pytest.fail(f"{reason}, and ROOMBRIDGE_REQUIRE_TOOLS=1 demands it")
    pytest.skip(reason)


def done(
    *arguments: object, stdin: bytes = b"", timeout: float = 30, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end; what it printed and how it ended."""
    command = [str(argument) for argument in arguments]
    known = {**os.environ, **(env or {})}
    return subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, check=False, env=known)


def client(name: str, address: tuple[str, int], *arguments: object) -> tuple[str, ...]:
    """The command that runs one of the tutorial's clients."""
    return (sys.executable, "-u", str(CLIENTS / name), address[0], str(address[1]), *map(str, arguments))


class Program:
    """A program that runs while the test talks to it; `output` is all it has printed so far."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        self.output = ""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        raw = b""
        while data := os.read(self.process.stdout.fileno(), 65536):
            raw += data
            with self._more:
                self.output = raw.decode("utf-8", "replace")
                self._more.notify_all()

    def type(self, text: str) -> None:
        """As a person would: a line and Enter."""
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def end_input(self) -> None:
        self.process.stdin.close()

    def until(self, text: str, times: int = 1) -> str:
        """Wait until it has printed `text`, so many times; all it has printed."""
        deadline = time.monotonic() + PATIENCE_S
        with self._more:
            while self.output.count(text) < times:
                left = deadline - time.monotonic()
                assert left > 0, f"never printed {text!r} {times} times: {self.output!r}"
                self._more.wait(left)
            return self.output

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
