"""Turns what becomes of snapshots into metrics and log lines. Does I/O: logs."""

import time

from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.metrics import Metrics


class MemoryWatch:
    """What one worker tells of the snapshots of its memories; threads may tell it.

    Args:
        metrics: counted into.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._made_s: dict[int, float] = {}

    def restoring(self, partition: int, pending: int) -> None:
        """Note how many offsets of the changelog a memory has still to be read from."""
        self._metrics.memory_restore_pending_records.labels(str(partition)).set(pending)

    def restored(self, partition: int, created_ms: int | None, seconds: float) -> None:
        """Note that a memory was read, from a snapshot of that moment or the changelog alone."""
        source = "changelog" if created_ms is None else "snapshot"
        self._metrics.memory_restore_seconds.labels(source).observe(seconds)
        log_events.memory_restored(partition=partition, source=source, seconds=round(seconds, 3))

    def opened(self, partition: int, created_ms: int | None) -> None:
        """Note that a partition is kept, and of which moment its newest snapshot is."""
        self._made_s[partition] = time.time() if created_ms is None else created_ms / 1000
        self._metrics.memory_snapshot_age_seconds.labels(str(partition)).set_function(
            lambda: self._age_s(partition)
        )

    def refused(self, partition: int, name: str, why: str) -> None:
        """Note that a snapshot is passed over at a restart."""
        self._metrics.memory_snapshots.labels("refused").inc()
        log_events.snapshot_refused(partition=partition, snapshot=name, why=why)

    def written(self, partition: int, size_bytes: int) -> None:
        """Note that a snapshot is on the disk."""
        self._metrics.memory_snapshots.labels("written").inc()
        log_events.snapshot_written(partition=partition, bytes=size_bytes)
        if partition in self._made_s:
            self._made_s[partition] = time.time()
            self._metrics.memory_snapshot_bytes.labels(str(partition)).set(size_bytes)

    def failed(self, partition: int, why: str) -> None:
        """Note that a snapshot could not be written."""
        self._metrics.memory_snapshots.labels("failed").inc()
        log_events.snapshot_failed(partition=partition, why=why)

    def released(self, partition: int) -> None:
        """Note that a partition is given away."""
        if self._made_s.pop(partition, None) is not None:
            for gauge in (
                self._metrics.memory_restore_pending_records,
                self._metrics.memory_snapshot_age_seconds,
                self._metrics.memory_snapshot_bytes,
            ):
                gauge.remove(str(partition))

    def mapped(self, size_bytes: int) -> None:
        """Note how many bytes of ids lie in files."""
        self._metrics.memory_mapped_bytes.set(size_bytes)

    def not_mapped(self, partition: int, why: str) -> None:
        """Note that a partition stays in memory, beyond memory.max_bytes."""
        log_events.memory_not_mapped(partition=partition, why=why)

    def _age_s(self, partition: int) -> float:
        return max(time.time() - self._made_s.get(partition, time.time()), 0)
