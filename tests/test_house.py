"""The house itself: floors, twins, small files, and a page for every word."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from bridge import model
from bridge.config import Config

TOP = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
LINES_MAX = 400
FACADES = {"bridge/__init__.py"} | {
    f"bridge/{name}/__init__.py"
    for name in ("wire", "transports", "transports/web", "store", "store/sqlite", "commands", "policy")
}
# Contracts in words: their suites are those of the engines.
WITHOUT_TWIN = FACADES | {"bridge/log.py", "bridge/model.py"}


def modules() -> list[Path]:
    return sorted(path.relative_to(TOP) for path in (TOP / "bridge").rglob("*.py"))


def twin(module: Path) -> Path:
    inside = module.relative_to("bridge")
    return TOP / "tests" / inside.parent / f"test_{inside.stem.strip('_')}.py"


@pytest.mark.parametrize("module", [str(module) for module in modules() if str(module) not in WITHOUT_TWIN])
def test_every_module_has_its_twin(module: str) -> None:
    assert twin(Path(module)).is_file(), f"{module} has no {twin(Path(module)).relative_to(TOP)}"


def test_no_file_is_one_that_nobody_dares_to_open() -> None:
    ours = [path for top in ("bridge", "static", "scripts") for path in (TOP / top).rglob("*")]
    long = {
        str(path.relative_to(TOP)): count
        for path in ours
        if path.suffix in (".py", ".js", ".css") and "vendor" not in path.parts
        if (count := len(path.read_text().splitlines())) > LINES_MAX
    }
    assert long == {}


@pytest.mark.parametrize(
    "command",
    [("lint-imports",), ("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy", "--strict", "bridge")],
    ids=" ".join,
)
def test_the_house_keeps_its_own_rules(command: tuple[str, ...]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_documented() -> None:
    page = (TOP / "docs" / "settings.md").read_text()
    for setting in dataclasses.fields(Config):
        assert f"--{setting.name.replace('_', '-')}" in page, setting.name


def test_every_code_and_signal_is_documented() -> None:
    pages = "".join(path.read_text() for path in (TOP / "docs" / "protocols").glob("*.md"))
    words = [*get_args(model.Code), *(signal.__struct_config__.tag for signal in get_args(model.Signal))]
    assert [word for word in words if word not in pages] == []
