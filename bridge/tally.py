"""What happened how often: counted as plain numbers where it happens, read by whoever asks.

Prometheus' own counters take a lock at each step, which a datagram or an entry has no time for; so the numbers of the
event loop are handed over only when somebody looks. What the log's writer thread tells goes into histograms at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge.model import Code, Entry, Via

COMMIT_BUCKETS_S: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

_HELP: Final = {
    "answer_bytes": "Bytes that the bodies of our HTTP answers had, streams of events apart.",
    "connections_turned_away": "Connections closed before a byte, for their address had too many or came too often.",
    "datagrams_in": "Datagrams read from our sockets.",
    "datagrams_ignored": "Datagrams that no person sent: our own, a mirror's, an answering service's.",
    "datagrams_dropped": "Datagrams dropped because too many waited behind commands of their peers.",
    "datagrams_unsent": "Datagrams that the kernel would not send.",
    "wrong_tokens": "Secrets that were shown and were none of ours.",
    "silent_connections_closed": "Connections that had not sent a byte when others needed their place.",
}

disable_created_metrics()  # type: ignore[no-untyped-call]  # each began when the server did


class Tally(Collector):
    """Counters by name, refusals by code and way, entries by type, bytes by way. `registry` tells them all."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[tuple[Code, str]] = Counter()
        self.entries: Counter[str] = Counter(text=0, file=0)
        self.bytes_in: Counter[Via] = Counter(dict.fromkeys(get_args(Via), 0))
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        self._commits = Histogram(
            "roombridge_commit_seconds",
            "How long a batch of drafts took to be durable.",
            buckets=COMMIT_BUCKETS_S,
            registry=self.registry,
        )
        self._batches = Histogram(
            "roombridge_commit_drafts",
            "How many drafts one commit made durable.",
            buckets=BATCH_BUCKETS,
            registry=self.registry,
        )

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] += by

    def refused(self, code: Code, via: str) -> None:
        self.refusals[code, via] += 1

    def announced(self, entry: Entry) -> None:
        self.entries[entry.type] += 1

    def heard(self, via: Via, size: int) -> None:
        """Bytes of messages and files; what carries them is not counted."""
        self.bytes_in[via] += size

    def committed(self, seconds: float, drafts: int) -> None:
        """A batch has reached the disk. May be called from any thread."""
        self._commits.observe(seconds)
        self._batches.observe(drafts)

    def collect(self) -> Iterator[Metric]:
        """The numbers of the event loop, in which this must be called."""
        refused = CounterMetricFamily("roombridge_refused", "What broke a rule.", labels=["code", "via"])
        for (code, via), count in sorted(self.refusals.items()):
            refused.add_metric([code, via], count)
        yield refused
        yield _family("roombridge_entries", "Entries announced.", "type", self.entries)
        yield _family("roombridge_bytes_in", "Bytes of messages and files taken.", "via", self.bytes_in)
        for name in sorted(_HELP.keys() | self.counts.keys()):
            yield CounterMetricFamily(f"roombridge_{name}", _HELP.get(name, name), self.counts[name])


def _family(name: str, help: str, label: str, counts: Counter[str] | Counter[Via]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, help, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
