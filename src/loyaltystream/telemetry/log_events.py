"""Every event that a worker, the gateway or the definitions service logs. Does I/O: logs.

A line never holds an event's payload or a customer's identifier: what is logged are counts, topics,
partitions, offsets and reasons. What each line means and asks for: docs/logs.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from loyaltystream.log_event import Level, said_by


def _say(level: Level, name: str, fields: Mapping[str, Any]) -> None:
    getattr(structlog.get_logger(), level)(name, **fields)


_event = said_by(_say)


@_event("worker.started", "info")
def worker_started(*, version: str, metrics: str) -> None:
    """A worker is put together, and joins its group."""


@_event("worker.stopped", "info")
def worker_stopped() -> None:
    """A worker has ended as it was told to."""


@_event("worker.left", "warning", "a successor settles the transaction")
def worker_left(*, why: str) -> None:
    """A worker that was told to stop has not come to its end, and goes without."""


@_event("partitions.assigned", "info")
def partitions_assigned(*, partitions: Sequence[int]) -> None:
    """The partitions of a worker have changed; these are all that it has now."""


@_event("definitions.heard", "info")
def definitions_heard(*, revision: int, events: int) -> None:
    """Events are judged by another revision of the topic of definitions from now on."""


@_event("broker.awaited", "warning", "trying again until it is back")
def broker_awaited(*, why: str) -> None:
    """What a worker needs of the broker or the registry is not to be had, and is waited for."""


@_event("transaction.aborted", "warning", "its events are judged again")
def transaction_aborted(*, why: str) -> None:
    """A transaction did not commit."""


@_event("producer.replaced", "warning")
def producer_replaced(*, why: str) -> None:
    """A producer was given up for a new one, which has settled its transaction."""


@_event("offsets.forgotten", "warning", "going on behind the last event that has an output")
def offsets_forgotten(*, partition: int, offset: int) -> None:
    """The group has no offset in a partition though it has worked there."""


@_event("memory.restored", "info")
def memory_restored(*, partition: int, source: str, seconds: float) -> None:
    """What is remembered of a partition was read."""


@_event(
    "memory.not_mapped",
    "warning",
    "it stays in memory, beyond memory.max_bytes; it is tried again in a minute",
)
def memory_not_mapped(*, partition: int, why: str) -> None:
    """What is remembered of a partition could not be laid into files."""


@_event("snapshot.written", "info")
def snapshot_written(*, partition: int, bytes: int) -> None:  # noqa: A002 (the field's name)
    """A snapshot is on the disk."""


@_event(
    "snapshot.failed",
    "warning",
    "the work goes on, the changelog has everything; it is tried again in a minute",
)
def snapshot_failed(*, partition: int, why: str) -> None:
    """A snapshot could not be written."""


@_event("snapshot.refused", "warning", "an older one is read, or the whole changelog")
def snapshot_refused(*, partition: int, snapshot: str, why: str) -> None:
    """A snapshot is passed over at a restart."""


@_event(
    "letters.uncounted",
    "warning",
    "the work goes on; the backlog keeps its last numbers, and is counted again in seconds",
)
def letters_uncounted(*, why: str) -> None:
    """The dead letters that wait could not be counted."""


@_event("spans.lost", "warning", "the work goes on; what comes is traced")
def spans_lost(*, spans: int, why: str) -> None:
    """Traces have gaps: so many spans since the last time were not written."""


@_event("events.refused", "warning", "their producers send them again")
def events_refused(*, why: str) -> None:
    """The gateway could not write events."""


@_event("questions.refused", "warning", "whoever asked asks again")
def questions_refused(*, why: str) -> None:
    """The gateway could not tell what became of an event."""


@_event("definitions.awaited", "warning", "the last known ones stay in use")
def definitions_awaited(*, why: str) -> None:
    """The gateway could not ask for the definitions in force."""


@_event("requests.refused", "warning", "whoever asked asks again")
def requests_refused(*, why: str) -> None:
    """The definitions service could not read or write its topic."""
