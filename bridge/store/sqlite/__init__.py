"""The log in one SQLite file: a writer thread that commits whatever waits, readers that never wait for it."""

from bridge.store.sqlite.log import SqliteLog
from bridge.store.sqlite.outside import Holds, entries, file_bytes, files, kept, named, snapshot

__all__ = ["Holds", "SqliteLog", "entries", "file_bytes", "files", "kept", "named", "snapshot"]
