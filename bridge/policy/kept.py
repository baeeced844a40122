"""Addresses that a host let in for good: a file that the operator can read and put right, a line each.

A line says by which way (`tcp` or `udp`) and from which address: what came in a datagram proves nothing to those who
ask for a connection.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from bridge.policy.zones import bare

logger = logging.getLogger("roombridge.policy")

KEPT_FILE: Final = "admitted"


class Kept:
    """What stands in the file at `path`, which need not be there yet. Raises `OSError` if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = set(path.read_text(encoding="utf-8").split("\n")) if path.exists() else set()

    def has(self, via: str, ip: str) -> bool:
        return bool(self._lines) and _line(via, ip) in self._lines

    def add(self, via: str, ip: str) -> None:
        """Keep it; on a disk that takes nothing, until the server ends. Raises `ValueError` for what is no address."""
        line = _line(via, ip)
        if line in self._lines:
            return
        self._lines.add(line)
        try:
            with open(
                os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            logger.warning("%s is let in until the server ends, but %s cannot be written: %s", line, self._path, exc)


def _line(via: str, ip: str) -> str:
    return f"{via} {bare(ip)}"
