"""Other hosts on a network: namespaces of the kernel, each with a cable to the house where the server runs.

Everything lies inside namespaces of this process' own, so nothing of the machine changes and no two tests meet.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from tests.support.program import done, tool, unavailable

T = TypeVar("T")

_CLONE_NEWNET: Final = 0x40000000  # sched.h; Python has `os.setns` from 3.12 on
_numbers: Final = itertools.count(1)


class Host:
    """One namespace. `ip` and `ip6` are its addresses, `house` and `house6` those at which it reaches the server."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ip = self.ip6 = self.house = self.house6 = ""

    def command(self, *arguments: object) -> tuple[str, ...]:
        """What runs a program there."""
        return ("ip", "netns", "exec", self.name, *map(str, arguments))

    def inside(self, act: Callable[..., T], *arguments: Any) -> T:
        """What `act` returns there. A socket that it opens stays there, and may then be used from anywhere."""

        def enter() -> T:
            descriptor = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), self.name)
            finally:
                os.close(descriptor)
            return act(*arguments)

        with ThreadPoolExecutor(1) as thread:  # whose namespace goes with it
            return thread.submit(enter).result()

    def run(self, *arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return done(*self.command(*arguments), stdin=stdin)


class Net:
    """`net.house`, and around it the hosts that were asked for."""

    def __init__(self) -> None:
        self._name = f"rb{os.getpid()}n{next(_numbers)}"
        self._hosts: list[Host] = []
        self.house = self._namespace("house")

    def host(self, ip: str = "", ip6: str = "") -> Host:
        """A host with these addresses, `.2` of networks in which the house is `.1`."""
        number = len(self._hosts)
        host = self._namespace(f"h{number}")
        host.ip, host.ip6 = ip or f"10.77.{number}.2", ip6 or f"fd00:77:{number}::2"
        host.house, host.house6 = host.ip.rpartition(".")[0] + ".1", host.ip6.removesuffix("2") + "1"
        here, there = f"eth{number}", "eth0"
        ip_tool("link", "add", here, "netns", self.house.name, "type", "veth", "peer", there, "netns", host.name)
        for where, device, four, six in ((self.house, here, host.house, host.house6), (host, there, host.ip, host.ip6)):
            ip_tool("-n", where.name, "addr", "add", f"{four}/24", "dev", device)
            ip_tool("-n", where.name, "addr", "add", f"{six}/64", "dev", device, "nodad")
            ip_tool("-n", where.name, "link", "set", device, "up")
        return host

    def close(self) -> None:
        for host in self._hosts:
            done("ip", "netns", "del", host.name)

    def _namespace(self, name: str) -> Host:
        host = Host(f"{self._name}{name}")
        ip_tool("netns", "add", host.name)
        self._hosts.append(host)
        ip_tool("-n", host.name, "link", "set", "lo", "up")
        return host


def ip_tool(*arguments: str) -> None:
    ended = done(tool("ip"), *arguments)
    assert ended.returncode == 0, f"ip {' '.join(arguments)}: {ended.stderr.decode()}"


def none_here() -> str | None:
    """Why there can be no other hosts on this machine."""
    probe = f"rb{os.getpid()}probe"
    ended = done(tool("ip"), "netns", "add", probe)
    done("ip", "netns", "del", probe)
    return f"no network namespace can be made here: {ended.stderr.decode().strip()}" if ended.returncode else None


def net() -> Net:
    """Another network, or a test that is skipped and says why; where tools are required it fails."""
    if reason := none_here():
        unavailable(reason)
    return Net()
