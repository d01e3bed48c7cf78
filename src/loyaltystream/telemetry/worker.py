"""Turns what the runner tells into metrics and log lines. Does I/O: logs.

The runner tells facts once they are known; nothing here decides anything.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from loyaltystream.pipeline import Plan
from loyaltystream.stage import Remembered
from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.behind import Behind
from loyaltystream.telemetry.metrics import Metrics
from loyaltystream.telemetry.names import EventLabels
from loyaltystream.telemetry.seldom import Seldom
from loyaltystream.times import DAY_MS
from loyaltystream.verdicts import Tally, Verdict

_GAUGES_EVERY_S: Final = 1.0
_UNNAMED: Final = (None, None)


class Readings(msgspec.Struct, frozen=True):
    """What is read off the parts of a worker once a second.

    Attributes:
        lags: how many offsets each partition is behind.
        held_s: for how long an open transaction has held up each.
        poll_gap_s: for how long the group was not polled; also asked by whoever scrapes.
        queued: how many records the producer holds.
        defined: org and name of every event in force; the same ones until that changes.
        remembered: how much is remembered; None: there is no memory.
    """

    lags: Callable[[], Mapping[int, int]]
    held_s: Callable[[], Mapping[int, float]]
    poll_gap_s: Callable[[], float]
    queued: Callable[[], int]
    defined: Callable[[], Iterable[tuple[int, str]]]
    remembered: Callable[[], Remembered] | None


class WorkerTelemetry:
    """What one worker tells the world.

    Args:
        metrics: counted into.
        readings: read once a second.
    """

    def __init__(self, metrics: Metrics, readings: Readings) -> None:
        self._metrics = metrics
        self._readings = readings
        self._behind = Behind()
        self._labels = EventLabels()
        self._owned: set[int] = set()
        self._turned_s = self._gauged_s = time.monotonic()
        self._waiting = Seldom()
        self._submitted_s: float | None = None
        # A loop that stands still has to be seen: these two are computed for whoever scrapes.
        metrics.poll_gap_seconds.set_function(readings.poll_gap_s)

    def submitted(self) -> None:
        """Note that a commit is under way."""
        self._submitted_s = time.monotonic()

    def committed(self, plans: Sequence[Plan]) -> None:
        """Count a committed transaction."""
        metrics = self._metrics
        metrics.transactions.labels("committed").inc()
        metrics.batch_records.observe(sum(plan.tally.consumed for plan in plans))
        self._observe_commit()
        self._name_events()
        now_ms = int(time.time() * 1000)
        for plan in plans:
            self._behind.read(plan.partition, plan.tally.appended)
            metrics.ages.note(plan.tally.appended, now_ms)
            self._count(str(plan.partition), plan.tally)
            self._count_events(plan.tally)

    def aborted(self, why: str) -> None:
        """Count a transaction that did not commit."""
        self._metrics.transactions.labels("aborted").inc()
        self._observe_commit()
        log_events.transaction_aborted(why=why)

    def renewed(self, why: str) -> None:
        """Note that the producer was replaced."""
        self._metrics.producers_replaced.inc()
        log_events.producer_replaced(why=why)

    def waiting(self, why: str) -> None:
        """Note that the broker or the registry is away and waited for."""
        self._metrics.broker_waits.inc()
        if self._waiting.take():
            log_events.broker_awaited(why=why)

    def opening(self, partitions: Sequence[int]) -> None:
        """Say nothing yet: what came of it is told once it is done."""

    def owns(self, partitions: Sequence[int]) -> None:
        """Note which partitions this worker has now."""
        log_events.partitions_assigned(partitions=list(partitions))
        metrics, owned = self._metrics, set(partitions)
        metrics.partitions.set(len(partitions))
        metrics.letters.owns(partitions)
        for partition in self._owned - owned:
            self._behind.leave(partition)
            for gauge in (metrics.lag_records, metrics.lag_seconds, metrics.held_seconds):
                gauge.remove(str(partition))
        for partition in owned - self._owned:
            self._behind.begin(partition)
            lag_s = partial(self._behind.lag_s, partition)
            metrics.lag_seconds.labels(str(partition)).set_function(lag_s)
        for change, moved in (("came", owned - self._owned), ("went", self._owned - owned)):
            if moved:
                metrics.rebalances.labels(change).inc()
        self._owned = owned

    def turned(self) -> None:
        """Note that the loop came round."""
        now_s = time.monotonic()
        self._metrics.turn_seconds.observe(now_s - self._turned_s)
        self._turned_s = now_s
        if now_s - self._gauged_s >= _GAUGES_EVERY_S:
            self._gauged_s = now_s
            self._gauge()

    def _name_events(self) -> None:
        """Begin the counters of events at 0: nobody sees one rise that was not there before."""
        for labels in self._labels.learn(self._readings.defined()):
            for verdict in Verdict:
                if verdict is not Verdict.TOMBSTONE and self._readings.remembered is not None:
                    self._metrics.event_records.labels(*labels, verdict.value)

    def _count(self, partition: str, tally: Tally) -> None:
        metrics = self._metrics
        for verdict, count in tally.verdicts.items():
            if count:
                metrics.records.labels(partition, verdict.value).inc(count)
        for outcome, count in tally.outcomes.items():
            if count:
                metrics.notify_records.labels(partition, outcome.value).inc(count)
        for reason, count in tally.reasons.items():
            metrics.reasons.labels(reason.value).inc(count)
        for type_, count in tally.notifications.items():
            metrics.notifications.labels(type_).inc(count)

    def _count_events(self, tally: Tally) -> None:
        metrics, labels = self._metrics, self._labels
        for (name, verdict), count in tally.events.items():
            metrics.event_records.labels(*labels.of(name), verdict.value).inc(count)
        if tombstones := tally.verdicts[Verdict.TOMBSTONE]:
            unnamed = *labels.of(_UNNAMED), Verdict.TOMBSTONE.value
            metrics.event_records.labels(*unnamed).inc(tombstones)
        for (name, reason), count in tally.event_reasons.items():
            metrics.event_reasons.labels(*labels.of(name), reason.value).inc(count)

    def _gauge(self) -> None:
        metrics, readings = self._metrics, self._readings
        self._name_events()
        lags = {number: lag for number, lag in readings.lags().items() if number in self._owned}
        held_s = readings.held_s()
        for partition, lag in lags.items():
            held = held_s.get(partition, 0.0)
            metrics.lag_records.labels(str(partition)).set(lag)
            metrics.held_seconds.labels(str(partition)).set(held)
            self._behind.heard(partition, is_level=not lag and not held)
        metrics.producer_queue_records.set(readings.queued())
        if readings.remembered is not None:
            self._gauge_memory(readings.remembered())

    def _gauge_memory(self, found: Remembered) -> None:
        metrics = self._metrics
        for unit, count in found.ids.items():
            labels = unit.kind.name.lower(), str(unit.window_days)
            window_s = found.windows_ms[unit] / 1000
            metrics.memory_ids.labels(*labels).set(count)
            metrics.memory_effective_window_seconds.labels(*labels).set(window_s)
            metrics.memory_window_seconds.labels(*labels).set(unit.window_days * DAY_MS / 1000)
        metrics.memory_bytes.set(found.used_bytes)

    def _observe_commit(self) -> None:
        if self._submitted_s is not None:
            self._metrics.commit_seconds.observe(time.monotonic() - self._submitted_s)
            self._submitted_s = None
