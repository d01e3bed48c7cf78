"""Reads the memory's own log. Does I/O."""

from collections.abc import Iterator

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
            BrokerError: if they can't be read.
        """
        start, end = self._reader.bounds(self._topic)[partition]
        for record in self._reader.records(self._topic, partition, start, end):
            yield record.value or b""
