"""Names that one eye cannot tell apart share a look; names that it can do not."""

from __future__ import annotations

import json
import unicodedata
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import gate
from bridge.lookalikes import _skeleton, looks
from tests.support import nouns

ALIKE = [
    ("admin", "аdmin"),  # Cyrillic
    ("admin", "ADMIN"),
    ("admin", "АDМІN"),  # Cyrillic capitals, against small letters
    ("admin", "ａｄｍｉｎ"),  # full width
    ("admin", "𝐚𝐝𝐦𝐢𝐧"),  # mathematical
    ("admin", "adrnin"),
    ("paypal", "раураl"),
    ("Bill", "BiIl"),
    ("bill", "bi11"),
    ("bill", "BILL"),
    ("root", "r00t".replace("0", "о")),
    ("Roo", "R00".replace("0", "Ο")),  # Greek
    ("server", "ѕеrvеr"),
    ("alice", "al\u0456ce"),
    ("alice", "alıce".replace("ı", "\u2170")),  # small Roman numeral one
    ("bob-2", "bob\u20102"),  # a hyphen
    ("bob-2", "bob\u20132"),  # an en dash
    ("a b", "a\u00a0b"),
    ("a b", "a  b"),
    ("a b", "a\u3000b"),
    ("❤", "❤\ufe0f"),  # a variation selector shows nothing
    ("bob", "b\u034fob"),
    ("bob", "bob\u3164"),  # Hangul filler
    ("straße", "STRASSE"),
    ("é", "e\u0301"),
    ("ο", "o"),
    ("νіk", "vik"),
]
APART = [
    ("alice", "bob"),
    ("bob", "bobby"),
    ("bob-2", "bob-3"),
    ("bob-11", "bob-1"),
    ("小明", "小红"),
    ("客户端1", "客户端2"),
    ("e", "é"),
    ("u", "ü"),
    ("тест", "text"),
    ("a", "b"),
    ("udp-40000", "udp-40001"),
    ("ab", "a b"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE, ids=ascii)
def test_names_that_look_alike_share_a_look(one: str, other: str) -> None:
    assert looks(one) & looks(other)


@pytest.mark.parametrize(("one", "other"), APART, ids=ascii)
def test_names_that_differ_to_the_eye_do_not(one: str, other: str) -> None:
    assert not looks(one) & looks(other)


def test_thousands_of_unicodes_own_pairs_are_taken_for_each_other() -> None:
    """Each sign of the table, and its twin in the same place of a name."""
    table = json.loads((resources.files("confusable_homoglyphs") / "confusables.json").read_text("utf-8"))
    pairs = [
        (f"x{sign.strip(chr(0x200E))}y", f"x{twin['c'].strip(chr(0x200E))}y")
        for sign, twins in table.items()
        for twin in twins
        if unicodedata.is_normalized("NFD", sign) and unicodedata.is_normalized("NFD", twin["c"])
    ]
    names = [(one, other) for one, other in pairs if all(nouns.passes(name, gate.clean_name) for name in (one, other))]
    assert len(names) > 5_000
    different = [
        (one, other) for one, other in names if not looks(gate.clean_name(one)) & looks(gate.clean_name(other))
    ]
    assert different == []


@settings(deadline=None, max_examples=500)
@given(st.one_of(nouns.names, st.text(max_size=32)))
def test_a_look_looks_like_itself(name: str) -> None:
    assert all(_skeleton(look) == look for look in looks(name))
    assert looks(name) == looks(unicodedata.normalize("NFC", name))
    assert looks(name) & looks(name.casefold())
