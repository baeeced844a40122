"""docs/architecture.md names files and functions that are there, and leaves none out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.docs import fences
from tests.docs.fences import ROOT

PAGE = ROOT / "docs" / "architecture.md"
HOUSE = ROOT / "bridge"


def tree() -> set[str]:
    """What the drawing of the house names: files, and folders with a slash at the end."""
    (drawing,) = [block.code for block in fences.read(PAGE) if block.code.startswith("bridge/")]
    named: set[str] = set()
    above: list[tuple[int, str]] = []
    for line in drawing.split("\n"):
        indent, words = len(line) - len(line.lstrip()), line.split()
        if not re.fullmatch(r"[\w/]+(\.py|/)", words[0]) or words[0] in ("static/", "tests/"):
            continue
        above = [(depth, folder) for depth, folder in above if depth < indent]
        path = "".join(folder for _, folder in above) + words[0]
        named.add(path)
        if path.endswith("/"):
            above.append((indent, words[0]))
    return named


def test_the_drawing_shows_every_file_and_nothing_else() -> None:
    named = tree()
    there = {path.relative_to(ROOT).as_posix() for path in HOUSE.rglob("*.py") if path.name != "__init__.py"}
    missing = {
        path for path in there if path not in named and not any(_inside(path, folder, named) for folder in named)
    }
    assert missing == set(), "not drawn"
    assert {path for path in named if not (ROOT / path).exists()} == set(), "drawn, but not there"


def _inside(path: str, folder: str, named: set[str]) -> bool:
    """Whether a folder that is drawn without its files stands for this one."""
    drawn_open = any(other != folder and other.startswith(folder) for other in named)
    return folder.endswith("/") and path.startswith(folder) and not drawn_open


def names() -> set[str]:
    """Every class, function and method of the house."""
    found: set[str] = set()
    for path in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
    return found


def paths_of_files() -> set[str]:
    return {path.name for path in HOUSE.rglob("*.py")}


@pytest.mark.parametrize("page", ["architecture.md", "decisions.md"])
def test_what_it_calls_by_name_is_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    known = names() | {path.stem for path in HOUSE.rglob("*.py")}
    unknown = []
    for word in re.findall(r"`((?:[a-z_]+\.)?_?[A-Z][A-Za-z]*\._?[a-z_]+)(?:\(.*?\))?`|`(wire\.[a-z_.]+)`", text):
        called = word[0] or word[1]
        if any(part not in known | {"wire"} for part in called.split(".")):
            unknown.append(called)
    assert unknown == []


def test_every_decision_says_something_in_few_words() -> None:
    notes = (ROOT / "docs" / "decisions.md").read_text().split("\n## ")[1:]
    assert len(notes) >= 10
    for note in notes:
        assert 20 < len(note.split()) < 200, Path(note.split("\n")[0])
