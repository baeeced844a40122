"""What the page's files must be like: small, without inline code, and never the doors through which markup comes in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
OWN = sorted(
    path
    for path in STATIC.rglob("*")
    if path.suffix in {".js", ".css"} and "vendor" not in path.relative_to(STATIC).parts
)
LINES_MAX = 400
# Trusted types refuse these at run time; here it is said before anyone runs into it.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|randomUUID\(|crypto\.subtle"
)


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(STATIC)))
def test_a_file_is_small_and_opens_with_its_purpose(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= LINES_MAX
    assert source.startswith("/*" if path.suffix == ".css" else "// ")
    if path.suffix == ".js":
        assert not FORBIDDEN.search(source)


def test_models_and_helpers_know_no_page() -> None:
    for shelf in ("models", "helpers"):
        for path in (STATIC / shelf).glob("*.js"):
            assert not re.search(r"\b(document|window|localStorage|location)\b\.", path.read_text(encoding="utf-8")), (
                path
            )


def test_the_template_has_no_inline_script_or_style() -> None:
    template = (ROOT / "templates" / "room.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", template)


def test_every_stylesheet_is_linked_and_every_linked_one_exists() -> None:
    template = (ROOT / "templates" / "room.html").read_text(encoding="utf-8")
    (listed,) = re.findall(r"for sheet in \[(.*?)\]", template)
    assert sorted(re.findall(r"'(\w+)'", listed)) == sorted(path.stem for path in (STATIC / "styles").glob("*.css"))


def test_python_never_lies_where_the_page_is_served() -> None:
    assert not list(STATIC.rglob("*.py"))
