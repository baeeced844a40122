"""Letting go: the oldest first, in short steps, with a gap where it was, and the space given back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.log import Trimmed
from bridge.model import Gap
from bridge.store.sqlite import SqliteLog, keeping
from bridge.store.sqlite.keeping import SLACK, STEP_ENTRIES
from tests.store.sqlite.conftest import ask
from tests.support.nouns import draft, file, withdrawal


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def ms(self) -> int:
        return int(self.now * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def log(path: Path, clock: Clock) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(path, clock)
    yield log
    await log.close()


async def test_what_is_older_goes_and_every_room_has_its_gap(log: SqliteLog, clock: Clock) -> None:
    old = [(await log.append(draft(str(number), room="ab"[number % 2]))).entry for number in range(10)]
    clock.now += 10
    young = [(await log.append(draft("young", room=room))).entry for room in "bc"]
    told: dict[str, int] = {}
    log.on_trim = lambda room, up_to: told.update({room: up_to})

    assert await log.trim(clock.ms() - 10_000) == Trimmed(0, [])
    assert await log.trim(clock.ms()) == Trimmed(10, [])
    assert told == {"a": old[8].seq, "b": old[9].seq}
    assert await log.trim(clock.ms()) == Trimmed(0, [])

    assert await log.read("a", 0, 10) == await log.newest("a", 10)
    assert (await log.read("a", 0, 10)).gap == Gap(1, old[8].seq)
    page = await log.read("b", old[3].seq, 10)
    assert (page.gap, page.entries) == (Gap(old[3].seq + 1, old[9].seq), [young[0]])
    assert (await log.read("c", 0, 10)).gap is None
    assert [info.name for info in await log.rooms()] == ["b", "c"]


async def test_one_that_is_younger_keeps_all_behind_it(log: SqliteLog, clock: Clock) -> None:
    """As after a clock was set back: rooms lose their beginning, never a piece of their middle."""
    for now in (1000, 2000, 1000):
        clock.now = now
        await log.append(draft(str(now)))
    assert (await log.trim(1_500_000)).count == 1
    assert [entry.text for entry in (await log.read("lobby", 0, 10)).entries] == ["2000", "1000"]


async def test_a_step_is_short_and_names_the_files_it_takes_along(log: SqliteLog, clock: Clock) -> None:
    futures = [log.append(draft(text=None, file=file(f"f{number}"))) for number in range(STEP_ENTRIES + 5)]
    entries = [(await future).entry for future in futures]
    clock.now += 10
    step = await log.trim(clock.ms())
    assert step == Trimmed(STEP_ENTRIES, [f"f{number}" for number in range(STEP_ENTRIES)])
    assert await log.file("f0") is None
    assert await log.file(f"f{STEP_ENTRIES}") == entries[STEP_ENTRIES]
    assert (await log.trim(clock.ms())).count == 5


async def test_a_key_that_was_trimmed_is_free_again(log: SqliteLog, clock: Clock) -> None:
    first = await log.append(draft("first", "k"))
    clock.now += 10
    await log.trim(clock.ms())
    again = await log.append(draft("again", "k"))
    assert again.new and again.entry.seq > first.entry.seq


async def test_files_are_released_oldest_first_until_it_is_enough(log: SqliteLog, clock: Clock) -> None:
    for number in range(6):
        await log.append(draft("between"))
        await log.append(draft(text=None, file=file(f"f{number}", size=100)))
        clock.now += 10
    assert await log.file_bytes() == 600
    assert [id for _seq, id in await log.files(0, 4)] == ["f0", "f1", "f2", "f3"]

    assert await log.release(clock.ms(), 0) == Trimmed(0, [])
    assert await log.release(clock.ms(), 101) == Trimmed(2, ["f0", "f1"])
    assert await log.file_bytes() == 400
    assert await log.named(["f0", "f1", "f2", "nobody's"]) == {"f2"}
    assert await log.release(clock.ms() - 25_000, 10_000) == Trimmed(2, ["f2", "f3"])
    assert [id for _seq, id in await log.files(0, 10)] == ["f4", "f5"]
    assert len((await log.read("lobby", 0, 100)).entries) == 12, "entries stay"
    kept = await log.file("f0")
    assert kept is not None and kept.file == file("f0", size=100)


async def test_the_same_bytes_are_counted_once_and_freed_by_the_last_who_has_them(log: SqliteLog, clock: Clock) -> None:
    for id, content in (("f0", "x"), ("f1", "y"), ("f2", "x"), ("f3", "z")):
        await log.append(draft(text=None, file=file(id, size=100, content=content)))
    clock.now += 10
    assert await log.file_bytes() == 300
    assert await log.release(clock.ms(), 1) == Trimmed(2, ["f0", "f1"]), "the first alone frees nothing"
    assert await log.file_bytes() == 200
    assert await log.release(clock.ms(), 1) == Trimmed(1, ["f2"])
    assert await log.file_bytes() == 100


async def test_the_first_of_those_with_the_same_bytes_is_named_to_every_later_one(log: SqliteLog, clock: Clock) -> None:
    told: list[tuple[str, str]] = []
    log.on_same = lambda id, first: told.append((id, first))

    async def send(id: str, content: str = "x", room: str = "lobby", key: str | None = None) -> int:
        said = draft(text=None, key=key, room=room, file=file(id, content=content))
        return (await log.append(said)).entry.seq

    first = await send("f0", key="k")
    await send("f0 again", key="k")  # known by its key: nothing is new
    await send("other", "y")
    await send("f1", room="lab")
    await send("f2")
    assert told == [("f1", "f0"), ("f2", "f0")]
    await log.append(withdrawal(first))
    await send("f3")
    clock.now += 10
    await log.release(clock.ms(), 1000)
    await send("f4")  # whose like are kept no longer
    await send("f5")
    assert told[2:] == [("f3", "f1"), ("f5", "f4")]


async def test_what_was_released_stays_so_after_a_restart(log: SqliteLog, clock: Clock, path: Path) -> None:
    for number in range(3):
        await log.append(draft(text=None, file=file(f"f{number}", size=100)))
    clock.now += 10
    await log.release(clock.ms(), 1)
    await log.close()
    again = SqliteLog(path, clock)
    assert [id for _seq, id in await again.files(0, 10)] == ["f1", "f2"]
    await again.close()


async def test_space_is_given_back_to_the_disk(log: SqliteLog, clock: Clock, path: Path) -> None:
    await asyncio.gather(*(log.append(draft("x" * 10_000)) for _ in range(500)))
    full = await log.size()
    assert full > 5_000_000
    clock.now += 10
    await log.append(draft("last"))
    while (await log.trim(clock.ms())).count:
        pass
    assert await log.size() < 200_000
    steps = 0
    while await log.shrink():
        steps += 1
    assert 1 < steps < 20, "in steps that are short, but no shorter"
    assert [entry.text for entry in (await log.read("lobby", 0, 10)).entries] == ["last"]
    await log.close()
    assert path.stat().st_size < full / SLACK + 200_000
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


async def test_drafts_are_answered_between_the_steps(log: SqliteLog, clock: Clock) -> None:
    """Nobody waits for the end of a long trim: a draft waits for one step at most."""
    await asyncio.gather(*(log.append(draft("x" * 1000)) for _ in range(20 * STEP_ENTRIES)))
    clock.now += 10
    before, steps = clock.ms(), 0

    async def trim() -> None:
        nonlocal steps
        while (await log.trim(before)).count:
            steps += 1

    trimming = asyncio.create_task(trim())
    answered_at = []
    while not trimming.done():
        await log.append(draft("meanwhile"))
        answered_at.append(steps)
    assert steps >= 20
    assert max(after - before for before, after in zip([0, *answered_at], answered_at, strict=False)) <= 2
    assert (await log.read("lobby", 0, 1)).entries[0].text == "meanwhile"


async def test_a_caller_that_is_cancelled_leaves_no_room_untold(log: SqliteLog, clock: Clock) -> None:
    await log.append(draft())
    clock.now += 10
    told: list[str] = []
    log.on_trim = lambda room, up_to: told.append(room)
    trimming = asyncio.create_task(log.trim(clock.ms()))
    await asyncio.sleep(0)
    trimming.cancel()
    await asyncio.wait([trimming])
    deadline = time.monotonic() + 10
    while not told:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)
    assert told == ["lobby"]


@pytest.mark.parametrize("query", ["_OLDEST", "_OLDEST_FILES", "_FILE_BYTES", "_FIRST", "_FILES_AFTER", "_IS_HELD"])
async def test_files_are_found_by_their_own_index(log: SqliteLog, path: Path, query: str) -> None:
    sql = getattr(keeping, query).replace("?", "1")
    plan = [row[3] for row in ask(path, f"EXPLAIN QUERY PLAN {sql}")]
    whole = {"_OLDEST": "SCAN entry", "_FILE_BYTES": "SCAN entry USING INDEX entry_digest"}.get(query)  # of files alone
    assert all("SCAN entry" not in step or step == whole for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan
