"""Every language says the same things, with the same blanks to fill in, and the page asks for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
LANGUAGES = sorted(path.stem for path in (STATIC / "i18n").glob("*.json"))
PAGE = [
    *STATIC.glob("*.js"),
    *STATIC.glob("components/**/*.js"),
    *STATIC.glob("models/*.js"),
    STATIC / "helpers" / "deeds.js",
]
# Keys that are put together while the page runs.
COMPOSED = ("connection.", "theme.", "error.", "rail.", "files.", "connect.", "transfer.", "silenced.")
WIRE_CODES = (
    "bad_request bad_text bad_name bad_room empty too_long too_large "
    "rate_limited disk_full busy forbidden not_found unsupported"
).split()


def words(language: str) -> dict[str, Any]:
    return json.loads((STATIC / "i18n" / f"{language}.json").read_text(encoding="utf-8"))


def blanks(value: str | dict[str, str]) -> set[str]:
    sentences = [value] if isinstance(value, str) else list(value.values())
    return {blank for sentence in sentences for blank in re.findall(r"\{(\w+)\}", sentence)}


def test_there_are_english_and_chinese() -> None:
    assert LANGUAGES == ["en", "zh-CN"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_and_blanks(language: str) -> None:
    english, other = words("en"), words(language)
    assert list(other) == list(english)
    assert {key: blanks(value) for key, value in other.items()} == {key: blanks(english[key]) for key in english}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_and_every_plural_has_its_last_resort(language: str) -> None:
    for key, value in words(language).items():
        sentences = [value] if isinstance(value, str) else [*value.values(), value["other"]]
        assert all(sentence.strip() for sentence in sentences), key


def test_every_code_of_the_wire_has_a_sentence() -> None:
    assert {f"error.{code}" for code in WIRE_CODES} <= words("en").keys()


def test_the_page_asks_for_keys_that_exist_and_leaves_none_unused() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in PAGE)
    template = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").glob("*.html"))
    asked = set(re.findall(r"""\bt\(\s*"([\w.]+)\"""", source)) | set(re.findall(r"t\['([\w.]+)'\]", template))
    known = words("en").keys()
    assert asked <= known
    # A condition inside t(...) hides a key from the pattern above: look for it as a plain string.
    unused = {key for key in known - asked if not key.startswith(COMPOSED) and f'"{key}"' not in source}
    assert not unused
