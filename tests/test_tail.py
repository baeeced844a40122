"""The tail against a plain list."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import Entry, Peer
from bridge.tail import STRETCH_MAX_BYTES, STRETCH_MAX_ENTRIES, TAIL_MAX_BYTES, TAIL_MAX_ENTRIES, TAIL_MIN_ENTRIES, Tail
from tests.support.nouns import withdrawn

ALICE = Peer("p1", "alice", "web", "a:1")


def entry(seq: int, text: str = "hi") -> Entry:
    return Entry("text", seq, 0, "lobby", str(seq), ALICE, text=text)


def seqs(told: list) -> list[int]:
    return [one.entry.seq for one in told]


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), max_size=60), st.lists(st.integers(1, 5), max_size=60), st.integers(0, 700))
def test_what_follows_a_place_is_what_the_list_has(older: list[int], newer: list[int], after: int) -> None:
    """Numbers rise but skip; some came before the room was opened, some while it was."""
    numbers = [sum((older + newer)[: index + 1]) for index in range(len(older + newer))]
    tail = Tail()
    for seq in numbers[len(older) :]:
        tail.push(entry(seq))
    tail.prime([entry(seq) for seq in numbers], 0, whole=True)
    assert seqs(tail.stretch(after)) == [seq for seq in numbers if seq > after]
    assert tail.last_seq == (numbers[-1] if numbers else 0)
    for count in (1, 10, 50):
        start = tail.newest_start(count)
        assert start is not None
        assert seqs(tail.stretch(start)) == numbers[-count:]


def test_above_its_floor_nothing_is_missing_however_much_was_pushed() -> None:
    tail = Tail()
    tail.prime([], 0, whole=True)
    for seq in range(1, 10 * TAIL_MAX_ENTRIES):
        tail.push(entry(seq))
        assert len(tail._told) <= TAIL_MAX_ENTRIES + 1
    assert 0 < tail.floor < tail.last_seq and not tail.whole
    place, read = tail.floor, []
    while told := tail.stretch(place):
        read += seqs(told)
        place = read[-1]
    assert read == list(range(tail.floor + 1, 10 * TAIL_MAX_ENTRIES))


def test_long_texts_are_kept_by_weight_and_never_too_few() -> None:
    tail = Tail()
    tail.prime([], 0, whole=True)
    for seq in range(1, 2000):
        tail.push(entry(seq, "x" * 16_000))
    assert sum(told.weight for told in tail._told) <= TAIL_MAX_BYTES + 20_000
    assert len(tail._told) >= TAIL_MIN_ENTRIES


def test_a_stretch_is_bounded_by_count_and_weight_but_never_empty() -> None:
    tail = Tail()
    for seq in range(1, 1000):
        tail.push(entry(seq))
    assert len(tail.stretch(0)) <= STRETCH_MAX_ENTRIES
    tail = Tail()
    for seq in range(1, 10):
        tail.push(entry(seq, "x" * (STRETCH_MAX_BYTES + 1)))
    assert seqs(tail.stretch(0)) == [1]


def test_a_place_below_the_tail_is_known_to_be_below() -> None:
    tail = Tail()
    tail.prime([entry(seq) for seq in range(51, 101)], 50, whole=False)
    assert tail.newest_start(50) == 50
    assert tail.newest_start(51) is None


def test_an_entry_is_encoded_once_a_language() -> None:
    class Counting:
        echo = signals = True
        count = 0

        def encode(self, said: Entry) -> str:
            self.count += 1
            return f"{said.seq}"

        def frame(self, encoded: object) -> object:
            return encoded

    tail = Tail()
    tail.push(entry(1))
    one, other = Counting(), Counting()
    for _ in range(3):
        for told in tail.stretch(0):
            assert told.encoded(one) == told.encoded(other) == "1"
    assert (one.count, other.count) == (1, 1)


def test_so_much_announced_while_the_log_is_read_that_it_was_trimmed_leaves_no_hole() -> None:
    """What was read then lies further below than the tail reaches: put together they would miss what is between."""
    tail = Tail()
    for seq in range(101, 101 + 2 * TAIL_MAX_ENTRIES):
        tail.push(entry(seq))
    floor = tail.floor
    tail.prime([entry(seq) for seq in range(51, 101)], 50, whole=False)
    assert tail.floor == floor > 101
    assert not tail.whole
    assert seqs(tail.stretch(floor))[0] == floor + 1


def test_an_entry_that_was_read_before_it_was_announced_is_there_once() -> None:
    tail = Tail()
    tail.prime([entry(1), entry(2)], 0, whole=True)
    tail.push(entry(2))
    tail.push(entry(3))
    assert seqs(tail.stretch(0)) == [1, 2, 3]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 70))
def test_what_was_forgotten_is_gone_and_all_else_is_as_before(first: int, count: int, up_to: int) -> None:
    """The log holds 1 to 60, the tail the end of it from `first` on."""
    tail = Tail()
    kept = list(range(first + 1, max(first, min(first + count, 60)) + 1))
    tail.prime([entry(seq) for seq in kept], first, whole=first == 0)
    last = tail.last_seq
    tail.forget(up_to)
    left = [seq for seq in kept if seq > up_to]
    assert seqs(tail.stretch(tail.floor)) == left
    assert tail.floor == max(first, up_to)
    assert tail.last_seq == max(last, up_to)
    assert tail.whole == (up_to >= first or first == 0)
    assert tail._weight == sum(told.weight for told in tail._told)


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=60), st.data())
def test_what_was_withdrawn_is_handed_to_nobody_however_far_behind(texts: list[bool], data: st.DataObject) -> None:
    """Against a list: texts and withdrawals, some of what lies below the tail or is not of this room."""
    tail, kept = Tail(), list[Entry]()
    tail.prime([], 0, whole=True)
    for seq, is_text in enumerate(texts, 1):
        gone = None if is_text else data.draw(st.integers(1, seq))
        kept = [one for one in kept if one.seq != gone or one.withdraws]
        if gone and any(one.seq == gone for one in kept):
            gone = seq + 1000  # no log withdraws a withdrawal
        kept.append(entry(seq) if is_text else withdrawn(seq, gone))
        tail.push(kept[-1])
        assert [told.entry for told in tail._told] == kept
        assert tail._weight == sum(told.weight for told in tail._told)
        assert tail.last_seq == seq
    for after in range(len(texts) + 1):
        assert seqs(tail.stretch(after)) == [one.seq for one in kept if one.seq > after]


def test_a_withdrawal_that_was_read_before_it_was_announced_withdraws_all_the_same() -> None:
    tail = Tail()
    tail.push(entry(41))
    tail.push(entry(42))
    tail.push(withdrawn(44, 42))
    assert seqs(tail.stretch(0)) == [41, 44]
    tail.push(withdrawn(44, 41))
    assert seqs(tail.stretch(0)) == [44]
