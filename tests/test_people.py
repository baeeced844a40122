"""Names are taken once, peers counted once, crowds only counted."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.board import CHANGES_KEPT
from bridge.gate import NAME_MAX_CHARS
from bridge.lookalikes import looks
from bridge.model import Peer, Presence
from bridge.people import HINTS_MAX, HOUSE_NAMES, People


def sit(people: People, name: str, id: str | None = None) -> Peer:
    return people.sit(Peer(id or f"p-{name}-{len(people)}", name, "web", "a:1"))


def test_a_taken_name_gets_a_number_whatever_its_case() -> None:
    people = People(200)
    assert [sit(people, name).name for name in ("alice", "Alice", "ALICE", "bob")] == [
        "alice",
        "Alice-2",
        "ALICE-3",
        "bob",
    ]


def test_the_name_of_one_who_left_is_free_again() -> None:
    people = People(200)
    first, second = sit(people, "alice", "p1"), sit(people, "alice", "p2")
    people.stand(first.id)
    assert sit(people, "alice", "p3").name == "alice"
    people.stand(second.id)
    assert sit(people, "alice", "p4").name == "alice-2"


def test_a_longest_name_with_a_number_is_no_longer() -> None:
    people = People(200)
    sit(people, "x" * NAME_MAX_CHARS, "p1")
    name = sit(people, "x" * NAME_MAX_CHARS, "p2").name
    assert name == "x" * (NAME_MAX_CHARS - 2) + "-2"


def test_one_peer_with_two_seats_keeps_its_name_until_the_last_is_empty() -> None:
    people = People(200)
    sit(people, "alice", "p1")
    assert sit(people, "alice", "p1").name == "alice"
    assert (len(people), people.seats_of("p1")) == (1, 2)
    people.stand("p1")
    assert people.get("p1") is not None
    people.stand("p1")
    assert people.get("p1") is None and len(people) == 0


def test_the_same_wish_again_changes_nothing() -> None:
    """A datagram client brings its name with every message."""
    people = People(200)
    sit(people, "bot", "p1")
    assert sit(people, "bot", "p2").name == "bot-2"
    version = people.board.version
    renamed = people.rename("p2", "bot")
    assert renamed and renamed.name == "bot-2"
    assert people.board.version == version


def test_who_is_not_here_cannot_be_renamed() -> None:
    assert People(200).rename("p9", "x") is None


def test_news_are_the_difference_and_in_a_crowd_a_number() -> None:
    people = People(crowd=2)
    sit(people, "alice", "p1")
    seen = people.board.version
    sit(people, "bob", "p2")
    (news,) = people.news(seen)
    assert news.count == 2 and news.joined and [peer.name for peer in news.joined] == ["bob"]
    sit(people, "carol", "p3")
    assert people.news(seen) == [Presence(3)]
    assert len(people.some()) == 2
    people.stand("p3")
    number, everybody = people.news(-seen)
    assert number == Presence(2), "who knows a list that is not ours forgets it first"
    assert everybody.joined and {peer.name for peer in everybody.joined} == {"alice", "bob"}


def test_who_is_too_far_behind_starts_the_list_again() -> None:
    people = People(200)
    sit(people, "alice", "p1")
    sit(people, "gone", "p2")
    seen = people.board.version
    people.stand("p2")
    for number in range(CHANGES_KEPT):
        people.rename("p1", f"alice {number}")
    number, everybody = people.news(seen)
    assert (number, everybody.joined, everybody.left) == (Presence(1), list(people), None)


def test_a_name_that_looks_like_a_taken_one_is_taken() -> None:
    people = People(200)
    given_names = [sit(people, name).name for name in ("alice", "аlice", "ALICE", "a1ice", "аlice-2", "bob")]
    assert given_names == ["alice", "аlice-2", "ALICE-3", "a1ice-4", "аlice-2-2", "bob"]


@pytest.mark.parametrize("name", [*HOUSE_NAMES, "Admin", "аdmin", "5ystem".replace("5", "ѕ"), "SERVER"])
def test_nobody_speaks_in_the_houses_name(name: str) -> None:
    people = People(200)
    assert sit(people, name, "p1").name == f"{name}-2"
    assert sit(people, name, "p2").name == f"{name}-3"
    people.stand("p1")
    people.stand("p2")
    assert people.free_name(name, "p3") == f"{name}-2"
    assert sit(people, "administrator").name == "administrator"


ONE_SHAPE = {"one name": "guest", "one look": "Il1|", "small and capital": "oOоО"}


@pytest.mark.parametrize("signs", ONE_SHAPE.values(), ids=ONE_SHAPE.keys())
def test_thousands_of_one_look_are_not_compared_with_each_other(signs: str, monkeypatch) -> None:
    dice = Random(1)
    people = People(200)
    asked = 0
    free = people._free

    def counting(name: str, id: str) -> bool:
        nonlocal asked
        asked += 1
        return free(name, id)

    monkeypatch.setattr(people, "_free", counting)
    for number in range(2000):
        name = signs if signs == "guest" else "".join(dice.choices(signs, k=20))
        sit(people, name, f"p{number}")
    assert len({peer.name for peer in people}) == 2000
    assert asked <= 3 * 2000


def test_what_number_to_try_first_is_forgotten_in_time() -> None:
    people = People(200)
    for number in range(3 * HINTS_MAX):
        sit(people, f"n{number}", "p1")
        sit(people, f"n{number}", "p2")
        assert len(people._next_suffix) <= HINTS_MAX + 3


SEATED = ["bob", "Bob", "BOB-2", "b0b", "bоb-2", "x" * 32, "ß", "admin"]
RENAMED = ["bob", "bob-3", "Ill-2", "lIl", "x" * 32, "X" * 32]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("sit"),
            st.integers(0, 6),
            st.sampled_from(["bob", "Bob", "BOB-2", "b0b", "bоb-2", "x" * 32, "ß", "admin"]),
        ),
        st.tuples(st.just("rename"), st.integers(0, 6), st.sampled_from(RENAMED)),
        st.tuples(st.just("stand"), st.integers(0, 6), st.just("")),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=300)
@given(STEPS)
def test_names_are_one_each_whoever_comes_and_goes(steps: list[tuple[str, int, str]]) -> None:
    people = People(crowd=3)
    seats: Counter[str] = Counter()
    for step, number, name in steps:
        id = f"p{number}"
        if step == "sit":
            seats[id] += 1
            given_name = people.sit(Peer(id, name, "web", "a:1")).name
        elif step == "rename":
            renamed = people.rename(id, name)
            assert (renamed is None) == (not seats[id])
            given_name = renamed.name if renamed else name
        else:
            if seats[id]:
                people.stand(id)
                seats[id] -= 1
            given_name = name
        stem = given_name.rpartition("-")[0].casefold()
        assert given_name == name or stem == name[: NAME_MAX_CHARS - 2].casefold() or stem == name.casefold()
        here = {id for id, count in seats.items() if count}
        assert {peer.id for peer in people} == here
        assert len(people) == len(here) == len({peer.name.casefold() for peer in people})
        assert all(len(peer.name) <= NAME_MAX_CHARS for peer in people)
        shown = [*HOUSE_NAMES, *(peer.name for peer in people)]
        assert not any(looks(one) & looks(other) for one, other in combinations(shown, 2))
        assert all(people.seats_of(id) == seats[id] for id in seats)


def test_who_comes_back_gets_the_number_it_had() -> None:
    """A page that is reloaded a hundred times is not `bob-101`."""
    people = People(200)
    sit(people, "bob", "p1")
    for _ in range(100):
        assert sit(people, "bob", "p2").name == "bob-2"
        people.stand("p2")


def test_the_same_wish_of_the_longest_name_again_changes_nothing() -> None:
    people = People(200)
    sit(people, "x" * NAME_MAX_CHARS, "p1")
    name = sit(people, "x" * NAME_MAX_CHARS, "p2").name
    assert sit(people, "x" * NAME_MAX_CHARS, "p2").name == name
