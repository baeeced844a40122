"""Counters count."""

from __future__ import annotations

from bridge.tally import Tally


def test_what_happened_is_counted_by_name_and_refusals_by_code_and_way() -> None:
    tally = Tally()
    tally.count("datagrams_in")
    tally.count("datagrams_in", 2)
    tally.refused("bad_text", "udp")
    assert tally.counts["datagrams_in"] == 3
    assert tally.refusals == {("bad_text", "udp"): 1}
    assert tally.counts["never"] == 0
