"""All that a room holds, line by line: as people read it, or as programs do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from bridge.gate import clean_room
from bridge.model import Entry, Gap
from bridge.store.sqlite import entries
from bridge.wire import plain

_encode = msgspec.json.Encoder().encode


def told(folder: Path, room: str, form: Literal["text", "ndjson"]) -> Iterator[bytes]:
    """The lines, each as soon as it is read. Raises `Refused` `bad_room`, or `StoreError`, also for no such room."""
    for said in entries(folder / "log.sqlite3", clean_room(room)):
        match form, said:
            case "ndjson", _:
                yield _encode(said) + b"\n"
            case _, Gap():
                yield f"{plain.notice(plain.LOST)}\n".encode()
            case _, Entry():
                yield _line(said).encode()


def _line(entry: Entry) -> str:
    at = datetime.fromtimestamp(entry.at / 1000).astimezone().isoformat(" ", "seconds")
    return f"{at} {plain.speaker(entry)}{plain.words(entry, base='')}\n"
