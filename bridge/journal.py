"""What the server says about itself, on stderr: lines for people, or one JSON object a line for programs.

What peers keep secret is never in it: who logs names a peer by its address, a request by its method and path.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Final

TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def begin(level: str, format: str) -> None:
    """From now on, all loggers speak from `level` up in `format` (`text` or `json`)."""
    voice = logging.StreamHandler()
    voice.setFormatter(JsonLines() if format == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=level.upper(), handlers=[voice], force=True)


class JsonLines(logging.Formatter):
    """`{"time","level","logger","message"}`, and `exception` with its trace where there is one; ASCII throughout."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said)
