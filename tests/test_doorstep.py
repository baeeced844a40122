"""Datagrams of strangers, one by one: what is sent back, and when their sender may sit down."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.doorstep import Doorstep
from bridge.mailbox import Letter
from bridge.model import Knock
from bridge.policy import Kept, Native, Policy, Tokens, Zones
from bridge.policy.knocks import Knocks
from bridge.porch import Porch
from bridge.tally import Tally
from bridge.wire.datagram import Said

TOKEN = "member-token-0123456789"


class Step:
    """A doorstep, its hosts, and all that it sent and let in."""

    def __init__(self, folder: Path, native: Native = Native.KNOCK) -> None:
        self.sent: list[str] = []
        self.admitted: list[str] = []
        self.shown: list[Knock] = []
        tally = Tally()
        kept = Kept(folder / "admitted")
        self.knocks = Knocks(self.shown.append, kept)
        porch = Porch(Policy(Zones(), Tokens(TOKEN, "host-token-0123456789"), native), kept, self.knocks, tally)
        self.doorstep = Doorstep(
            porch,
            lambda letter, said: self.admitted.append(said.text),
            lambda data, letter: self.sent.append(data.decode()),
            tally,
        )

    def meet(self, text: str, ip: str = "203.0.113.5", port: int = 5000) -> str | None:
        """What may be said in the room now."""
        said = self.doorstep.meet(Letter(text.encode(), (ip, port), "203.0.113.1", []), Said(text))
        return None if said is None else said.text


@pytest.fixture
async def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


async def test_a_word_knocks_and_is_said_when_a_host_admits_it(step: Step) -> None:
    assert step.meet("hello") is None
    assert step.meet("hello?") is None
    assert step.sent == ["* you knocked: wait, or send /pass SECRET\n"]
    assert [(knock.addr, knock.text) for knock in step.shown] == [("203.0.113.5:5000", "hello")]
    step.knocks.admit(step.shown[0].id)
    await asyncio.sleep(0)
    assert step.admitted == ["hello"]


@pytest.mark.parametrize("how", ["refuse", "close"])
async def test_one_that_is_not_admitted_is_not_heard(step: Step, how: str) -> None:
    step.meet("hello")
    if how == "refuse":
        step.knocks.refuse(step.shown[0].id)
    else:
        step.doorstep.close()
    await asyncio.sleep(0)
    assert step.admitted == [] and len(step.sent) == 1
    assert step.shown[1].answered == ("refused" if how == "refuse" else "gone")
    assert step.meet("hello") is None


async def test_the_secret_is_answered_with_a_code_and_the_code_lets_in(step: Step) -> None:
    assert step.meet(f"/pass {TOKEN}") is None
    [answer] = step.sent
    assert len(answer) < len(f"/pass {TOKEN}")
    code = answer.removeprefix("* send: ").strip()
    assert step.meet(code, ip="203.0.113.6") is None
    assert step.meet(code, port=5001) is None
    assert step.meet(code) == ""
    assert step.shown == []


async def test_what_knocked_before_the_secret_came_is_said(step: Step) -> None:
    step.meet("hello")
    step.meet(f"/pass {TOKEN}")
    assert step.meet(step.sent[-1].removeprefix("* send: ").strip()) == "hello"
    await asyncio.sleep(0)
    assert step.shown[-1].answered == "gone" and step.admitted == []


async def test_five_codes_are_looked_at_and_no_sixth(step: Step) -> None:
    step.meet(f"/pass {TOKEN}")
    code = step.sent[0].removeprefix("* send: ").strip()
    for _ in range(5):
        assert step.meet("/ok AAAAAAAA") is None
    assert step.meet(code) is None
    assert step.sent[1:] == ["* a wrong code, or too late: /pass SECRET again\n"]


@pytest.mark.parametrize("text", ["", " ", "/pass", "/pas secret", "/pass wrong", "/ok AAAAAAAA"])
async def test_what_is_no_word_knocks_nowhere_and_gets_one_notice(step: Step, text: str) -> None:
    for _ in range(3):
        assert step.meet(text) is None
    assert step.shown == []
    assert len(step.sent) == 1 and 28 + len(step.sent[0]) <= 3 * (28 + len(text))


async def test_a_notice_is_never_answered(step: Step) -> None:
    assert step.meet("* you knocked: wait, or send /pass SECRET") is None
    assert step.sent == [] and step.shown == []


async def test_with_native_off_nothing_is_answered(tmp_path: Path) -> None:
    step = Step(tmp_path, Native.OFF)
    for text in ("hello", f"/pass {TOKEN}", ""):
        assert step.meet(text) is None
    assert step.sent == [] and step.shown == []
