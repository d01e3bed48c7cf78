"""What the audit needs from the outside: committed records, committed offsets, notify's plan. Pure.

`loyaltystream.kafka.reading.LogReader` is the log of a real broker.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from loyaltystream.events import Record
from loyaltystream.topology import Output


class Log(Protocol):
    """All topics as a read_committed consumer sees them."""

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has; 0: there is no such topic."""

    def settled_bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return per partition the first retained offset and the last stable offset.

        The latter lies behind everything that was written when it was asked for, or was waited for.
        """

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the committed records from `start` up to, not including, `end`.

        Offsets have gaps where control markers and aborted records are.
        """

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        """Return a group's stable committed offsets; a partition without one is left out."""


class Deriver(Protocol):
    """Says what `EMFConsumer` records must cause: notifications, and letters of stage notify."""

    def __call__(self, records: Sequence[Record]) -> Iterable[Output]:
        """Return all outputs of these records, each with its `src` header."""


class Groups(msgspec.Struct, frozen=True):
    """The consumer groups whose committed offsets bound the audit; None: no such stage runs."""

    ingest: str
    notify: str | None = None
