"""The log in one SQLite file: a writer thread that commits whatever waits, readers that never wait for it."""

from bridge.store.sqlite.log import SqliteLog

__all__ = ["SqliteLog"]
