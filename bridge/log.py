"""The contracts of what lasts: a log that numbers drafts, and a store for the bytes of files.

An engine is one file under `store/` that keeps the guarantees below; `tests/store/` holds one suite for each contract
that every engine passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from bridge.model import Draft, Entry, Gap, Peer, Rule, Stored, StoreError


class Page(msgspec.Struct, frozen=True):
    """Entries in ascending order, and the gap before them if what was asked for is no longer kept."""

    entries: list[Entry]
    gap: Gap | None = None


class RoomInfo(msgspec.Struct, frozen=True):
    """A room that has entries."""

    name: str
    last_seq: int


class Held(msgspec.Struct, frozen=True):
    """A rule that holds, the number of its entry (which may be trimmed by now), and the digest of the PIN it set."""

    seq: int
    rule: Rule
    pin: str | None = None


class Log(Protocol):
    """An append-only log per room.

    Guarantees:
      1. `append` answers only when the entry is on stable storage; cancelling the caller changes nothing.
      2. `on_entry` is called in the event loop once per new entry, in the order of their numbers within a room, after
         the entry is durable and before its `append` answers. A repeated key announces nothing.
      3. Numbers rise within a room and may skip; an entry once announced is never changed, only withdrawn.
      4. `(room, author, key)` is stored once; appending it again answers with the first entry and `new=False`, or
         raises `not_found` when that entry was withdrawn.
      5. Drafts of one caller are numbered in the order of the calls.
      6. `on_trim(room, up_to)` is called in the event loop when a room's entries up to this number are no longer kept.
      7. After a failure that leaves open what the disk holds, nothing more is stored and `on_failure` is called once.
      8. A draft that `withdraws` an entry is stored and the content of that entry is gone for good, or neither. It is
         `not_found` unless the room has such an entry, `forbidden` unless the entry has the same author or a `host`
         asks, and is itself neither a withdrawal nor a rule. Once it is announced, no page that is answered holds
         what it withdrew; if that was a file, `on_gone` is called once, in the event loop, with its id.
      9. A rule holds from when it is stored until another about the same is, or its time is over; also when its entry
         is trimmed.
      10. `on_same(id, first)` is called in the event loop once a file is announced whose digest is that of a file which
         is kept already, of whatever room: `first` is the oldest of those.
    """

    epoch: str
    """The identity of this log, made once: numbers of another epoch mean nothing here."""
    salt: bytes
    """A secret of this log, made once, from which public peer ids are derived."""
    on_entry: Callable[[Entry], None]
    on_trim: Callable[[str, int], None]
    on_failure: Callable[[StoreError], None]
    on_gone: Callable[[str], None]
    on_same: Callable[[str, str], None]

    def append(self, draft: Draft) -> asyncio.Future[Stored]:
        """Queue a draft at once; the future answers when it is durable.

        Raises `Refused` `busy` when too many wait; the future raises `Refused` `disk_full`, or for what cannot be
        withdrawn, `StoreError` when the engine failed, or `Unsure` when that leaves open whether it is stored.
        Cancelling the future changes nothing but that nobody hears the answer.
        """

    async def read(self, room: str, after: int, limit: int, sender: str | None = None) -> Page:
        """The first `limit` entries numbered above `after`, with the gap before them if some are no longer kept.

        With a `sender`, an id or a name, only what that peer sent.
        """

    async def newest(self, room: str, limit: int, before: int | None = None, sender: str | None = None) -> Page:
        """The newest `limit` entries, or those just below `before`; with a gap if fewer are left than there were.

        With a `sender`, as `read`.
        """

    async def search(
        self, room: str, asked: list[list[str]], limit: int, before: int | None = None, files: bool = False
    ) -> Page:
        """The newest `limit` entries below `before` that have all phrases that are asked for (`bridge/words.py`).

        A file is found by its name. `files`: nothing but files; with nothing asked, all of them. What was announced
        before the call is found; what is no longer kept is not, and says nothing.
        """

    async def rooms(self) -> list[RoomInfo]:
        """Every room that has entries, by name."""

    async def rules(self, room: str) -> list[Held]:
        """What hosts have laid down there that still holds."""

    async def file(self, id: str) -> Entry | None:
        """The entry that announced this file; None for one that is not here, or was withdrawn."""

    async def files_of(self, room: str) -> list[Entry]:
        """Every entry of the room that announced a file, ascending."""

    async def close(self) -> None:
        """Finish what was queued, then let go of the storage."""


class Trimmed(msgspec.Struct, frozen=True):
    """What one step let go: how many entries or files, and the ids of files whose bytes nobody needs any more."""

    count: int
    files: list[str]


class Keeping(Protocol):
    """What a keeper asks of a log that is not to grow for ever; times are milliseconds since the epoch.

    The oldest goes first, of all rooms together. A step is short, so that no draft waits for long; it says what it let
    go, and lets nothing go when all that is asked for is done.
    """

    async def size(self) -> int:
        """Bytes that the entries take."""

    async def trim(self, before: int) -> Trimmed:
        """A step: the oldest entries go, as far as they are from before `before`."""

    async def file_bytes(self, author: str | None = None) -> int:
        """Bytes of all files that are kept, or of those of one author; the same bytes count once."""

    async def release(self, before: int, enough: int) -> Trimmed:
        """A step: the oldest files, as far as they are from before `before`, until that frees `enough` bytes.

        Bytes that a later file shares are not freed. The entries stay.
        """

    async def shrink(self) -> bool:
        """A step: give free space back to the disk; whether there is more to give."""

    async def files(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Numbers and ids of the first `limit` files that are kept of those numbered above `after`, in all rooms."""

    async def named(self, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that are files which are kept."""


class Digest(msgspec.Struct, frozen=True):
    """What a complete file turned out to be: bytes, their SHA-256 in hex, and the first of them, 256 KiB at most."""

    size: int
    sha256: str
    beginning: bytes = b""


Bytes = bytes | bytearray | memoryview
More = Callable[[memoryview], int]
"""Puts what comes next of a file, and is there already, into a buffer: how many bytes. 0: nothing just now."""


class Part(Protocol):
    """A file that is still coming in. End it with `commit` or `abort`."""

    id: str

    async def write(self, data: Bytes, more: More | None = None) -> int:
        """Take the next bytes, off the event loop, and perhaps what `more` has, asked there: how many were taken.

        Raises `Refused` `disk_full`, or `StoreError`; some of `more` may have been taken then.
        """

    async def commit(self) -> Digest:
        """Sync the bytes, give the file its place, sync the folder: then it lasts."""

    async def abort(self) -> None:
        """Leave nothing behind. Harmless after `commit` or a second time."""


class Files(Protocol):
    """Bytes by id. No name of a sender ever reaches a path."""

    async def create(self, size: int | None = None) -> Part:
        """Begin a file under a new random id; how many bytes will come, if that is known, may decide how.

        Raises `Refused` `disk_full`.
        """

    def path(self, id: str) -> Path:
        """Where the committed bytes of `id` are; for ids that this store made."""

    async def remove(self, id: str) -> None:
        """Forget the bytes of `id`; harmless when there are none. Who is reading them may finish."""

    def let_go(self, id: str) -> None:
        """`remove` soon, for one who cannot wait; what goes wrong is logged."""

    def share(self, id: str, first: str) -> None:
        """The bytes of `id` are those of `first`: keep them once, if this store can; soon, and nobody sees it.

        They are kept as long as one of both is.
        """

    def settled(self) -> AsyncIterator[list[str]]:
        """The ids of all files that had their place before this store was opened, a few at a time."""

    async def absent(self, ids: Sequence[str]) -> list[str]:
        """Those of `ids` that there are no bytes of."""

    async def open(self, id: str) -> BinaryIO | None:
        """Read the bytes of `id` from a handle of one's own, whole or still coming in; None when there are none."""


class Thumbnails(Protocol):
    """Pictures made small, by the id of their file. They go with its bytes, and can be made again."""

    async def get(self, id: str) -> bytes | None:
        """None when nobody has tried yet, empty when none can be made."""

    async def keep(self, id: str, made: bytes) -> None:
        """Remember it, if its file is still here and there is room."""


class Begun(msgspec.Struct, frozen=True):
    """What is remembered of an upload that may stop and go on: all that its entry will need, and whose it is.

    `owner` is who may go on with it, `None`: whoever knows its id. `about` is told back to its sender. `host` began it.
    """

    room: str
    author: str
    key: str
    sender: Peer
    name: str
    size: int
    sha256: str | None
    owner: str | None
    about: str = ""
    host: bool = False


Announced = Callable[[str], Awaitable[Entry | None]]
"""Asked of a file's id: its entry, if it has one."""


class KeptPart(Part, Protocol):
    """A part that outlives its server until it is aborted, which is harmless to what was committed.

    It is made let go of: take it up to write.

    Its size never goes back behind what a `write` has answered, unless the machine lost its power.
    """

    @property
    def size(self) -> int:
        """The bytes it holds."""

    @property
    def touched(self) -> float:
        """When it last grew, in seconds since the epoch; told anew whenever it is let go of."""

    async def take_up(self) -> None:
        """Get ready to write; what is there is hashed again if this process has not seen it."""

    async def mark(self) -> None:
        """Remember this place..."""

    async def back(self) -> None:
        """...and forget what was written since."""

    async def let_go(self) -> None:
        """Sync what is there. It may be taken up again, by this server or the next."""


class Unfinished(Protocol):
    """Uploads that stopped, or may, by the id that will be their file's."""

    async def begin(self, begun: Begun) -> KeptPart:
        """Remember an upload; its part is empty and let go of. Raises `Refused` `disk_full`."""

    async def all(self, announced: Announced) -> list[tuple[Begun, KeptPart]]:
        """Those that an earlier server left, committed ones too if it came to no entry."""
