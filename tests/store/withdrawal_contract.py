"""The sixth guarantee of `bridge.log.Log`: what its author withdraws is gone, and the log says so."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.log import Log
from bridge.model import Draft, Entry, Refused, Stored
from tests.support.nouns import draft, file, peer, withdrawal


async def refusal(answer: asyncio.Future[Stored]) -> str:
    with pytest.raises(Refused) as refused:
        await answer
    return refused.value.code


class WithdrawalContract:
    """A part of `LogContract`, whose fixtures it uses."""

    async def test_a_withdrawal_is_an_entry_and_what_it_withdraws_is_told_no_more(self, log: Log) -> None:
        heard: list[Entry] = []
        log.on_entry = heard.append
        first, said, last = [(await log.append(draft(text))).entry for text in ("first", "oops", "last")]
        stored = await log.append(withdrawal(said.seq, "w"))
        taken = stored.entry
        assert stored.new and taken.seq > last.seq
        assert (taken.type, taken.key, taken.withdraws, taken.text, taken.file) == (
            "withdraw",
            "w",
            said.seq,
            None,
            None,
        )
        assert heard == [first, said, last, taken]
        assert (await log.read("lobby", 0, 10)).entries == [first, last, taken]
        assert (await log.read("lobby", first.seq, 1)).entries == [last]
        page = await log.newest("lobby", 2, before=taken.seq)
        assert (page.entries, page.gap) == ([first, last], None)
        assert (await log.rooms())[0].last_seq == taken.seq

    async def test_it_is_withdrawn_for_good(self, opened: Callable[..., Log], tmp_path: Path) -> None:
        """Long and short, whatever is around them, while the log is open and after it was closed: no file has them."""
        log = opened(tmp_path / "log")
        texts = [letter * size for letter in "äßñ" for size in (12, 900, 8000)]
        kept = [(await log.append(draft(f"kept {number}"))).entry for number in range(50)]
        said = [(await log.append(draft(text))).entry.seq for text in texts]
        kept += [(await log.append(draft(f"kept {number}"))).entry for number in range(50, 100)]
        assert all(self.left_of(tmp_path / "log", text) for text in texts)
        taken = [stored.entry for stored in await asyncio.gather(*(log.append(withdrawal(seq)) for seq in said))]
        last = (await log.append(draft("the writer is done"))).entry
        assert not [text for text in texts if self.left_of(tmp_path / "log", text)]
        await log.close()
        assert not [text for text in texts if self.left_of(tmp_path / "log", text)]
        assert (await opened(tmp_path / "log").read("lobby", 0, 1000)).entries == [*kept, *taken, last]

    def left_of(self, folder: Path, text: str) -> bool:
        """Whether some of a text is found in any file of the folder."""
        return any(text[:10].encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())

    async def test_a_file_that_was_withdrawn_is_not_found_and_said_to_be_gone_once(self, log: Log) -> None:
        gone: list[str] = []
        log.on_gone = gone.append
        kept = (await log.append(draft(text=None, file=file("f1")))).entry
        sent = (await log.append(draft(text=None, file=file("f2")))).entry
        said = (await log.append(draft())).entry
        await log.append(withdrawal(said.seq))
        assert gone == []
        assert (await log.append(withdrawal(sent.seq, "w"))).new
        assert not (await log.append(withdrawal(sent.seq, "w"))).new
        assert gone == ["f2"]
        assert await log.file("f2") is None
        assert await log.file("f1") == kept
        assert (await log.append(draft(text=None, file=file("f2")))).new, "its bytes may come again"

    async def test_only_what_is_there_and_only_by_its_author(self, log: Log) -> None:
        heard: list[Entry] = []
        log.on_entry = heard.append
        said = (await log.append(draft())).entry
        lab = (await log.append(draft(room="lab"))).entry
        taken = (await log.append(withdrawal((await log.append(draft())).entry.seq))).entry
        told = len(heard)
        refused: list[tuple[Draft, str]] = [
            (withdrawal(said.seq, author="another"), "forbidden"),
            (withdrawal(said.seq, room="lab"), "not_found"),
            (withdrawal(lab.seq), "not_found"),
            (withdrawal(said.seq, room="nowhere"), "not_found"),
            (withdrawal(taken.seq + 1), "not_found"),
            (withdrawal(taken.withdraws or 0), "not_found"),
            (withdrawal(taken.seq), "forbidden"),
            (withdrawal(taken.seq, author="another"), "forbidden"),
        ]
        assert [await refusal(log.append(one)) for one, _code in refused] == [code for _one, code in refused]
        assert len(heard) == told
        assert (await log.read("lobby", 0, 10)).entries == [said, taken]
        assert [info.name for info in await log.rooms()] == ["lab", "lobby"]

    async def test_of_what_a_host_takes_back_is_told_whose_it_was(self, opened: Callable[..., Log]) -> None:
        log = opened()
        heard: list[Entry] = []
        log.on_entry = heard.append
        said, own = [(await log.append(draft("oops", author=author))).entry for author in ("another", "host")]
        wishes = [
            Draft("lobby", "host", key, peer("h", "host"), withdraws=seq, host=True)
            for key, seq in (("w1", said.seq), ("w2", own.seq))
        ]
        theirs, mine = [(await log.append(wish)).entry for wish in wishes]
        assert (theirs.whose, mine.whose) == (said.sender, None)
        assert heard[-2:] == [theirs, mine]
        for _ in range(2):
            assert (await log.append(wishes[0])).entry == theirs
            assert (await log.read("lobby", 0, 10)).entries == [theirs, mine]
            await log.close()
            log = opened()

    async def test_who_is_refused_is_refused_alone(self, log: Log) -> None:
        """What was queued together is stored together; a bad wish among it spoils nothing."""
        said = (await log.append(draft())).entry
        queued = [log.append(one) for one in (draft("a"), withdrawal(999), withdrawal(said.seq), withdrawal(said.seq))]
        answers = await asyncio.gather(*queued, log.append(draft("b")), return_exceptions=True)
        assert [getattr(answer, "code", "stored") for answer in answers] == [
            "stored",
            "not_found",
            "stored",
            "not_found",
            "stored",
        ]
        kept = (await log.read("lobby", 0, 10)).entries
        assert [entry.text or entry.withdraws for entry in kept] == ["a", said.seq, "b"]

    async def test_keys_are_remembered_as_ever(self, opened: Callable[..., Log]) -> None:
        log = opened()
        said = (await log.append(draft("oops", "k"))).entry
        other = (await log.append(draft("other", "o"))).entry
        taken = (await log.append(withdrawal(said.seq, "w"))).entry
        for _ in range(2):
            assert await log.append(withdrawal(said.seq, "w")) == Stored(taken, new=False)
            assert await log.append(draft("a text under its key", "w")) == Stored(taken, new=False)
            assert await refusal(log.append(draft("oops", "k"))) == "not_found"
            assert await refusal(log.append(withdrawal(other.seq, "k"))) == "not_found"
            assert await log.append(withdrawal(other.seq, "o")) == Stored(other, new=False), "its key was said before"
            assert (await log.read("lobby", 0, 10)).entries == [other, taken]
            await log.close()
            log = opened()

    async def test_said_and_withdrawn_before_anybody_heard(self, log: Log) -> None:
        """Both are on their way at once, and both are announced."""
        heard: list[Entry] = []
        log.on_entry = heard.append
        before = (await log.append(draft())).entry
        said, taken = await asyncio.gather(log.append(draft("oops")), log.append(withdrawal(before.seq + 1)))
        assert [entry.seq for entry in heard] == [before.seq, said.entry.seq, taken.entry.seq]
        assert (await log.read("lobby", 0, 10)).entries == [before, taken.entry]

    async def test_no_page_holds_what_was_announced_as_withdrawn(self, log: Log) -> None:
        """Readers that never stop, while another keeps saying things and taking them back."""
        withdrawn: set[int] = set()
        log.on_entry = lambda entry: withdrawn.add(entry.withdraws) if entry.withdraws else None
        writing = True

        async def read() -> int:
            pages = 0
            while writing or not pages:
                for ask in (log.read("lobby", 0, 1000), log.newest("lobby", 20)):
                    page = await ask
                    assert not withdrawn & {entry.seq for entry in page.entries}
                pages += 1
            return pages

        readers = [asyncio.create_task(read()) for _ in range(4)]
        for _ in range(60):
            said = await asyncio.gather(*(log.append(draft()) for _ in range(5)))
            await asyncio.gather(*(log.append(withdrawal(one.entry.seq)) for one in said[1:]))
        writing = False
        assert min(await asyncio.gather(*readers)) >= 1
        assert len(withdrawn) == 240
        assert len((await log.read("lobby", 0, 1000)).entries) == 60 + 240

    @pytest.mark.parametrize("seed", range(5))
    async def test_whatever_is_said_and_withdrawn_pages_are_what_a_list_would_give(self, log: Log, seed: int) -> None:
        chance = random.Random(seed)
        kept: list[Entry] = []
        for _ in range(80):
            mine = [entry for entry in kept if entry.withdraws is None]
            if mine and chance.random() < 0.4:
                gone = chance.choice(mine)
                kept = [entry for entry in kept if entry != gone]
                kept.append((await log.append(withdrawal(gone.seq))).entry)
            else:
                kept.append((await log.append(draft(f"text {chance.random()}"))).entry)
        last = kept[-1].seq
        for place in range(0, last + 2, 3):
            for limit in (1, 5, 200):
                after = [entry for entry in kept if entry.seq > place][:limit]
                below = [entry for entry in kept if entry.seq < place][-limit:]
                assert (await log.read("lobby", place, limit)).entries == after
                assert (await log.newest("lobby", limit, place)).entries == below
