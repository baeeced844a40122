"""The index of words: one more cursor over the log, which takes in what it has not seen when somebody is about to ask.

It is behind while nobody asks, so that appending costs what it did (an FTS5 row takes twice as long as the entry
itself); a second connection fills it in short transactions that are not synced, for what a crash takes away is taken in
again. It forgets by itself: triggers drop a row when its entry goes or its content is erased, whoever does that.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from bridge import words
from bridge.model import FileRef, StoreError

STEP_ENTRIES: Final = 100
STEP_BYTES: Final = 64 * 1024
"""How many entries, and of how much text, at once: about 5 ms, for which a draft may have to wait..."""
YIELD_S: Final = 0.005
"""...and for how long a draft that waits goes first: SQLite's lock is not fair, and would starve it."""

TABLES: Final = """
    CREATE VIRTUAL TABLE word USING fts5 (said, tokenize = "unicode61 remove_diacritics 2");
    CREATE TABLE indexed (
        up_to INTEGER NOT NULL,
        unclean INTEGER NOT NULL -- 1: words of what was erased may still be found in the file
    );
    INSERT INTO indexed VALUES (0, 0);
    CREATE TRIGGER word_gone AFTER DELETE ON entry BEGIN
        DELETE FROM word WHERE rowid = old.seq;
    END;
    CREATE TRIGGER word_erased AFTER UPDATE OF text, file ON entry BEGIN
        DELETE FROM word WHERE rowid = old.seq;
        UPDATE indexed SET unclean = 1 WHERE up_to >= old.seq;
    END;
"""

_UNSEEN: Final = "SELECT seq, text, file FROM entry WHERE seq > (SELECT up_to FROM indexed) ORDER BY seq LIMIT ?"
_file = msgspec.json.Decoder(FileRef)


class Index:
    """Made in an event loop; it works on a thread of its own, which `close` ends."""

    def __init__(self, path: Path, busy: Callable[[], bool]) -> None:
        """`busy` says whether drafts wait for the disk."""
        self._busy = busy
        self._loop = asyncio.get_running_loop()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")  # that is the writer's
        self._thread = ThreadPoolExecutor(1, "log index")
        self._closed = False

    async def catch_up(self) -> None:
        """Take in all that was stored so far. Raises `StoreError`."""
        try:
            await self._loop.run_in_executor(self._thread, self._take_in)
        except sqlite3.Error as exc:
            raise StoreError(f"index: {exc}") from exc

    def close(self) -> None:
        self._closed = True
        self._thread.shutdown(cancel_futures=True)
        self._connection.close()

    def _take_in(self) -> None:
        while not self._closed and self._step():
            if self._busy():
                time.sleep(YIELD_S)

    def _step(self) -> bool:
        """A few more entries, in one transaction; whether there may be others."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            rows = _few(self._connection.execute(_UNSEEN, (STEP_ENTRIES,)))
            said = [(seq, words.apart(_said(text, file))) for seq, text, file in rows if text or file]
            self._connection.executemany("INSERT INTO word (rowid, said) VALUES (?, ?)", said)
            if rows:
                self._connection.execute("UPDATE indexed SET up_to = ?", (rows[-1][0],))
        return bool(rows)


def _few(rows: Iterable[tuple[int, str | None, str | None]]) -> list[tuple[int, str | None, str | None]]:
    taken, weight = [], 0
    for row in rows:
        taken.append(row)
        weight += len(row[1] or "")
        if weight > STEP_BYTES:
            break
    return taken


def scrub(connection: sqlite3.Connection) -> None:
    """Write the index anew without the words of what was erased, if any was: FTS5 leaves them until it merges.

    About 0.1 s for 100,000 rows.
    """
    if connection.execute("SELECT 1 FROM indexed WHERE unclean").fetchone():
        connection.execute("INSERT INTO word (word) VALUES ('optimize')")
        connection.execute("UPDATE indexed SET unclean = 0")


def _said(text: str | None, file: str | None) -> str:
    """A file is found by its name."""
    return text if text is not None else _file.decode(file or "").name
