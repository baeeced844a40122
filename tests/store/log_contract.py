"""The contract `bridge.log.Log`, as a suite that every engine passes.

An engine's tests subclass `LogContract` and say how its log is opened, and how it comes to forget old entries.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from bridge import words
from bridge.log import Log, RoomInfo
from bridge.model import Draft, Entry, Gap, Refused, Stored
from tests.store.rules_contract import RulesContract
from tests.store.withdrawal_contract import WithdrawalContract
from tests.support.nouns import draft, file, peer


class LogContract(WithdrawalContract, RulesContract):
    """Guarantee by guarantee; the numbers are those of `bridge/log.py`. The eighth and ninth are elsewhere."""

    def engine(self, folder: Path) -> Log:
        raise NotImplementedError

    def forget(self, folder: Path, room: str, up_to: int) -> None:
        """Let the entries of `room` up to this number go, while the log is open."""
        raise NotImplementedError

    @pytest.fixture
    async def opened(self, tmp_path: Path) -> AsyncIterator[Callable[..., Log]]:
        """`log = opened()`: the log of this test; again after it was closed, or of another folder."""
        logs: list[Log] = []

        def open(folder: Path = tmp_path) -> Log:
            logs.append(self.engine(folder))
            return logs[-1]

        yield open
        for log in logs:
            await log.close()

    @pytest.fixture
    async def log(self, opened: Callable[..., Log]) -> Log:
        return opened()

    # 1. Durable when answered, whatever becomes of the caller

    async def test_what_was_answered_outlives_a_kill(self, opened: Callable[..., Log], tmp_path: Path) -> None:
        """A copy of the folder, taken while the log is open, is what a killed process leaves behind."""
        log = opened(tmp_path / "a")
        answered = [await log.append(draft(f"text {number}")) for number in range(20)]
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        again = opened(tmp_path / "b")
        assert (await again.read("lobby", 0, 100)).entries == [stored.entry for stored in answered]

    async def test_everything_is_the_same_after_reopening(self, opened: Callable[..., Log]) -> None:
        log = opened()
        said = (await log.append(draft("你好 😀\n\ttab", room="大厅", sender=peer(name="小明", via="udp")))).entry
        sent = (await log.append(draft(text=None, room="大厅", file=file()))).entry
        await log.close()
        log = opened()
        assert (await log.read("大厅", 0, 10)).entries == [said, sent]
        assert await log.file("f1") == sent
        assert (await log.append(draft())).entry.seq > sent.seq

    async def test_epoch_and_salt_are_made_once_and_for_this_log_only(
        self, opened: Callable[..., Log], tmp_path: Path
    ) -> None:
        first = opened()
        known = first.epoch, first.salt
        await first.close()
        again = opened()
        assert (again.epoch, again.salt) == known
        other = opened(tmp_path / "other")
        assert other.epoch != again.epoch and other.salt != again.salt
        assert again.epoch and len(again.salt) >= 16

    async def test_cancelling_callers_leaves_no_hole_and_mutes_nobody(self, log: Log) -> None:
        heard: list[Entry] = []
        log.on_entry = heard.append
        futures = [log.append(draft(key=str(number))) for number in range(60)]
        for future in futures[::3]:
            future.cancel()
        answers = await asyncio.gather(*futures, return_exceptions=True)
        assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [n % 3 == 0 for n in range(60)]
        assert [entry.key for entry in heard] == [str(number) for number in range(60)]
        assert (await log.read("lobby", 0, 100)).entries == heard

    async def test_a_caller_cancelled_while_it_waits_changes_nothing(self, log: Log) -> None:
        heard: list[Entry] = []
        log.on_entry = heard.append

        async def say(key: str) -> None:
            await log.append(draft(key=key))

        tasks = [asyncio.create_task(say(str(number))) for number in range(20)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (await log.append(draft(key="last"))).new
        assert [entry.key for entry in heard] == [*(str(number) for number in range(20)), "last"]

    async def test_what_was_queued_is_stored_before_closing(self, opened: Callable[..., Log]) -> None:
        log = opened()
        heard: list[Entry] = []
        log.on_entry = heard.append
        futures = [log.append(draft()) for _ in range(2000)]
        await log.close()
        await log.close()
        assert all(future.done() and future.result().new for future in futures)
        assert len(heard) == 2000
        with pytest.raises(Refused) as refused:
            log.append(draft())
        assert refused.value.code == "busy"

    # 2. Announced once, in order, before the answer

    async def test_an_entry_is_announced_once_in_order_and_before_it_is_answered(self, log: Log) -> None:
        told: list[tuple[str, int]] = []
        log.on_entry = lambda entry: told.append(("announced", entry.seq))

        def answered(future: asyncio.Future[Stored]) -> None:
            told.append(("answered", future.result().entry.seq))

        futures = []
        for number in range(300):
            futures.append(log.append(draft(room=f"room-{number % 3}")))
            futures[-1].add_done_callback(answered)
            if number % 50 == 0:
                await futures[-1]
        seqs = [stored.entry.seq for stored in await asyncio.gather(*futures)]
        await asyncio.sleep(0)
        for what in ("announced", "answered"):
            assert [seq for how, seq in told if how == what] == seqs == sorted(set(seqs))
        places = {one: place for place, one in enumerate(told)}
        assert all(places["announced", seq] < places["answered", seq] for seq in seqs)

    async def test_the_announced_the_answered_and_the_read_entry_are_one(self, log: Log) -> None:
        heard: list[Entry] = []
        log.on_entry = heard.append
        before = int(time.time() * 1000)
        said = draft("hi", "k", "lab", "author", peer("p9", "bob", "udp", "10.0.0.5:9"))
        stored = await log.append(said)
        after = int(time.time() * 1000) + 1
        assert heard == [stored.entry] == (await log.read("lab", 0, 10)).entries
        entry = stored.entry
        assert (entry.type, entry.room, entry.key, entry.sender, entry.text, entry.file) == (
            "text",
            "lab",
            "k",
            said.sender,
            "hi",
            None,
        )
        assert before <= entry.at <= after
        sent = (await log.append(draft(text=None, file=file()))).entry
        assert (sent.type, sent.text, sent.file) == ("file", None, file())

    # 3. and 5. Numbers rise, in the order of the calls

    async def test_numbers_rise_in_the_order_of_the_calls(self, log: Log) -> None:
        stored = await asyncio.gather(*(log.append(draft(f"{number}", room="ab"[number % 2])) for number in range(500)))
        assert [one.entry.text for one in stored] == [str(number) for number in range(500)]
        for room in "ab":
            seqs = [one.entry.seq for one in stored if one.entry.room == room]
            assert seqs == sorted(set(seqs)) and seqs[0] > 0

    # 4. A key is stored once

    async def test_a_repeated_key_gets_the_first_entry_and_is_not_announced(self, opened: Callable[..., Log]) -> None:
        log = opened()
        heard: list[Entry] = []
        log.on_entry = heard.append
        batch = [log.append(draft(f"text {number}", "k")) for number in range(5)]
        first, *others = await asyncio.gather(*batch)
        later = await log.append(draft("later", "k"))
        await log.close()
        log = opened()
        log.on_entry = heard.append
        much_later = await log.append(draft("much later", "k"))
        assert first.new and first.entry.text == "text 0"
        assert [(one.new, one.entry) for one in (*others, later, much_later)] == [(False, first.entry)] * 6
        assert heard == [first.entry] == (await log.read("lobby", 0, 10)).entries

    async def test_a_key_of_one_who_was_cancelled_is_taken(self, log: Log) -> None:
        log.append(draft("first", "k")).cancel()
        again = await log.append(draft("again", "k"))
        assert not again.new and again.entry.text == "first"

    @pytest.mark.parametrize("other", [draft("hi", "k", author="b"), draft("hi", "k", room="lab"), draft("hi", "K")])
    async def test_a_key_is_its_authors_own_and_its_rooms(self, log: Log, other: Draft) -> None:
        assert (await log.append(draft("hi", "k"))).new
        assert (await log.append(other)).new

    async def test_a_file_whose_key_was_said_is_answered_with_the_first(self, log: Log) -> None:
        first = await log.append(draft(text=None, key="k", file=file("f1")))
        again = await log.append(draft(text=None, key="k", file=file("f2")))
        assert not again.new and again.entry == first.entry
        assert await log.file("f2") is None

    # Reading

    async def test_pages_are_what_a_list_would_give(self, log: Log) -> None:
        kept: dict[str, list[Entry]] = {"a": [], "b": []}
        for number in range(24):
            room = "ab"[number % 5 == 0]
            kept[room].append((await log.append(draft(str(number), room=room))).entry)
        for room, entries in kept.items():
            places = [0, *(entry.seq for entry in entries), entries[-1].seq + 7]
            for place in places:
                for limit in (1, 2, 7, 100):
                    page = await log.read(room, place, limit)
                    assert page.entries == [entry for entry in entries if entry.seq > place][:limit]
                    page_before = await log.newest(room, limit, place)
                    assert page_before.entries == [entry for entry in entries if entry.seq < place][-limit:]
                    assert page.gap is None and page_before.gap is None
            assert (await log.newest(room, 3)).entries == entries[-3:]

    async def test_one_peers_entries_are_read_by_its_id_or_its_name(self, log: Log) -> None:
        said = []
        for number in range(12):
            who = peer(f"p{number % 3}", f"name {number % 3}")
            said.append((await log.append(msgspec.structs.replace(draft(str(number)), sender=who))).entry)
        hers = said[1::3]
        for sender in ("p1", "name 1"):
            assert (await log.read("lobby", 0, 3, sender)).entries == hers[:3]
            assert (await log.read("lobby", hers[1].seq, 9, sender)).entries == hers[2:]
            assert (await log.newest("lobby", 2, sender=sender)).entries == hers[2:]
            assert (await log.newest("lobby", 9, hers[2].seq, sender)).entries == hers[:2]
        assert (await log.newest("lobby", 9, sender="p")).entries == []

    async def test_a_room_that_nobody_spoke_in_is_empty(self, log: Log) -> None:
        await log.append(draft(room="a"))
        assert (await log.read("nowhere", 0, 10)).entries == []
        assert (await log.newest("nowhere", 10)).entries == []
        assert (await log.newest("nowhere", 10, before=5)).gap is None
        assert [info.name for info in await log.rooms()] == ["a"]

    async def test_rooms_are_told_by_name_with_their_last_number(self, log: Log) -> None:
        assert await log.rooms() == []
        last = {room: (await log.append(draft(room=room))).entry.seq for room in ("b", "a", "大厅", "b")}
        assert await log.rooms() == [RoomInfo(name, last[name]) for name in sorted(last)]

    async def test_a_file_is_found_by_its_id(self, log: Log) -> None:
        entry = (await log.append(draft(text=None, file=file("f1")))).entry
        assert await log.file("f1") == entry
        assert await log.file("") is None
        assert await log.file("F1") is None

    async def test_what_is_no_longer_kept_is_a_gap_and_never_silence(self, log: Log, tmp_path: Path) -> None:
        entries = [(await log.append(draft(str(number)))).entry for number in range(10)]
        lab = (await log.append(draft(room="lab"))).entry
        gone, kept = entries[3].seq, entries[4:]
        self.forget(tmp_path, "lobby", gone)
        for place in range(gone):
            page = await log.read("lobby", place, 3)
            assert (page.gap, page.entries) == (Gap(place + 1, gone), kept[:3])
        for place in range(gone, entries[-1].seq):
            assert (await log.read("lobby", place, 3)).gap is None
        assert (await log.newest("lobby", len(kept))).gap is None
        assert await log.newest("lobby", len(kept) + 1) == await log.read("lobby", 0, 100)
        assert (await log.newest("lobby", 3, before=kept[2].seq)).gap == Gap(1, gone)
        assert (await log.read("lab", 0, 10)).entries == [lab]
        assert (await log.read("lab", 0, 10)).gap is None

    async def test_numbers_go_on_after_everything_was_forgotten(self, log: Log, tmp_path: Path) -> None:
        last = (await log.append(draft())).entry.seq
        self.forget(tmp_path, "lobby", last)
        assert await log.read("lobby", 0, 10) == await log.newest("lobby", 10)
        assert (await log.read("lobby", 0, 10)).gap == Gap(1, last)
        assert await log.rooms() == []
        assert (await log.append(draft())).entry.seq > last

    # Searching

    async def said(self, log: Log, query: str, limit: int = 10, **more: object) -> list[str | None]:
        page = await log.search("lobby", words.phrases(query), limit, **more)
        return [entry.text if entry.file is None else entry.file.name for entry in page.entries]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("温度", ["今日温度正常", "室温25度，温度计坏了"]),
            ("温 度", ["今日温度正常", "室温25度，温度计坏了", "温和的热度"]),
            ("常日", []),
            ("室温25", ["室温25度，温度计坏了"]),
            ("hel", ["Héllo Wörld"]),
            ("WORLD hello", ["Héllo Wörld"]),
            ("ello", []),
            ("report", ["Report 报告.pdf"]),
            ("报告", ["Report 报告.pdf"]),
            ("t=23.5", ["t=23.5 rh=61"]),
            ("OR", ["do or die"]),
            ('hello" OR "温', []),
            ("said:hello", []),
            ("nothing of the kind", []),
        ],
    )
    async def test_what_was_said_is_found_by_its_words(self, log: Log, query: str, found: list[str]) -> None:
        for text in ("今日温度正常", "Héllo Wörld", "室温25度，温度计坏了", "t=23.5 rh=61", "do or die", "温和的热度"):
            await log.append(draft(text))
        await log.append(draft(text=None, file=file("f1", "Report 报告.pdf")))
        await log.append(draft("温度 hello report of another room", room="lab"))
        assert await self.said(log, query) == found

    async def test_the_newest_are_found_first_and_older_ones_by_pages(self, log: Log) -> None:
        seqs = [(await log.append(draft(f"word {number}"))).entry.seq for number in range(10)]
        assert await self.said(log, "word", 3) == ["word 7", "word 8", "word 9"]
        assert await self.said(log, "word", 3, before=seqs[7]) == ["word 4", "word 5", "word 6"]
        assert await self.said(log, "word", 3, before=seqs[1]) == ["word 0"]
        assert await self.said(log, "word", 3, before=seqs[0]) == []

    async def test_files_are_listed_with_or_without_words(self, log: Log) -> None:
        for number, name in enumerate(("a.txt", "b.png", "报告 a.pdf")):
            await log.append(draft("a text"))
            await log.append(draft(text=None, file=file(f"f{number}", name)))
        everything = await log.search("lobby", [], 2, files=True)
        assert [entry.file.name for entry in everything.entries if entry.file] == ["b.png", "报告 a.pdf"]
        assert await self.said(log, "a", files=True) == ["a.txt", "报告 a.pdf"]
        assert (await log.search("lobby", [], 9, before=everything.entries[0].seq, files=True)).entries[0].file
        assert (await log.search("nowhere", [], 9, files=True)).entries == []

    async def test_what_is_no_longer_kept_is_not_found(self, log: Log, tmp_path: Path) -> None:
        entries = [(await log.append(draft(f"word {number}"))).entry for number in range(4)]
        assert len(await self.said(log, "word")) == 4
        self.forget(tmp_path, "lobby", entries[1].seq)
        assert await self.said(log, "word") == ["word 2", "word 3"]

    async def test_readers_see_all_that_was_announced_while_others_write(self, log: Log) -> None:
        announced: list[int] = []
        log.on_entry = lambda entry: announced.append(entry.seq)
        writing = True

        async def read() -> int:
            pages = 0
            while writing or not pages:
                known = list(announced)
                seqs = [entry.seq for entry in (await log.read("lobby", 0, 100_000)).entries]
                assert seqs == sorted(set(seqs))
                assert seqs[: len(known)] == known
                pages += 1
            return pages

        readers = [asyncio.create_task(read()) for _ in range(4)]
        for _ in range(20):
            await asyncio.gather(*(log.append(draft()) for _ in range(50)))
        writing = False
        assert min(await asyncio.gather(*readers)) >= 1
        assert [entry.seq for entry in (await log.read("lobby", 0, 100_000)).entries] == announced
