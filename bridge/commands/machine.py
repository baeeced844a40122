"""What else is at work on this machine: who holds a port, and which firewalls stand before it. Linux tells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_LISTENING: Final = "0A"  # proc_net_tcp.txt
_STOPS: Final = re.compile(r"hook input [^}]*?(policy drop|\b(drop|reject)\b)")


def holder(port: int, proc: Path = Path("/proc")) -> str | None:
    """The program that listens on a TCP port, as far as we may know."""
    sockets = set(_listening(port, proc))
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):  # not ours to see, or gone
            if any(os.readlink(descriptor) in sockets for descriptor in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None


def _listening(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for row in (proc / "net" / table).read_text().splitlines()[1:]:
                _number, local, _remote, state, *_rest = fields = row.split()
                if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                    yield f"socket:[{fields[9]}]"


def firewalls(port: int, root: Path = Path("/")) -> Iterator[tuple[str, str]]:
    """Those that are at work, and what opens the port in each."""
    with suppress(OSError):
        if "ENABLED=yes" in (root / "etc/ufw/ufw.conf").read_text():
            yield "ufw", f"sudo ufw allow {port}"
    if (root / "run/firewalld").exists():
        yield "firewalld", f"sudo firewall-cmd --add-port={port}/tcp --add-port={port}/udp"
    if (nft := shutil.which("nft")) and _STOPS.search(_ruleset(nft)):
        rule = f"sudo nft insert rule inet filter input meta l4proto {{ tcp, udp }} th dport {port} accept"
        yield "nftables", rule


def _ruleset(nft: str) -> str:
    """Empty where only root may look."""
    with suppress(OSError, subprocess.TimeoutExpired):
        asked = subprocess.run([nft, "list", "ruleset"], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
        return asked.stdout
    return ""
