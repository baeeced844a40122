"""docs/settings.md is what its script makes of the code."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

from bridge.config import Config
from tests.docs.fences import ROOT


def made() -> str:
    script = ROOT / "scripts" / "settings.py"
    return subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout


def test_the_page_is_what_the_script_makes() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == made(), "say: make docs"


def test_every_setting_has_a_row() -> None:
    page = made()
    for setting in dataclasses.fields(Config):
        assert f"`ROOMBRIDGE_{setting.name.upper()}`" in page
