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

    def deltas(self, partition: int) -> Iterator[bytes]:
        """Yield all committed records of a partition, oldest first.

        Raises:
            RetryableBrokerError: if a transaction is open there: what it hides may be committed.
            BrokerError: if they can't be read.
        """
        needed = self._reader.high_watermark(self._topic, partition)
        start, end = self._reader.bounds(self._topic)[partition]
        if end < needed:
            raise RetryableBrokerError(
                f"{self._topic}/{partition} is {needed} long and stable up to {end}: a transaction "
                f"is open there, and is waited for"
            )
        for record in self._reader.records(self._topic, partition, start, end):
            yield record.value or b""
