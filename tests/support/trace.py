"""A server under `strace`: what it asked of the kernel, in which order, and when each call was answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.support.observe import until
from tests.support.program import done, tool, unavailable

TRACED = "fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg,rename,renameat,renameat2"
_CALL = re.compile(r"(\d+) +(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))")
_RESULT = re.compile(r"\) += (-?\d+)[^=]*\Z")


class Call(NamedTuple):
    """One system call: its arguments as strace shows them (paths for descriptors), and the lines of the trace at which
    it began and at which it was answered."""

    name: str
    arguments: str
    began: int
    ended: int
    result: int


class Traced:
    """`run(command=traced.command)`, stop it, and read `traced.calls()`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if done(tool("strace"), "-o", path, "true").returncode:
            unavailable("strace may not trace here")
        # -D: the server is our own child, and strace its shadow, so that signals reach the server itself
        options = ("-D", "-f", "-y", "-s", "16384", "-e", f"trace={TRACED}", "-e", "signal=none")
        self.command = (tool("strace"), *options, "-o", str(path))

    def calls(self, pid: int) -> list[Call]:
        """All calls, in the order in which they began; for a server that has ended."""
        until(lambda: re.search(rf"^{pid} +\+\+\+ exited", self.path.read_text(), re.MULTILINE), "strace has ended")
        begun: dict[str, tuple[str, str, int]] = {}
        calls = []
        for number, line in enumerate(self.path.read_text().splitlines()):
            match = _CALL.match(line)
            if not match:
                continue
            thread, name, arguments, resumed, rest = match.groups()
            began = number
            if resumed:
                name, arguments, began = begun.pop(thread)
                arguments += rest
            elif arguments.endswith("<unfinished ...>"):
                begun[thread] = name, arguments.removesuffix("<unfinished ...>"), number
                continue
            if result := _RESULT.search(arguments):
                calls.append(Call(name, arguments[: result.start()], began, number, int(result[1])))
        return sorted(calls, key=lambda call: call.began)


def first(calls: list[Call], what: str, true: Callable[[Call], object]) -> Call:
    """The first call of which that is true."""
    for call in calls:
        if true(call):
            return call
    raise AssertionError(f"no call for: {what}")
