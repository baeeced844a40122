"""Room for files, claimed by those that come and counted over a real log."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.model import Refused
from bridge.quota import Claim, Quota
from bridge.store.sqlite import SqliteLog
from tests.support.nouns import draft, file, withdrawal


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(tmp_path / "log.sqlite3")
    yield log
    await log.close()


async def keep(log: SqliteLog, id: str, size: int, content: str | None = None, author: str = "author") -> int:
    """A file of so many bytes is in the log."""
    return (await log.append(draft(text=None, author=author, file=file(id, size=size, content=content)))).entry.seq


async def refused(quota: Quota, size: int, author: str = "author") -> str:
    with pytest.raises(Refused) as refused:
        await quota.claim(author, size)
    assert refused.value.code == ("too_large" if size > quota.max_file_bytes else "disk_full")
    return refused.value.message


async def test_without_a_limit_any_file_has_room_that_is_not_too_large_itself(log: SqliteLog) -> None:
    await log.close()  # it is not even asked
    quota = Quota(log, 1000)
    claims = [await quota.claim("author", 1000) for _ in range(100)]
    assert await refused(quota, 1001) == "1001 bytes, at most 1000 (--max-file-bytes)"
    await claims[0].reach(1000)
    with pytest.raises(Refused, match="1001 bytes"):
        await claims[0].reach(1001)


async def test_all_files_have_so_much_room_and_those_on_their_way_take_theirs_along(log: SqliteLog) -> None:
    await keep(log, "f0", 600)
    quota = Quota(log, 10_000, max_store_bytes=1000)
    first = await quota.claim("alice", 300)
    assert await refused(quota, 101) == (
        "101 bytes more are wanted, 100 of 1000 are left for all files (--max-store-bytes)"
    )
    second = await quota.claim("bob", 100)
    await refused(quota, 1)
    first.end()  # it broke off
    first.end()
    third = await quota.claim("carol", 200)
    await keep(log, "f1", 100)
    second.end(kept=True)
    await refused(quota, 101)
    fourth = await quota.claim("dave", 100)
    for claim in (third, fourth):
        claim.end()
    await quota.claim("erin", 300)
    await refused(quota, 1)


async def test_a_file_of_no_size_takes_its_room_as_it_comes(log: SqliteLog) -> None:
    quota = Quota(log, 10_000, max_store_bytes=1000)
    claim = await quota.claim("alice", 0)
    other = await quota.claim("bob", 500)
    for size in (100, 500, 500, 200):
        await claim.reach(size)
    with pytest.raises(Refused, match="1 bytes more are wanted, 0 of 1000 are left"):
        await claim.reach(501)
    other.end()
    await claim.reach(501)


async def test_what_is_sent_again_or_taken_back_makes_room_as_soon_as_it_is_needed(log: SqliteLog) -> None:
    quota = Quota(log, 10_000, max_store_bytes=1000)
    seqs = []
    for number in range(10):  # the same bytes, each counted as new until somebody looks
        claim = await quota.claim("alice", 300)
        seqs.append(await keep(log, f"f{number}", 300, "x"))
        claim.end(kept=True)
    claim = await quota.claim("alice", 600)
    await keep(log, "y", 600)
    claim.end(kept=True)
    await refused(quota, 101)
    for seq in seqs[1:]:
        await log.append(withdrawal(seq))
        await refused(quota, 101)
    await log.append(withdrawal(seqs[0]))
    await quota.claim("alice", 400)


async def test_each_sender_has_room_of_his_own_within_that_of_all(log: SqliteLog) -> None:
    await keep(log, "f0", 200, author="alice")
    await keep(log, "f1", 200, author="bob")
    await keep(log, "f2", 200, "f1", author="alice")  # bob's count for bob, and again for her
    quota = Quota(log, 10_000, max_sender_bytes=500, max_store_bytes=1000)
    assert await refused(quota, 101, "alice") == (
        "101 bytes more are wanted, 100 of 500 are left for one sender's files (--max-sender-bytes)"
    )
    claims = [await quota.claim("alice", 100), await quota.claim("bob", 300)]
    assert "left for all files" in await refused(quota, 201, "carol")
    for claim in claims:
        claim.end()
    claim = await quota.claim("carol", 500)
    gc.collect()  # what a refusal still held
    assert list(quota._senders) == ["carol"], "who sends nothing any more is forgotten"
    claim.end()


async def test_what_was_let_in_before_stays_whatever_the_limits_are_now(log: SqliteLog) -> None:
    quota = Quota(log, 10, max_store_bytes=100)
    claim = quota.hold("alice", 500)
    await claim.reach(10)
    await refused(quota, 1)
    claim.end()
    await quota.claim("alice", 10)


async def test_of_many_at_once_no_more_are_let_in_than_there_is_room_for(log: SqliteLog) -> None:
    await keep(log, "f0", 100)
    quota = Quota(log, 10_000, max_sender_bytes=10_000, max_store_bytes=1000)
    ended = await asyncio.gather(*(quota.claim(f"{n % 3}", 200) for n in range(20)), return_exceptions=True)
    assert sum(isinstance(one, Claim) for one in ended) == 4


async def test_what_is_kept_while_the_log_is_asked_is_not_forgotten(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = Quota(log, 10_000, max_store_bytes=1000)
    first = await quota.claim("alice", 600)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(author: str | None = None) -> int:
        asked.set()
        await answer.wait()
        return 0  # as it was when it was asked

    monkeypatch.setattr(quota._store, "_ask", slowly)
    second = asyncio.create_task(quota.claim("bob", 500))
    await asked.wait()
    first.end(kept=True)
    answer.set()
    with pytest.raises(Refused, match="400 of 1000 are left"):
        await second


async def test_room_for_what_could_not_be_made_is_given_back(log: SqliteLog) -> None:
    quota = Quota(log, 10_000, max_store_bytes=1000)

    async def broken() -> None:
        raise OSError

    with pytest.raises(OSError):
        await (await quota.claim("alice", 1000)).made(broken())
    await quota.claim("alice", 1000)
