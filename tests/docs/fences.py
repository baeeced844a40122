"""The fenced blocks of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(
    r"^(?P<fence>```+)(?P<language>[a-z]*)[ \t]*(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=fence)[ \t]*$", re.M | re.S
)


class Fence(NamedTuple):
    """One block: its language, what else its opening line says, and its code; `line` is that of the opening."""

    page: Path
    line: int
    language: str
    info: str
    code: str


def read(page: Path) -> Iterator[Fence]:
    """The blocks of one page, from its top."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Fence(page, line, found["language"], found["info"].strip(), found["code"].removesuffix("\n"))


def pages() -> list[Path]:
    """Every page that people read: those at the top and all under `docs/`."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
