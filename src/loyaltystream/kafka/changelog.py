"""Reads the memory's own log. Does I/O."""

from collections.abc import Iterator

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.reading import LogReader


class ChangelogReader:
    """The changelog topic, partition by partition.

    Args:
        reader: reads committed records only.
        topic: the changelog's name.
    """

    def __init__(self, reader: LogReader, topic: str) -> None:
        self._reader = reader
        self._topic = topic

    def deltas(self, partition: int, start: int = 0) -> Iterator[bytes]:
        """Yield the committed records of a partition from an offset on, oldest first.

        Raises:
            RetryableBrokerError: if a transaction is open there: what it hides may be committed.
            BrokerError: if they can't be read.
        """
        needed = self._reader.high_watermark(self._topic, partition)
        first, end = self._reader.bounds(self._topic)[partition]
        if end < needed:
            raise RetryableBrokerError(
                f"{self._topic}/{partition} is {needed} long and stable up to {end}: a transaction "
                f"is open there, and is waited for"
            )
        yield from self._values(partition, max(start, first), end)

    def settled(self, partition: int, start: int = 0) -> Iterator[bytes]:
        """Yield the committed records of a partition as far as they are stable, oldest first.

        Raises:
            BrokerError: if they can't be read.
        """
        first, end = self._reader.settled_bounds(self._topic)[partition]
        yield from self._values(partition, max(start, first), end)

    def end(self, partition: int) -> int:
        """Return an offset that no record written from now on lies before.

        Raises:
            BrokerError: if the broker does not answer.
        """
        # Open transactions' records lie before it too: theirs is not what is asked for.
        return self._reader.high_watermark(self._topic, partition)

    def _values(self, partition: int, start: int, end: int) -> Iterator[bytes]:
        for record in self._reader.records(self._topic, partition, start, end):
            yield record.value or b""
