"""Reads the memory's own log. Does I/O."""

from collections.abc import Callable, Iterator
from typing import Final

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.reading import LogReader

Progress = Callable[[int, int], None]
"""Told, now and then, how many offsets of a partition's changelog are still to be read."""

_TELL_EVERY: Final = 200


def _untold(_partition: int, _pending: int) -> None:
    """Nobody wants to know."""


class ChangelogReader:
    """The changelog topic, partition by partition.

    Args:
        reader: reads committed records only.
        topic: the changelog's name.
        progress: told how far reading is.
    """

    def __init__(self, reader: LogReader, topic: str, progress: Progress = _untold) -> None:
        self._reader = reader
        self._progress = progress
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
        records = self._reader.records(self._topic, partition, start, end)
        for number, record in enumerate(records):
            if number % _TELL_EVERY == 0:
                self._progress(partition, end - record.offset)
            yield record.value or b""
        self._progress(partition, 0)
