"""What a search needs of the topics. Pure.

`loyaltystream.kafka.searching.LogSearcher` is the log of a real broker.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from loyaltystream.events import Record

Bounds = Mapping[int, tuple[int, int]]
"""Per partition the first retained offset and the last stable one."""


class Log(Protocol):
    """All topics as a read_committed consumer sees them."""

    def bounds(self, topics: Sequence[str]) -> Mapping[str, Bounds]:
        """Return the bounds of each topic."""

    def scan(
        self, spans: Sequence[tuple[str, int, int, int]], wants: Callable[[str, bytes], bool]
    ) -> Iterator[tuple[str, Record]]:
        """Yield the records whose topic and value are wanted, each partition in order.

        A span is a topic, a partition, a first offset and the offset after the last.
        """

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the records of one partition with offsets in [start, end)."""
