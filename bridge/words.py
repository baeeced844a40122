"""How words are looked for: by their beginning, whatever their case and accents, and Chinese sign by sign.

An index that splits text at spaces takes a Chinese sentence for one word, and one of letter triples finds no word of
two signs. So signs of scripts without spaces are set apart, each a word of its own, and what stood together is asked
for as a phrase: 温度 finds 今日温度, and not 温和的热度.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import combining, normalize

from bridge.model import Refused

QUERY_MAX_CHARS: Final = 200
PHRASES_MAX: Final = 16

# Han, kana, bopomofo and hangul, written without spaces.
_SIGN: Final = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
_WORD: Final = re.compile(r"[^\W_]+")
_BETWEEN: Final = r"[\W_]+"
_START: Final = r"(?<![^\W_])"


def apart(text: str) -> str:
    """The text with a space around every sign that is a word of its own; wide letters become plain ones."""
    return text if text.isascii() else _SIGN.sub(r" \g<0> ", normalize("NFKC", text))


def phrases(query: str) -> list[list[str]]:
    """What is asked for: each space-separated piece as the words it holds. Raises `Refused` `too_long`, `empty`."""
    if len(query) > QUERY_MAX_CHARS:
        raise Refused("too_long", f"a question of {len(query)} characters, at most {QUERY_MAX_CHARS}")
    found = [_WORD.findall(apart(piece)) for piece in query.split()]
    asked = [phrase for phrase in found if phrase]
    if not asked:
        raise Refused("empty", "nothing to search for: give a word or a number")
    if len(asked) > PHRASES_MAX:
        raise Refused("too_long", f"a question of {len(asked)} words, at most {PHRASES_MAX}")
    return asked


def hits(text: str, asked: list[list[str]]) -> list[str]:
    """The pieces of `text` that were meant, as they stand there, each once, in the order of the question."""
    folded, places = _fold(text)
    found: dict[str, None] = {}
    for phrase in asked:
        pattern = _START + _BETWEEN.join(re.escape(_fold(word)[0].strip()) for word in phrase)
        for match in re.finditer(pattern, folded):
            end = places[match.end() - 1] + 1
            while end < len(text) and combining(text[end]):
                end += 1
            found[text[places[match.start()] : end]] = None
    return list(found)


def _fold(text: str) -> tuple[str, list[int]]:
    """The text as an index sees it, and the place in `text` that each of its characters comes from."""
    folded: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        plain = sign.lower() if sign.isascii() else _plain(sign)
        folded.append(plain)
        places.extend([place] * len(plain))
    return "".join(folded), places


def _plain(sign: str) -> str:
    bare = "".join(part for part in normalize("NFKD", sign) if not combining(part))
    return apart(normalize("NFC", bare).lower())
