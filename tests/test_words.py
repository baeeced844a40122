"""Words are found by their beginning, in any case and accent, and Chinese ones sign by sign."""

from __future__ import annotations

import pytest
from hypothesis import given

from bridge import words
from bridge.model import Refused
from tests.support.nouns import anything, nasty


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("bench 3", [["bench"], ["3"]]),
        ("温度", [["温", "度"]]),
        ("t=23.5", [["t", "23", "5"]]),
        ("室温25度 ok", [["室", "温", "25", "度"], ["ok"]]),
        ('"a" OR (b* NEAR c)', [["a"], ["OR"], ["b"], ["NEAR"], ["c"]]),
        ("ＡＢＣ *** １", [["ABC"], ["1"]]),
    ],
)
def test_a_question_is_words_in_phrases(query: str, asked: list[list[str]]) -> None:
    assert words.phrases(query) == asked


@pytest.mark.parametrize("query", ["", "  ", '"', "***", "--"])
def test_a_question_without_a_word_is_empty(query: str) -> None:
    with pytest.raises(Refused, match="nothing to search for") as refused:
        words.phrases(query)
    assert refused.value.code == "empty"


@pytest.mark.parametrize("query", ["a" * 201, " ".join("a" * 17)])
def test_a_question_has_its_limits(query: str) -> None:
    with pytest.raises(Refused, match="at most") as refused:
        words.phrases(query)
    assert refused.value.code == "too_long"


@pytest.mark.parametrize(
    ("text", "query", "hits"),
    [
        ("Temperature and temperate", "TEMP", ["Temp", "temp"]),
        ("contemporary", "temp", []),
        ("今日温度正常，温 度", "温度", ["温度", "温 度"]),
        ("Café, cafe\u0301!", "cafe", ["Café", "cafe\u0301"]),
        ("t=23.5 rh=61", "23.5 rh", ["23.5", "rh"]),
        ("ＡＢＣ度", "abc 度", ["ＡＢＣ", "度"]),
        ("snake_case", "case", ["case"]),
        ("한국어 안녕", "안녕", ["안녕"]),
    ],
)
def test_hits_are_what_was_meant_as_it_stands_there(text: str, query: str, hits: list[str]) -> None:
    assert words.hits(text, words.phrases(query)) == hits


@given(anything | nasty, anything | nasty)
def test_no_text_and_no_question_is_too_odd(text: str, query: str) -> None:
    try:
        asked = words.phrases(query)
    except Refused:
        return
    assert all(hit in text for hit in words.hits(text, asked))


@given(anything | nasty)
def test_setting_apart_twice_changes_no_word(text: str) -> None:
    once = words.apart(text)
    assert words.apart(once).split() == once.split()
