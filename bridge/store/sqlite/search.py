"""Entries that say certain words, and entries that are files: the newest of them, page by page."""

from __future__ import annotations

import sqlite3
from typing import Final

from bridge.log import Page
from bridge.store.sqlite import queries

_MATCHING: Final = (
    "JOIN word ON word.rowid = entry.seq WHERE entry.room = ? AND word MATCH ? AND word.rowid < ? "
    "AND (entry.file_id IS NOT NULL OR NOT ?) ORDER BY word.rowid DESC LIMIT ?"
)
_FILES: Final = "WHERE entry.room = ? AND entry.seq < ? AND entry.file_id IS NOT NULL ORDER BY entry.seq DESC LIMIT ?"
_ANY: Final = 2**63 - 1


def matching(
    connection: sqlite3.Connection, name: str, asked: list[list[str]], limit: int, before: int | None, files: bool
) -> Page:
    """The newest entries below `before` that have all that is `asked`, or, when nothing is, the newest files."""
    top = _ANY if before is None else before
    if asked:
        found = queries.chosen(connection, name, _MATCHING, match(asked), top, files, limit)
    else:
        found = queries.chosen(connection, name, _FILES, top, limit)
    return Page(found[::-1])


def match(asked: list[list[str]]) -> str:
    """The question in FTS5's language: quoted phrases, of which the last word may go on. Words hold no quotes."""
    return " ".join(f'"{" ".join(phrase)}"*' for phrase in asked)
