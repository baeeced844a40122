"""What a room's rules say, in whatever order they are learnt, and what follows for whom."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import msgspec
import pytest

from bridge.model import Peer, Refused, Rule, Ruling, Via
from bridge.rules import Rules
from tests.support.nouns import draft, peer, withdrawal

BOB = peer("p-bob", "bob")
NOW = 1_795_404_224_123
MINUTE = 60_000


def rules(*laid_down: Rule) -> Rules:
    found = Rules()
    for seq, rule in enumerate(laid_down, 1):
        found.take(seq, rule)
    return found


def refusal(ask: Callable[[], None]) -> str:
    with pytest.raises(Refused) as refused:
        ask()
    assert refused.value.code == "forbidden"
    return refused.value.message


STORY = (
    Rule(topic="Maths"),
    Rule(mute=BOB),
    Rule(read_only=True),
    Rule(topic="Physics"),
    Rule(unmute=BOB),
    Rule(mute=peer("p-eve", "eve")),
    Rule(read_only=False),
    Rule(pin=True),
)


def test_the_newest_about_each_thing_holds_in_whatever_order_it_is_learnt() -> None:
    numbered = list(enumerate(STORY, 1))
    for order in (*permutations(numbered[:5]), numbered[::-1], numbered):
        found = Rules()
        for seq, rule in (*order, *numbered):
            found.take(seq, rule)
        assert found.now == Ruling("Physics", False, True, ["p-eve"])


def test_nothing_holds_in_a_room_that_nobody_rules() -> None:
    free = Rules()
    assert free.now == Ruling("", False, False, [])
    free.check(draft(sender=BOB), NOW)
    assert free.name_of(BOB.id) is None
    assert free.told_of(BOB.id) is None


@pytest.mark.parametrize(
    ("rule", "words"),
    [(Rule(mute=BOB), "a host has muted you here"), (Rule(read_only=True), "only hosts speak here just now")],
)
def test_who_may_not_speak_may_take_back_and_hosts_may_do_both(rule: Rule, words: str) -> None:
    held = rules(rule)
    assert refusal(lambda: held.check(draft(sender=BOB), NOW)) == words
    assert refusal(lambda: held.hear(BOB)) == words
    held.check(withdrawal(1), NOW)
    held.check(msgspec.structs.replace(draft(sender=BOB), host=True), NOW)


def test_one_who_is_muted_is_not_everybody() -> None:
    rules(Rule(mute=BOB)).check(draft(sender=peer("p-eve", "bob")), NOW)


def test_only_a_host_lays_down_rules() -> None:
    rule = msgspec.structs.replace(draft(text=None, sender=BOB), rule=Rule(topic="x"))
    assert refusal(lambda: Rules().check(rule, NOW)) == "only a host may do this"


def test_a_name_that_a_host_gave_stays_until_it_is_let_go() -> None:
    held = rules(Rule(rename=BOB, name="Robert"))
    assert held.name_of(BOB.id) == "Robert"
    held.take(2, Rule(rename=BOB, name=""))
    assert held.name_of(BOB.id) is None


def test_who_was_removed_may_come_back_when_the_time_is_over() -> None:
    held = rules(Rule(remove=BOB, until=NOW + 10 * MINUTE))
    assert refusal(lambda: held.admit(BOB, NOW)) == "a host removed you; you may come back in 10 min"
    assert refusal(lambda: held.check(draft(sender=BOB), NOW + 9 * MINUTE)).endswith("come back in 1 min")
    held.admit(BOB, NOW + 10 * MINUTE)
    assert held.told_of(BOB.id) == BOB


SAME_PLACE = [
    # removed, who comes, is the same?
    (("tcp", "10.0.0.5:4000"), ("tcp", "10.0.0.5:4001"), True),
    (("tcp", "10.0.0.5:4000"), ("udp", "10.0.0.5:9"), True),
    (("http", "10.0.0.5:4000"), ("http", "10.0.0.5:4001"), True),
    (("tcp", "10.0.0.5:4000"), ("tcp", "10.0.0.50:4000"), False),
    (("tcp", "[fe80::1%eth0]:4000"), ("tcp", "[fe80::1%eth0]:4001"), True),
    (("udp", "127.0.0.1:4000"), ("udp", "127.0.0.1:4000"), True),
    (("udp", "127.0.0.1:4000"), ("tcp", "127.0.0.1:4001"), False),
    (("udp", "[::1]:4000"), ("udp", "[::1]:4001"), False),
    (("web", "10.0.0.5:4000"), ("tcp", "10.0.0.5:4000"), False),
    (("tcp", "10.0.0.5:4000"), ("web", "10.0.0.5:4000"), False),
    (("tcp", "?"), ("tcp", "10.0.0.5:1"), False),
]


@pytest.mark.parametrize(("removed", "comes", "same"), SAME_PLACE)
def test_who_has_no_secret_is_known_by_place(removed: tuple[Via, str], comes: tuple[Via, str], same: bool) -> None:
    """On this machine, where all have one address, the port counts too; a browser is known by its secret alone."""
    held = rules(Rule(remove=Peer("p1", "x", *removed), until=NOW + MINUTE))
    if same:
        refusal(lambda: held.admit(Peer("p2", "y", *comes), NOW))
    else:
        held.admit(Peer("p2", "y", *comes), NOW)
