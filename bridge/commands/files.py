"""The bytes of a data folder, looked after by hand: which there are, which are damaged, and which are nobody's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from bridge.model import Entry, FileRef, StoreError
from bridge.store.files import place
from bridge.store.folder import claimed, faults_named
from bridge.store.sqlite import file_bytes, kept, named
from bridge.store.unfinished import pair, sorted_out

LOG: Final = "log.sqlite3"
NAMED_AT_ONCE: Final = 500

_encode = msgspec.json.Encoder().encode


def listed(folder: Path, form: Literal["text", "ndjson"]) -> Iterator[bytes]:
    """A line for each file that is kept, oldest first; as text a last one for all. Raises `StoreError`."""
    count = size = 0
    for entry, file in _kept(folder):
        count, size = count + 1, size + file.size
        yield (_encode(entry) if form == "ndjson" else _line(entry, file).encode()) + b"\n"
    if form == "text":
        yield f"files: {count}, their bytes: {size}, the same counted once: {file_bytes(_log(folder))}\n".encode()


def _line(entry: Entry, file: FileRef) -> str:
    at = datetime.fromtimestamp(entry.at / 1000).astimezone().isoformat(" ", "seconds")
    return f"{at} {file.id} {file.size:>12} {entry.room} [{entry.sender.name}] {file.name}"


class Checked(NamedTuple):
    """What became of a look at all bytes; `str` says it in a line."""

    files: int
    bytes: int
    damaged: int

    def __str__(self) -> str:
        return f"files: {self.files}, their bytes: {self.bytes}, damaged: {self.damaged}"


def verify(folder: Path, tell: Callable[[str], object]) -> Checked:
    """Read the bytes of every file that is kept; `tell` of each that they are not of. Raises `StoreError`."""
    files = size = damaged = 0
    shared: dict[int, str] = {}
    for entry, file in _kept(folder):
        fault = _fault(place(folder / "files", file.id), file, shared)
        if fault and not named(_log(folder), [file.id]):
            continue  # taken back, or let go, meanwhile
        files, size = files + 1, size + file.size
        if fault:
            damaged += 1
            tell(f"{entry.room}: {file.name} ({file.id}, entry {entry.seq}): {fault}")
    return Checked(files, size, damaged)


def _fault(path: Path, file: FileRef, shared: dict[int, str]) -> str:
    """What is wrong with it, if anything. Bytes that have several names are read once."""
    try:
        with path.open("rb") as held:
            found = os.fstat(held.fileno())
            if found.st_size != file.size:
                return f"{found.st_size} bytes are there, expected {file.size}"
            sha256 = shared.get(found.st_ino) or hashlib.file_digest(held, "sha256").hexdigest()
    except FileNotFoundError:
        return "its bytes are gone"
    except OSError as exc:
        return f"its bytes cannot be read: {exc.strerror}"
    if found.st_nlink > 1:
        shared[found.st_ino] = sha256
    return "" if sha256 == file.sha256 else f"sha256 is {sha256}, expected {file.sha256}"


class Pruned(NamedTuple):
    """What was removed; `str` says it in a line."""

    files: int
    parts: int
    uploads: int
    freed: int

    def __str__(self) -> str:
        return (
            f"removed files that no entry names: {self.files}, parts: {self.parts}, "
            f"uploads that cannot go on: {self.uploads}, their bytes: {self.freed}"
        )


def prune(folder: Path, now: float, kept_s: float) -> Pruned:
    """Remove what is nobody's, and uploads that nobody went on with for `kept_s` by `now`.

    Raises `StoreError`, also when a server is at work there: it does all this itself.
    """
    log = _log(folder)
    with claimed(folder), faults_named(folder):
        records, halves = sorted_out(folder / "uploads")
        ended = [id for id in records if _over(folder, id, now - kept_s) or named(log, [id])]
        going_on = set(records).difference(ended)
        strays = [path for path in _strays(folder, log) if path.name not in going_on]
        parts = _inside(folder / "parts")
        uploads = halves + [path for id in ended for path in pair(folder / "uploads", id) if path.exists()]
        freed = sum(_remove(path) for path in [*strays, *parts, *uploads])
    return Pruned(len(strays), len(parts), len({path.stem for path in uploads}), freed)


def _over(folder: Path, id: str, before: float) -> bool:
    """Whether its last byte came before that. One that is whole and has its place already is announced by a server."""
    part = folder / "uploads" / id
    if not part.exists():
        return not place(folder / "files", id).exists()
    return part.stat().st_mtime < before


def _strays(folder: Path, log: Path) -> Iterator[Path]:
    """Whole files that no entry names."""
    blobs = [blob for shelf in _inside(folder / "files") for blob in shelf.iterdir()]
    for start in range(0, len(blobs), NAMED_AT_ONCE):
        some = blobs[start : start + NAMED_AT_ONCE]
        known = named(log, [blob.name for blob in some])
        yield from (blob for blob in some if blob.name not in known)


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _remove(path: Path) -> int:
    """How many bytes that frees."""
    found = path.stat()
    path.unlink()
    return found.st_size if found.st_nlink == 1 else 0


def _kept(folder: Path) -> Iterable[tuple[Entry, FileRef]]:
    return ((entry, entry.file) for entry in kept(_log(folder)) if entry.file is not None)


def _log(folder: Path) -> Path:
    if not (path := folder / LOG).is_file():
        raise StoreError(f"{folder} holds no log (--data DIR names another folder)")
    return path
