"""Counters count, and Prometheus is told all of them."""

from __future__ import annotations

import threading

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bridge.tally import Tally
from tests.support.nouns import entry, file


def told(tally: Tally) -> dict[str, float]:
    """What a scrape reads, each sample by its name and labels."""
    text = generate_latest(tally.registry).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{one.name} {' '.join(one.labels.values())}".strip(): one.value for one in samples}


def test_what_happened_is_counted_by_name_and_refusals_by_code_and_way() -> None:
    tally = Tally()
    tally.count("datagrams_in")
    tally.count("datagrams_in", 2)
    tally.refused("bad_text", "udp")
    assert tally.counts["datagrams_in"] == 3
    assert tally.refusals == {("bad_text", "udp"): 1}
    assert tally.counts["never"] == 0


def test_a_scrape_reads_all_that_was_counted_and_what_never_happened_as_nothing() -> None:
    tally = Tally()
    tally.count("datagrams_in", 3)
    tally.count("things_nobody_described")
    tally.refused("bad_text", "udp")
    tally.announced(entry())
    tally.announced(entry(file=file()))
    tally.announced(entry())
    tally.heard("web", 10)
    tally.heard("web", 5)
    expected = {
        "roombridge_datagrams_in_total": 3,
        "roombridge_datagrams_dropped_total": 0,
        "roombridge_things_nobody_described_total": 1,
        "roombridge_refused_total bad_text udp": 1,
        "roombridge_entries_total text": 2,
        "roombridge_entries_total file": 1,
        "roombridge_bytes_in_total web": 15,
        "roombridge_bytes_in_total tcp": 0,
    }
    assert told(tally).items() >= expected.items()


def test_commits_are_told_from_any_thread() -> None:
    tally = Tally()
    threads = [threading.Thread(target=lambda: [tally.committed(0.003, 5) for _ in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    samples = told(tally)
    assert samples["roombridge_commit_seconds_count"] == samples["roombridge_commit_drafts_count"] == 4000
    assert samples["roombridge_commit_seconds_bucket 0.002"] == 0
    assert samples["roombridge_commit_seconds_bucket 0.005"] == 4000
    assert samples["roombridge_commit_drafts_sum"] == 20_000
    assert samples["roombridge_commit_seconds_sum"] == pytest.approx(12)


def test_two_servers_in_one_process_count_apart() -> None:
    one, other = Tally(), Tally()
    one.announced(entry())
    assert told(one)["roombridge_entries_total text"] == 1
    assert told(other)["roombridge_entries_total text"] == 0
