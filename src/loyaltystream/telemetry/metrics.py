"""The metrics of one worker process, served to Prometheus. Does I/O: one HTTP port.

Labels come from closed sets, partition numbers and definitions: never from an event, a customer or
a file. docs/metrics.md says what each metric means and what to do about it.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from loyaltystream.telemetry.ages import Ages
from loyaltystream.telemetry.letters import WaitingLetters

_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0)
_RECORDS: Final = (1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000)


class Metrics:
    """Every metric, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._make_verdicts()
        self._make_transactions()
        self._make_partitions()
        self._make_memory()
        self._make_snapshots()
        # A counter that is not there before it counts is not seen to rise.
        for counter, values in (
            (self.transactions, ("committed", "aborted")),
            (self.registry_requests, ("answered", "failed")),
            (self.rebalances, ("came", "went")),
            (self.memory_snapshots, ("written", "failed", "refused")),
        ):
            for value in values:
                counter.labels(value)

    def _make_verdicts(self) -> None:
        self.records = self._counter(
            "records",
            "Records judged, by verdict; only those whose transaction committed.",
            "partition",
            "verdict",
        )
        self.notify_records = self._counter(
            "notify_records",
            "Accepted events that NOTIFY is done with, by what became of them.",
            "partition",
            "outcome",
        )
        self.reasons = self._counter(
            "reasons",
            "Records that were not simply accepted, by each reason that applied.",
            "reason",
        )
        self.event_records = self._counter(
            "event_records", "Records judged, by event and verdict.", "org", "event", "verdict"
        )
        self.event_reasons = self._counter(
            "event_reasons",
            "Records that were not simply accepted, by event and reason.",
            "org",
            "event",
            "reason",
        )
        self.notifications = self._counter(
            "notifications", "Notifications written, by type.", "type"
        )
        self.ages = Ages(
            "loyaltystream_age_seconds",
            "From a record's append to knowing that its transaction committed.",
        )
        self.registry.register(self.ages)
        self.letters = WaitingLetters()
        self.registry.register(self.letters)

    def _make_transactions(self) -> None:
        self.transactions = self._counter(
            "transactions", "Transactions, by what became of them.", "outcome"
        )
        self.producers_replaced = self._counter(
            "producers_replaced",
            "Producers replaced because the outcome of a transaction was not known, or fenced.",
        )
        self.broker_waits = self._counter(
            "broker_waits", "Times that the broker or the registry was away and waited for."
        )
        self.batch_records = self._histogram(
            "batch_records", "Records of one committed transaction.", _RECORDS
        )
        self.commit_seconds = self._histogram(
            "commit_seconds", "From submitting a commit to knowing its outcome.", _SECONDS
        )
        self.turn_seconds = self._histogram(
            "turn_seconds", "One turn of the loop: poll, judge, settle, send.", _SECONDS
        )
        self.producer_queue_records = self._gauge(
            "producer_queue_records", "Records that the producer holds and no broker has confirmed."
        )
        self.registry_up = self._gauge(
            "registry_up", "Whether the schema registry gave its last answer: 1 or 0."
        )
        self.registry_requests = self._counter(
            "registry_requests", "Times that the schema registry was looked for.", "outcome"
        )
        self.definitions_revision = self._gauge(
            "definitions_revision",
            "The last revision of the topic of definitions that this worker has heard of.",
        )

    def _make_partitions(self) -> None:
        self.poll_gap_seconds = self._gauge(
            "poll_gap_seconds",
            "Longest time for which the group was not polled, in the last one to two minutes.",
        )
        self.lag_records = self._gauge(
            "lag_records", "Offsets that a partition of this worker is behind its end.", "partition"
        )
        self.lag_seconds = self._gauge(
            "lag_seconds", "How old a partition's oldest unread record is at most.", "partition"
        )
        self.held_seconds = self._gauge(
            "held_seconds",
            "For how long an open transaction has held up a partition at one offset.",
            "partition",
        )
        self.partitions = self._gauge("partitions", "Partitions that this worker owns.")
        self.topic_partitions = self._gauge(
            "topic_partitions", "Partitions of the topic that this worker's stage reads."
        )
        self.rebalances = self._counter(
            "rebalances", "Times that partitions came to this worker or went.", "change"
        )

    def _make_memory(self) -> None:
        unit = "kind", "window_days"
        self.memory_ids = self._gauge(
            "memory_ids", "Ids remembered, by kind of key and window in days.", *unit
        )
        self.memory_bytes = self._gauge("memory_bytes", "Bytes that remembered ids take.")
        self.memory_mapped_bytes = self._gauge(
            "memory_mapped_bytes", "Those of them that lie in files, beyond memory.max_bytes."
        )
        self.memory_effective_window_seconds = self._gauge(
            "memory_effective_window_seconds",
            "How far back from its clock the partition knows that knows least, by kind of key.",
            *unit,
        )
        self.memory_window_seconds = self._gauge(
            "memory_window_seconds", "How far back it shall know, by kind of key.", *unit
        )

    def _make_snapshots(self) -> None:
        self.memory_snapshots = self._counter(
            "memory_snapshots",
            "Snapshots of a partition's memory, by what became of them.",
            "outcome",
        )
        self.memory_snapshot_age_seconds = self._gauge(
            "memory_snapshot_age_seconds",
            "Age of a partition's newest snapshot; without one, since when it is open.",
            "partition",
        )
        self.memory_snapshot_bytes = self._gauge(
            "memory_snapshot_bytes", "Size of a partition's newest snapshot.", "partition"
        )
        self.memory_restore_seconds = self._histogram(
            "memory_restore_seconds",
            "Opening a partition, by what its memory was read from.",
            _SECONDS,
            "source",
        )
        self.memory_restore_pending_records = self._gauge(
            "memory_restore_pending_records",
            "Offsets of the changelog that opening a partition has still to read.",
            "partition",
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"loyaltystream_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"loyaltystream_{name}", meaning, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"loyaltystream_{name}", meaning, labels, buckets=buckets, registry=self.registry
        )
