"""Turns what the runner tells into metrics and log lines. Does I/O: logs.

The runner tells facts once they are known; nothing here decides anything.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from loyaltystream.pipeline import Plan
from loyaltystream.stage import Remembered
from loyaltystream.telemetry.metrics import Metrics

_GAUGES_EVERY_S: Final = 1.0
_WAITING_EVERY_S: Final = 10.0

Lags = Callable[[], Mapping[int, int]]


class WorkerTelemetry:
    """What one worker tells the world.

    Args:
        metrics: counted into.
        lags: asked once a second how far behind each partition is.
        poll_gap_s: likewise, for how long the group was not polled.
        remembered: likewise, how much is remembered; None: there is no memory.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        lags: Lags,
        poll_gap_s: Callable[[], float],
        remembered: Callable[[], Remembered] | None,
    ) -> None:
        self._metrics = metrics
        self._lags = lags
        self._poll_gap_s = poll_gap_s
        self._remembered = remembered
        self._log = structlog.get_logger()
        self._owned: set[int] = set()
        self._turned_s = self._gauged_s = time.monotonic()
        self._warned_s = 0.0
        self._submitted_s: float | None = None

    def submitted(self) -> None:
        """Note that a commit is under way."""
        self._submitted_s = time.monotonic()

    def committed(self, plans: Sequence[Plan]) -> None:
        """Count a committed transaction."""
        metrics = self._metrics
        metrics.transactions.labels("committed").inc()
        metrics.batch_records.observe(sum(plan.tally.consumed for plan in plans))
        self._observe_commit()
        for plan in plans:
            for verdict, count in plan.tally.verdicts.items():
                if count:
                    metrics.records.labels(str(plan.partition), verdict.value).inc(count)
            for outcome, count in plan.tally.outcomes.items():
                if count:
                    metrics.notify_records.labels(str(plan.partition), outcome.value).inc(count)
            for reason, count in plan.tally.reasons.items():
                metrics.reasons.labels(reason.value).inc(count)

    def aborted(self, why: str) -> None:
        """Count a transaction that did not commit."""
        self._metrics.transactions.labels("aborted").inc()
        self._observe_commit()
        self._log.warning("transaction.aborted", why=why, next="its events are judged again")

    def renewed(self, why: str) -> None:
        """Note that the producer was replaced."""
        self._metrics.producers_replaced.inc()
        self._log.warning("producer.replaced", why=why)

    def waiting(self, why: str) -> None:
        """Note that the broker or the registry is away and waited for."""
        self._metrics.broker_waits.inc()
        now_s = time.monotonic()
        if now_s - self._warned_s >= _WAITING_EVERY_S:
            self._warned_s = now_s
            self._log.warning("broker.awaited", why=why, next="trying again until it is back")

    def opening(self, partitions: Sequence[int]) -> None:
        """Say nothing yet: what came of it is told once it is done."""

    def owns(self, partitions: Sequence[int]) -> None:
        """Note which partitions this worker has now."""
        self._log.info("partitions.assigned", partitions=list(partitions))
        self._metrics.partitions.set(len(partitions))
        for partition in self._owned - set(partitions):
            self._metrics.lag_records.remove(str(partition))
        self._owned = set(partitions)

    def turned(self) -> None:
        """Note that the loop came round."""
        now_s = time.monotonic()
        self._metrics.turn_seconds.observe(now_s - self._turned_s)
        self._turned_s = now_s
        if now_s - self._gauged_s >= _GAUGES_EVERY_S:
            self._gauged_s = now_s
            self._gauge()

    def _gauge(self) -> None:
        self._metrics.poll_gap_seconds.set(self._poll_gap_s())
        for partition, lag in self._lags().items():
            if partition in self._owned:
                self._metrics.lag_records.labels(str(partition)).set(lag)
        if self._remembered is not None:
            found, metrics = self._remembered(), self._metrics
            for unit, count in found.ids.items():
                labels = unit.kind.name.lower(), str(unit.window_days)
                metrics.memory_ids.labels(*labels).set(count)
                window_ms = found.windows_ms[unit]
                metrics.memory_window_seconds.labels(*labels).set(window_ms / 1000)
            metrics.memory_bytes.set(found.used_bytes)

    def _observe_commit(self) -> None:
        if self._submitted_s is not None:
            self._metrics.commit_seconds.observe(time.monotonic() - self._submitted_s)
            self._submitted_s = None
