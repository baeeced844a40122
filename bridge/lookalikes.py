"""Which names look alike: `аdmin` with a Cyrillic `а` is `admin` to every eye.

A look is a skeleton as UTS 39 (section 4) makes it: decomposed, without what is never shown, each sign replaced by the
one it is confused with. Unicode's table of these comes with the package `confusable-homoglyphs`.
"""

from __future__ import annotations

import re
import unicodedata
from importlib import resources
from typing import Final

import msgspec

# Signs without a shape that names may hold (Default_Ignorable_Code_Point beside Cf): fillers, variation selectors.
_SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_LEFT_TO_RIGHT_MARK: Final = "\u200e"  # around what is written from right to left in the table, no part of it


class _Twin(msgspec.Struct):
    """One that a sign is confused with."""

    c: str


def looks(name: str) -> frozenset[str]:
    """How a name looks as it stands, in small letters, in capitals; two that share a look are one to the eye."""
    small = unicodedata.normalize("NFKC", name.casefold()).casefold()  # of any width and style
    return frozenset((_skeleton(name), _skeleton(small), _skeleton(small.upper())))


def _skeleton(text: str) -> str:
    return " ".join(_apart(_SHAPELESS.sub("", _apart(text)).translate(_SHAPES)).split())


def _apart(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _shapes() -> dict[int, str]:
    """What each sign is replaced by. In the table, signs of one shape form a star around one that stands for all."""
    table = (resources.files("confusable_homoglyphs") / "confusables.json").read_bytes()
    twins = {
        sign.strip(_LEFT_TO_RIGHT_MARK): [twin.c.strip(_LEFT_TO_RIGHT_MARK) for twin in found]
        for sign, found in msgspec.json.decode(table, type=dict[str, list[_Twin]]).items()
    }
    shapes = {ord(sign): found[0] for sign, found in twins.items() if len(sign) == 1 and _yields(sign, found, twins)}
    return {sign: _apart(shape).translate(shapes) for sign, shape in shapes.items()}


def _yields(sign: str, found: list[str], twins: dict[str, list[str]]) -> bool:
    """Whether another stands for this sign; of only two that are alike, any, as long as it is always the same."""
    return len(found) == 1 and (len(twins[found[0]]) > 1 or (len(found[0]), found[0]) > (1, sign))


_SHAPES: Final = _shapes()
