"""How far stage notify came in a partition, as its outputs tell. Does I/O through its log.

A broker may forget what a group committed: Kafka 4.2.0, killed and started again, has answered that
a group had never read anything, though its log had every offset: for some seconds its coordinator
had loaded nothing of that ("out of sync with the underlying log"). Stage ingest has its changelog
then; stage notify would begin anew, and notify everybody again. But each of its outputs names its
cause, and a transaction has all of a batch or nothing of it: the last cause and all before it are
done. What lies between that and the forgotten offset caused nothing, and will cause nothing again.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Protocol

from loyaltystream.audit.source import source_of
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.stage import FreshStart
from loyaltystream.times import SKEW_MS
from loyaltystream.topology import Topics


class Log(Protocol):
    """Topics as a read_committed consumer sees them."""

    def partitions(self, topic: str) -> int:
        """Return how many partitions the topic has."""

    def settled_bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return per partition the first retained offset and the end, once that is stable."""

    def high_watermark(self, topic: str, partition: int) -> int:
        """Return the offset after the last record, open transactions' included."""

    def offset_at(self, topic: str, partition: int, moment_ms: int) -> int:
        """Return the offset of the first record at or after a moment, or the end."""

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the committed records from `start` up to, not including, `end`."""


class Reached:
    """Looks for the last cause in each partition; what was read once is not read again.

    Args:
        log: the topics.
        topics: their names.
    """

    def __init__(self, log: Log, topics: Topics) -> None:
        self._log = log
        self._topics = topics
        self._next: dict[int, int] = {}
        self._read_to: dict[tuple[str, int], int] = {}

    def in_partition(self, partition: int) -> int | None:
        """Return the offset behind the last cause, or None if nothing there caused anything yet.

        Raises:
            BrokerError: if the topics can't be read.
        """
        first, end = self._log.settled_bounds(self._topics.emf)[partition]
        if first == end:
            return None
        for topic in (self._topics.notifications, self._topics.dead_letter):
            for number, stable in self._stable_ends(topic).items():
                self._read(topic, number, stable)
        return self._next.get(partition)

    def _stable_ends(self, topic: str) -> Mapping[int, int]:
        """Return the end of each partition, with all in it that was written by now."""
        written = {
            number: self._log.high_watermark(topic, number)
            for number in range(self._log.partitions(topic))
        }
        ends = {number: end for number, (_, end) in self._log.settled_bounds(topic).items()}
        for number, needed in written.items():
            if ends[number] < needed:
                raise RetryableBrokerError(
                    f"{topic}/{number} is {needed} long and stable up to {ends[number]}: a "
                    f"transaction is open there, and is waited for"
                )
        return ends

    def _read(self, topic: str, number: int, end: int) -> None:
        start = self._read_to.get((topic, number))
        if start is None:
            start = self._log.offset_at(topic, number, self._oldest_ms)
        for record in self._log.records(topic, number, start, end):
            source = source_of(record.headers)
            if source is not None and source.topic == self._topics.emf:
                behind = source.offset + 1
                self._next[source.partition] = max(behind, self._next.get(source.partition, 0))
        self._read_to[topic, number] = max(start, end)

    @cached_property
    def _oldest_ms(self) -> int:
        """When the oldest event there is was routed: nothing was caused before."""
        moments = [
            record.timestamp_ms
            for number, span in self._log.settled_bounds(self._topics.emf).items()
            if (record := next(self._log.records(self._topics.emf, number, *span), None))
        ]
        return max(min(moments, default=0) - SKEW_MS, 0)


def going_on(reached: Reached, start: FreshStart, told: Callable[[int, int], None]) -> FreshStart:
    """Return where a group begins that has no offset: behind its outputs, or where it would.

    Args:
        reached: finds out.
        start: says where to begin if there are none.
        told: hears of a partition whose offset was forgotten, and where it goes on.
    """

    def begin(partition: int) -> int:
        offset = reached.in_partition(partition)
        if offset is None:
            return start(partition)
        told(partition, offset)
        return offset

    return begin
