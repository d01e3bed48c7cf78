"""Which records of a topic are shown: the last ones, all, and those that come.

Does I/O: reads through the log that it is given. What is read ends at the last stable offset, and
what comes is read from just there, so that nothing is shown twice or left out in between.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import chain
from operator import attrgetter
from typing import Final, Protocol

from loyaltystream.events import Record

MERGED_PARTITIONS: Final = 32
"""So many are read side by side, in the order of time; of more, one after the other."""

_MARGIN: Final = 16
_WIDER: Final = 8
_in_time = attrgetter("timestamp_ms")


class Records(Protocol):
    """The records of topics as a read_committed consumer sees them."""

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the committed records with offsets in [start, end)."""


class Log(Records, Protocol):
    """The same, with where they begin and end."""

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return for each partition its first retained offset and its last stable offset."""


class Tail:
    """One topic, and how far it was shown."""

    def __init__(self, log: Log, topic: str) -> None:
        self._log = log
        self._topic = topic
        self._next: dict[int, int] = {}

    def last(self, count: int) -> list[Record]:
        """Return the last records of all partitions together, in the order of time.

        Raises:
            BrokerError: if they can't be read.
        """
        bounds = self._log.bounds(self._topic)
        self._next = {number: end for number, (_, end) in bounds.items()}
        found: list[Record] = []
        for number, span in bounds.items():
            found += last_of(self._log, self._topic, number, span=span, count=count)
        return sorted(found, key=_in_time)[-count:] if count else []

    def every(self) -> Iterator[Record]:
        """Yield all records, in the order of time if there are few partitions.

        Raises:
            BrokerError: if they can't be read.
        """
        self._next = {}
        return self.new()

    def new(self) -> Iterator[Record]:
        """Yield the records behind those that were shown.

        Raises:
            BrokerError: if they can't be read.
        """
        spans = []
        for number, (first, end) in self._log.bounds(self._topic).items():
            start = max(self._next.get(number, first), first)
            # A topic that was made anew begins at 0.
            spans.append((number, start if start <= end else first, end))
            self._next[number] = end
        parts = [
            self._log.records(self._topic, number, start, end)
            for number, start, end in spans
            if start < end
        ]
        if len(parts) > MERGED_PARTITIONS:
            return chain.from_iterable(parts)
        return merge(*parts, key=_in_time)


def last_of(
    log: Records, topic: str, partition: int, *, span: tuple[int, int], count: int
) -> deque[Record]:
    """Return a partition's last records: markers between them make it look further back.

    Raises:
        BrokerError: if they can't be read.
    """
    first, end = span
    width = count + _MARGIN if count else 0
    while True:
        start = max(first, end - width)
        found = deque(log.records(topic, partition, start, end), maxlen=count)
        if len(found) == count or start == first:
            return found
        width *= _WIDER
