"""The ninth guarantee of `bridge.log.Log`: a rule holds until another takes its place, or its time is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.log import Held, Log
from bridge.model import Draft, Entry, Rule, Stored
from tests.store.withdrawal_contract import refusal
from tests.support.nouns import draft, peer, withdrawal

BOB, EVE = peer("p-bob", "bob"), peer("p-eve", "eve")
FAR = 4_000_000_000_000


async def rule(log: Log, key: str, room: str = "lobby", pin: str | None = None, **said: Any) -> Stored:
    return await log.append(Draft(room, "host", key, peer(), rule=Rule(**said), host=True, pin=pin))


class RulesContract:
    """A part of `LogContract`, whose fixtures it uses."""

    async def test_a_rule_is_an_entry_like_any_other(self, log: Log) -> None:
        heard: list[Entry] = []
        log.on_entry = heard.append
        first = (await log.append(draft("first"))).entry
        stored = await rule(log, "r", topic="数学")
        assert stored.new and (stored.entry.type, stored.entry.rule) == ("rule", Rule(topic="数学"))
        assert heard == [first, stored.entry]
        assert (await log.read("lobby", 0, 10)).entries == heard
        assert (await log.newest("lobby", 1)).entries == [stored.entry]
        again = await rule(log, "r", topic="other")
        assert not again.new and again.entry == stored.entry
        assert await log.rules("lobby") == [Held(stored.entry.seq, Rule(topic="数学"))]
        assert await refusal(log.append(withdrawal(stored.entry.seq, author="host"))) == "forbidden"

    async def test_of_two_about_one_thing_the_later_holds_in_its_room(self, log: Log) -> None:
        seqs = {}
        for key, said in {
            "1": {"topic": "one"},
            "2": {"mute": BOB},
            "3": {"mute": EVE},
            "4": {"topic": "two"},
            "5": {"read_only": True},
            "6": {"unmute": BOB},
            "7": {"read_only": False},
            "8": {"rename": BOB, "name": "Robert"},
            "9": {"remove": EVE, "until": FAR},
        }.items():
            seqs[key] = (await rule(log, key, **said)).entry.seq
        other = (await rule(log, "x", "lab", topic="lab's own")).entry.seq
        assert await log.rules("lobby") == [
            Held(seqs["3"], Rule(mute=EVE)),
            Held(seqs["4"], Rule(topic="two")),
            Held(seqs["8"], Rule(rename=BOB, name="Robert")),
            Held(seqs["9"], Rule(remove=EVE, until=FAR)),
        ]
        assert await log.rules("lab") == [Held(other, Rule(topic="lab's own"))]
        assert await log.rules("nowhere") == []

    async def test_what_is_over_goes_with_the_next_rule(self, log: Log) -> None:
        await rule(log, "1", remove=BOB, until=1)
        seq = (await rule(log, "2", topic="x")).entry.seq
        assert await log.rules("lobby") == [Held(seq, Rule(topic="x"))]

    async def test_rules_outlive_their_entries_and_a_restart(self, opened: Callable[..., Log], tmp_path: Path) -> None:
        log = opened(tmp_path / "log")
        seq = (await rule(log, "1", pin="digest", read_only=True)).entry.seq
        last = (await log.append(draft())).entry.seq
        await log.close()
        self.forget(tmp_path / "log", "lobby", last)  # type: ignore[attr-defined]
        log = opened(tmp_path / "log")
        assert (await log.read("lobby", 0, 10)).entries == []
        assert await log.rules("lobby") == [Held(seq, Rule(read_only=True), "digest")]

    async def test_a_host_withdraws_what_others_said(self, log: Log) -> None:
        said = (await log.append(draft("rude"))).entry
        taken = await log.append(Draft("lobby", "host", "w", peer(), withdraws=said.seq, host=True))
        assert (await log.read("lobby", 0, 10)).entries == [taken.entry]
