"""Where the partitions end that a consumer reads, and how far behind that it is. Does no I/O."""

from collections.abc import Iterable

from confluent_kafka import Consumer, TopicPartition


class Ends:
    """The ends of one topic's partitions, as their consumer last heard of them.

    Args:
        topic: whose partitions are read.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._reached: dict[int, int] = {}  # where the log ended when all of it was read

    def reach(self, consumer: Consumer, number: int) -> None:
        """Note that all of a partition was read."""
        self._reached[number] = _end(consumer, TopicPartition(self._topic, number))

    def leave(self, numbers: Iterable[int]) -> None:
        """Note that partitions are read on, or elsewhere."""
        for number in numbers:
            self._reached.pop(number, None)

    def lag(self, consumer: Consumer, numbers: Iterable[int]) -> dict[int, int]:
        """Return how many offsets each partition is behind its end.

        What an open transaction holds up counts, if it came behind what was read.
        """
        lags = {}
        for position in consumer.position([TopicPartition(self._topic, one) for one in numbers]):
            # Past the last record only transaction markers may lie; these are not behind.
            done = self._reached.get(position.partition, position.offset)
            behind = _end(consumer, position) - done
            lags[position.partition] = max(behind, 0) if done >= 0 else 0
        return lags


def _end(consumer: Consumer, partition: TopicPartition) -> int:
    _, end = consumer.get_watermark_offsets(partition, cached=True)
    return end
