"""A real server in a process of its own, on a free port, to be stopped, killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

READY = re.compile(r"listening on (http://(\S+):(\d+)/) \(tcp\+udp\)\n")
CHECKOUT = Path(__file__).parents[2]


class Running:
    """`python -m bridge` over `data`. `command` goes before it (strace, say)."""

    def __init__(
        self,
        data: Path,
        *options: str,
        command: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
        cwd: Path = CHECKOUT,
    ):
        self.data = data
        self.options = options
        self.command = command
        self.env = env or {}
        self.cwd = cwd
        self.port = 0
        self.start()

    def start(self) -> None:
        """On the same port as before, if there was one."""
        self.stderr_path = self.data.with_name(self.data.name + ".stderr")
        self._stderr = self.stderr_path.open("a")
        arguments = ["--host", "127.0.0.1", "--port", str(self.port), "--data", str(self.data), *self.options]
        self.process = subprocess.Popen(
            [*self.command, sys.executable, "-m", "bridge", *arguments],
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            cwd=self.cwd,
            env={**os.environ, **self.env},
        )
        line = self.process.stdout.readline()
        match = READY.fullmatch(line)
        if not match:
            self.wait()
            raise AssertionError(f"the server said {line!r} and:\n{self.stderr_path.read_text()}")
        self.url = match[1]
        self.port = int(match[3])

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def stderr(self) -> str:
        return self.stderr_path.read_text()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = 15) -> int:
        code = self.process.wait(timeout)
        self.process.stdout.close()
        self._stderr.close()
        return code

    def stop(self) -> int:
        """As an operator would: SIGTERM, then the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """As a power cut would, but for what the kernel holds."""
        self.signal(signal.SIGKILL)
        self.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
