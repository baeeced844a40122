"""A file on its way in: whole and announced, or gone and failed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from bridge.intake import Coming, Intake
from bridge.model import Draft, Peer, Refused, Stored, StoreError
from bridge.quota import Quota
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.store.files import DiskFiles
from bridge.store.sqlite import SqliteLog
from tests.support.nouns import stopped_at

SENDER = Peer("p1", "alice", "tcp", "127.0.0.1:1")


class House(NamedTuple):
    folder: Path
    rooms: Rooms
    room: Room
    files: DiskFiles
    log: SqliteLog

    def begin(self, size: int | None = 5, key: str = "k", max_bytes: int = 1000, sha256: str | None = None):
        coming = Coming("../报告.pdf", size, "author", key, SENDER, sha256)
        return Intake.begin(self.room, self.files, coming, Quota(self.log, max_bytes))

    def kept(self) -> list[Path]:
        folders = (self.folder / "parts", self.folder / "files")
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]

    def states(self) -> list[tuple[str, int, str | None]]:
        return [(transfer.state, transfer.received, transfer.reason) for transfer in self.room.transfers]

    async def entries(self) -> int:
        return len((await self.log.read("lobby", 0, 100)).entries)

    async def reopened_entries(self) -> int:
        log = SqliteLog(self.folder / "log.sqlite3")
        entries = (await log.read("lobby", 0, 100)).entries
        await log.close()
        return len(entries)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    log = SqliteLog(tmp_path / "log.sqlite3")
    files = DiskFiles(tmp_path)
    rooms = Rooms(log)
    yield House(tmp_path, rooms, await rooms.get("lobby"), files, log)
    await files.close()
    await log.close()


async def test_a_whole_file_is_announced_under_its_clean_name(house: House) -> None:
    async with await house.begin() as file:
        assert house.states() == [("receiving", 0, None)]
        await file.write(b"hel")
        await file.write(b"lo")
        stored = await file.finish()
    ref = stored.entry.file
    assert stored.new and ref is not None
    assert (ref.name, ref.size, ref.media_type) == ("报告.pdf", 5, "application/pdf")
    assert ref.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert house.kept() == [house.files.path(ref.id)]
    assert house.states() == [("done", 5, None)]


async def test_one_that_breaks_off_says_how_far_it_came_and_leaves_nothing(house: House) -> None:
    with pytest.raises(ConnectionResetError):
        async with await house.begin() as file:
            await file.write(b"hel")
            raise ConnectionResetError
    assert house.states() == [("failed", 3, "the sender broke off after 3 of 5 bytes")]
    assert (house.kept(), await house.entries()) == ([], 0)


@pytest.mark.parametrize(
    ("settings", "sent", "code"),
    [
        ({"size": 5}, b"hell", "bad_request"),
        ({"size": 5}, b"hello!", "bad_request"),
        ({"size": None, "max_bytes": 4}, b"hello", "too_large"),
        ({"size": 5, "sha256": "00"}, b"hello", "bad_request"),
    ],
)
async def test_one_that_is_not_what_was_announced_is_refused(house: House, settings, sent: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        async with await house.begin(**settings) as file:
            await file.write(sent)
            await file.finish()
    assert refused.value.code == code
    assert [state for state, _, _ in house.states()] == ["failed"]
    assert (house.kept(), await house.entries()) == ([], 0)


async def test_one_that_is_too_large_is_refused_before_its_first_byte(house: House) -> None:
    with pytest.raises(Refused, match="1001 bytes, at most 1000"):
        await house.begin(size=1001)
    assert (house.kept(), house.states()) == ([], [])


async def test_a_digest_is_checked_in_either_case_and_no_size_is_needed(house: House) -> None:
    async with await house.begin(size=None, sha256=hashlib.sha256(b"hello").hexdigest().upper()) as file:
        await file.write(b"hello")
        assert (await file.finish()).new


async def test_a_sender_that_falls_silent_has_no_rate_until_it_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.intake.STILL_S", 0.05)

    def rate() -> int:
        (transfer,) = house.room.transfers
        assert transfer.state == "receiving"
        return transfer.rate

    async with await house.begin() as file:
        for piece in (b"he", b"ll"):
            await file.write(piece)
            assert rate() > 0
            await until(lambda: rate() == 0)
        await file.write(b"o")
        await file.finish()
    await asyncio.sleep(0.1)  # nobody looks any more
    assert [state for state, _, _ in house.states()] == ["done"]


async def test_a_rate_is_not_what_the_first_buffer_held(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("bridge.intake.time", SimpleNamespace(monotonic=lambda: clock.now))

    async def rate(now: float, size: int) -> int:
        clock.now = now
        await file.write(bytes(size))
        (transfer,) = house.room.transfers
        return transfer.rate

    async with await house.begin(size=None) as file:
        pieces = ((100.0, 100), (100.5, 0), (101.0, 50), (101.5, 9), (102.0, 91))
        assert [await rate(*piece) for piece in pieces] == [1000, 200, 150, 150, 100]
        await file.finish()


async def test_a_repeated_key_keeps_the_first_file_only(house: House) -> None:
    stored = []
    for _ in range(2):
        async with await house.begin() as file:
            await file.write(b"hello")
            stored.append(await file.finish())
    assert [one.new for one in stored] == [True, False]
    assert stored[0].entry == stored[1].entry
    assert await house.entries() == 1
    async with asyncio.timeout(5):
        while len(house.kept()) > 1:  # the second is removed behind the answer
            await asyncio.sleep(0.001)
    assert len(house.kept()) == 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("step", range(8))
@pytest.mark.parametrize("repeated", [False, True], ids=["new", "repeated"])
@pytest.mark.parametrize("sha256", [None, "00"], ids=["", "bad digest"])
async def test_cancelled_at_any_await_it_is_whole_or_gone(
    house: House, step: int, repeated: bool, sha256: str | None
) -> None:
    if repeated:
        async with await house.begin() as first:
            await first.write(b"first")
            await first.finish()
    before = house.kept()

    async def send() -> None:
        with suppress(Refused):
            async with await house.begin(sha256=sha256) as file:
                await file.write(b"hel")
                await file.write(b"lo")
                await file.finish()

    await stopped_at(send(), step)
    await house.log.close()  # whatever it was asked to store is stored now, and announced
    new = await house.reopened_entries() - len(before)
    assert new in (0, 1) and not (new and (repeated or sha256))
    await until(lambda: len(house.kept()) == len(before) + new)
    assert [path for path in house.kept() if "parts" in path.parts] == []
    ended = [(state, reason is not None) for state, _, reason in house.states()][len(before) :]
    if new:
        assert ended == [("done", False)]
    else:
        assert ended in ([], [("failed", True)], *([[("done", True)]] if repeated else []))


@pytest.mark.parametrize("fault", [Refused("busy", "too many wait"), StoreError("broken")], ids=["busy", "broken"])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"])
async def test_a_file_that_the_log_does_not_take_leaves_nothing(
    house: House, fault: Exception, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(draft: Draft) -> asyncio.Future[Stored]:
        if at_once:
            raise fault
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, fault)
        return future

    monkeypatch.setattr(house.log, "append", append)
    with pytest.raises(type(fault)):
        async with await house.begin() as file:
            await file.write(b"hello")
            await file.finish()
    await until(lambda: house.kept() == [])
    told = "too many wait" if isinstance(fault, Refused) else "the server could not store it; its log says more"
    assert house.states() == [("failed", 5, told)]


async def test_a_block_left_without_a_word_leaves_nothing(house: House) -> None:
    async with await house.begin() as file:
        await file.write(b"hel")
    assert (house.kept(), await house.entries()) == ([], 0)
    assert [state for state, _, _ in house.states()] == ["failed"]


async def test_bytes_that_the_disk_does_not_take_are_a_fault_of_ours(house: House) -> None:
    with pytest.raises(StoreError):
        async with await house.begin() as file:
            await file.write(b"hel")
            (house.folder / "files").rename(house.folder / "elsewhere")
            await file.write(b"lo")
            await file.finish()
    (house.folder / "elsewhere").rename(house.folder / "files")
    assert house.states() == [("failed", 5, "the server could not store it; its log says more")]
    assert (house.kept(), await house.entries()) == ([], 0)


async def test_fifty_of_one_name_at_once_are_fifty_files(house: House) -> None:
    async def send(number: int) -> tuple[str, str]:
        content = b"%d" % (number % 7)
        async with await house.begin(size=1, key=str(number)) as file:
            await file.write(content)
            ref = (await file.finish()).entry.file
        assert ref is not None and ref.sha256 == hashlib.sha256(content).hexdigest()
        return ref.id, ref.name

    sent = await asyncio.gather(*(send(number) for number in range(50)))
    assert len({id for id, _ in sent}) == len(house.kept()) == await house.entries() == 50
    assert {name for _, name in sent} == {"报告.pdf"}
