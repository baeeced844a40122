"""The log in one SQLite file: a writer thread that commits whatever waits, readers that never wait for it."""

from bridge.store.sqlite.log import SqliteLog
from bridge.store.sqlite.outside import Holds, entries, files, snapshot

__all__ = ["Holds", "SqliteLog", "entries", "files", "snapshot"]
