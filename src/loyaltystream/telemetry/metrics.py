"""The metrics of one worker process, served to Prometheus. Does I/O: one HTTP port.

Labels come from closed sets and partition numbers: never an event, a customer or a file name.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from loyaltystream.errors import ConfigurationError

_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0)
_RECORDS: Final = (1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000)


class Metrics:
    """Every metric, in a registry of its own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.records = Counter(
            "loyaltystream_records",
            "Records judged, by verdict; only those whose transaction committed.",
            ["partition", "verdict"],
            registry=registry,
        )
        self.notify_records = Counter(
            "loyaltystream_notify_records",
            "Accepted events that NOTIFY is done with, by what became of them.",
            ["partition", "outcome"],
            registry=registry,
        )
        self.reasons = Counter(
            "loyaltystream_reasons",
            "Records that were not simply accepted, by each reason that applied.",
            ["reason"],
            registry=registry,
        )
        self.transactions = Counter(
            "loyaltystream_transactions",
            "Transactions, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self.producers_replaced = Counter(
            "loyaltystream_producers_replaced",
            "Producers replaced because the outcome of a transaction was not known, or fenced.",
            registry=registry,
        )
        self.broker_waits = Counter(
            "loyaltystream_broker_waits",
            "Times that the broker or the registry was away and waited for.",
            registry=registry,
        )
        self.batch_records = Histogram(
            "loyaltystream_batch_records",
            "Records of one committed transaction.",
            buckets=_RECORDS,
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "loyaltystream_commit_seconds",
            "From submitting a commit to knowing its outcome.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.turn_seconds = Histogram(
            "loyaltystream_turn_seconds",
            "One turn of the loop: poll, judge, settle, send.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.poll_gap_seconds = Gauge(
            "loyaltystream_poll_gap_seconds",
            "Longest time for which the group was not polled, in the last one to two minutes.",
            registry=registry,
        )
        self.lag_records = Gauge(
            "loyaltystream_lag_records",
            "Offsets that a partition of this worker is behind its end.",
            ["partition"],
            registry=registry,
        )
        self.partitions = Gauge(
            "loyaltystream_partitions", "Partitions that this worker owns.", registry=registry
        )
        self.definitions_revision = Gauge(
            "loyaltystream_definitions_revision",
            "The last revision of the topic of definitions that this worker has heard of.",
            registry=registry,
        )
        self.memory_ids = Gauge(
            "loyaltystream_memory_ids",
            "Ids remembered, by kind of key and window in days.",
            ["kind", "window_days"],
            registry=registry,
        )
        self.memory_bytes = Gauge(
            "loyaltystream_memory_bytes", "Bytes that remembered ids take.", registry=registry
        )
        self.memory_window_seconds = Gauge(
            "loyaltystream_memory_effective_window_seconds",
            "How far back from its clock the partition knows that knows least, by kind of key.",
            ["kind", "window_days"],
            registry=registry,
        )
        self.memory_mapped_bytes = Gauge(
            "loyaltystream_memory_mapped_bytes",
            "Those of them that lie in files, beyond memory.max_bytes.",
            registry=registry,
        )
        self.memory_snapshots = Counter(
            "loyaltystream_memory_snapshots",
            "Snapshots of a partition's memory, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self.memory_snapshot_age_seconds = Gauge(
            "loyaltystream_memory_snapshot_age_seconds",
            "Age of a partition's newest snapshot; without one, since when it is open.",
            ["partition"],
            registry=registry,
        )
        self.memory_snapshot_bytes = Gauge(
            "loyaltystream_memory_snapshot_bytes",
            "Size of a partition's newest snapshot.",
            ["partition"],
            registry=registry,
        )
        self.memory_restore_seconds = Histogram(
            "loyaltystream_memory_restore_seconds",
            "Opening a partition, by what its memory was read from.",
            ["source"],
            buckets=_SECONDS,
            registry=registry,
        )

    def serve(self, host: str, port: int) -> int:
        """Serve `/metrics`; return the port.

        Raises:
            ConfigurationError: if the port is taken.
        """
        return serve_registry(self.registry, host, port)


def serve_registry(registry: CollectorRegistry, host: str, port: int) -> int:
    """Serve `/metrics` of a registry; return the port.

    Raises:
        ConfigurationError: if the port is taken.
    """
    try:
        server, _ = start_http_server(port, host, registry)
    except OSError as error:
        raise ConfigurationError(
            f"telemetry.metrics_port = {port}: {host}:{port} cannot be served ({error}); "
            f"choose another, or 0 for a free one"
        ) from error
    return int(server.server_address[1])
