"""How much files may take: one of them, those of one sender, all together.

Whoever takes a file in claims room for it, at once if its size is known, else as it comes. What is kept already is for
the log to say, which counts the same bytes once. It is asked when a budget is new and when one seems used up; in
between what was added is counted here, which may be too much, never too little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from bridge.log import Keeping
from bridge.model import Refused

T = TypeVar("T")


class Quota:
    """In bytes: for a file, for the files of one author, for all files; 0 is no limit for the last two."""

    def __init__(self, log: Keeping, max_file_bytes: int, max_sender_bytes: int = 0, max_store_bytes: int = 0) -> None:
        self.max_file_bytes = max_file_bytes
        self._log = log
        self._sender_bytes = max_sender_bytes
        self._senders: WeakValueDictionary[str, _Budget] = WeakValueDictionary()
        """Each as long as one of its claims."""
        self._store = _Budget("all files (--max-store-bytes)", max_store_bytes, log.file_bytes)

    async def claim(self, author: str, size: int) -> Claim:
        """Room for a file of at least `size`. Raises `Refused` `too_large` or `disk_full`."""
        claim = Claim(self.max_file_bytes, self._budgets(author))
        await claim.reach(size)
        return claim

    def hold(self, author: str, size: int) -> Claim:
        """Room for a file that was let in before, whatever the limits are now."""
        claim = Claim(self.max_file_bytes, self._budgets(author))
        claim.take(size)
        return claim

    def _budgets(self, author: str) -> list[_Budget]:
        all_files = [self._store] if self._store.limit else []
        return [self._sender(author), *all_files] if self._sender_bytes else all_files

    def _sender(self, author: str) -> _Budget:
        budget = self._senders.get(author)
        if budget is None:
            asked = partial(self._log.file_bytes, author)
            budget = _Budget("one sender's files (--max-sender-bytes)", self._sender_bytes, asked)
            self._senders[author] = budget
        return budget


class Claim:
    """What one file takes of its budgets until it has ended, as it must in any case."""

    def __init__(self, max_bytes: int, budgets: list[_Budget]) -> None:
        self._max_bytes = max_bytes
        self._budgets = budgets
        self._size = 0

    async def reach(self, size: int) -> None:
        """The file is so large by now. Raises `Refused` `too_large` or `disk_full`."""
        if size > self._max_bytes:
            raise Refused("too_large", f"{size} bytes, at most {self._max_bytes} (--max-file-bytes)")
        if (more := size - self._size) > 0:
            for budget in self._budgets:
                await budget.look(more)
            for budget in self._budgets:
                budget.check(more)
            self.take(more)

    def take(self, more: int) -> None:
        self._size += more
        for budget in self._budgets:
            budget.coming += more

    async def made(self, part: Awaitable[T]) -> T:
        """What the room is claimed for; if it cannot be made, none is needed."""
        try:
            return await part
        except BaseException:
            self.end()
            raise

    def end(self, kept: bool = False) -> None:
        """The file is in the log now (`kept`), or nowhere. Harmless when done already."""
        budgets, self._budgets = self._budgets, []
        for budget in budgets:
            budget.end(self._size, kept)


class _Budget:
    """Room for many files: what is kept, and what is coming."""

    def __init__(self, whose: str, limit: int, ask: Callable[[], Awaitable[int]]) -> None:
        self.limit = limit
        self.coming = 0
        self._whose = whose
        self._ask = ask
        self._kept: int | None = None
        self._news = 0
        """Bytes that were kept while the log was being asked."""
        self._asking = asyncio.Lock()

    async def look(self, more: int) -> None:
        """Ask the log if it must be known better."""
        if self._kept is None or self._left < more:
            async with self._asking:
                self._news = 0
                self._kept = await self._ask() + self._news

    def check(self, more: int) -> None:
        if self._left < more:
            left = f"{max(0, self._left)} of {self.limit} are left for {self._whose}"
            raise Refused("disk_full", f"{more} bytes more are wanted, {left}")

    def end(self, size: int, kept: bool) -> None:
        self.coming -= size
        if kept:
            self._news += size
            self._kept = None if self._kept is None else self._kept + size

    @property
    def _left(self) -> int:
        return self.limit - (self._kept or 0) - self.coming
