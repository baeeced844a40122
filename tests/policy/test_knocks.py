"""Strangers at the door, and what the hosts hear of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.model import Knock, Refused
from bridge.policy import Kept
from bridge.policy import knocks as module
from bridge.policy.knocks import Knocks

IP, ADDR = "192.168.1.37", "192.168.1.37:5000"


class House:
    """Knocks, and all that hosts were told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Knock] = []
        self.kept = Kept(folder / "admitted")
        self.knocks = Knocks(self.told.append, self.kept)

    def ask(self, way: module.Way = "tcp", ip: str = IP, text: str = "hello", within_s: float = 60.0) -> module.Answer:
        answer = self.knocks.ask(way, ip, f"{ip}:5000", text, within_s)
        assert answer is not None
        return answer


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_a_knock_is_shown_and_how_it_ended(house: House) -> None:
    answer = house.ask()
    [shown] = house.told
    assert shown == Knock(shown.id, "tcp", ADDR, "hello")
    assert list(house.knocks) == [shown]
    house.knocks.admit(shown.id)
    assert await answer is True
    await asyncio.sleep(0)
    assert house.told[1:] == [Knock(shown.id, answered="admitted")]
    assert list(house.knocks) == []
    assert not house.kept.has("tcp", IP)


async def test_one_that_is_refused_is_not_heard_again_for_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = house.ask()
    house.knocks.refuse(house.told[0].id)
    assert await answer is False
    await asyncio.sleep(0)
    assert house.told[1:] == [Knock(house.told[0].id, answered="refused")]
    assert house.knocks.ask("tcp", IP, ADDR, "hello?", 60.0) is None
    house.ask("udp").cancel()  # another way is another caller
    later = asyncio.get_running_loop().time() + module.REFUSED_S
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: later)
    house.ask().cancel()


async def test_one_that_nobody_answers_is_gone(house: House) -> None:
    answer = house.ask(within_s=0.0)
    with pytest.raises(asyncio.CancelledError):
        await answer
    await asyncio.sleep(0)
    assert house.told[1:] == [Knock(house.told[0].id, answered="gone")]
    assert list(house.knocks) == []


async def test_always_keeps_the_address_and_lets_in_who_else_comes_from_there(house: House) -> None:
    first, second, other = house.ask(), house.ask(), house.ask("udp")
    house.knocks.admit(house.told[0].id, always=True)
    assert await first is True and await second is True
    assert house.kept.has("tcp", IP) and not house.kept.has("udp", IP)
    assert not other.done()
    other.cancel()


async def test_each_is_answered_once(house: House) -> None:
    house.ask()
    house.knocks.admit(house.told[0].id)
    for answer in (house.knocks.admit, house.knocks.refuse):
        for id in (house.told[0].id, "no such"):
            with pytest.raises(Refused, match="no longer at the door"):
                answer(id)


async def test_no_crowd_takes_more_than_its_places(house: House) -> None:
    """Many from one address, or from ever new ones: the table has an end, and the other way in is still open."""
    answers = [house.ask("udp") for _ in range(module.PER_ADDRESS_MAX)]
    assert house.knocks.ask("udp", IP, ADDR, "hello", 60.0) is None
    answers += [house.ask("udp", f"10.0.0.{number}") for number in range(module.EACH_WAY_MAX - len(answers))]
    assert house.knocks.ask("udp", "10.1.0.1", "10.1.0.1:5000", "hello", 60.0) is None
    answers.append(house.ask("tcp"))
    assert len(list(house.knocks)) == len(answers) == module.EACH_WAY_MAX + 1 <= 64
    for answer in answers:
        answer.cancel()


async def test_a_long_text_is_cut(house: House) -> None:
    answer = house.ask(text="x" * 201)
    assert house.told[0].text == "x" * 200
    answer.cancel()
