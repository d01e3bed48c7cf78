"""A compacted topic of one partition in memory, its readers and its writers. Does no I/O."""

from collections.abc import Sequence

from loyaltystream.errors import FatalBrokerError
from loyaltystream.events import Record
from loyaltystream.topology import Output


class MemoryTopic:
    """What is written, in order; nothing is compacted, which readers can't tell."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.writers = 0

    def append(self, key: bytes | None, value: bytes | None) -> None:
        """Write a record, as anybody can."""
        self.records.append(Record(0, len(self.records), -1, key, value))


class MemoryLog:
    """Reads a topic once; what was fetched is news, all that is there the rest.

    Attributes:
        away: raised instead of an answer, as while no broker is there.
    """

    def __init__(self, topic: MemoryTopic) -> None:
        self.away: Exception | None = None
        self._topic = topic
        self._fetched = self._read = 0

    def fetch(self) -> None:
        """Have the client fetch what is there."""
        self._fetched = len(self._topic.records)

    def news(self) -> list[Record]:
        """Return what was fetched and was not returned yet."""
        return self._take(self._fetched)

    def rest(self) -> list[Record]:
        """Return what is there and was not returned yet."""
        if self.away is not None:
            raise self.away
        return self._take(len(self._topic.records))

    def _take(self, end: int) -> list[Record]:
        taken = self._topic.records[self._read : end]
        self._read = max(self._read, end)
        return taken


class MemoryWriter:
    """Writes to a topic unless another one has opened it since."""

    def __init__(self, topic: MemoryTopic) -> None:
        self._topic = topic
        self._opened = 0

    def open(self) -> None:
        """Take the right to write from whoever has it."""
        self._topic.writers += 1
        self._opened = self._topic.writers

    def write(self, outputs: Sequence[Output]) -> None:
        """Write all records, or none."""
        if self._opened != self._topic.writers or not self._opened:
            raise FatalBrokerError("the writer is not open, or another one was opened since")
        for output in outputs:
            self._topic.append(output.key, output.value)
