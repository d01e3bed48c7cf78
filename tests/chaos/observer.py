"""Reads along, read committed, while everything breaks: what it saw has to stay.

Invariant 3 of reliability.md, no dirty reads. Does I/O: one consumer, in a thread.
"""

import threading
from collections.abc import Iterable, Sequence

from confluent_kafka import TopicPartition

from tests.chaos.load import Place
from tests.chaos.reading import Row, consumer, to_row


class Observer:
    """Follows topics from their beginning.

    Args:
        bootstrap: the broker, past the proxy.
        topics: names.
        partitions: of each.
    """

    def __init__(self, bootstrap: str, topics: Sequence[str], partitions: int) -> None:
        self._seen: dict[tuple[str, Place], int] = {}
        self._ended = threading.Event()
        self._consumer = consumer(bootstrap)
        self._consumer.assign(
            [TopicPartition(topic, number, 0) for topic in topics for number in range(partitions)]
        )
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self._thread.start()

    def contradictions(self, rows: Iterable[Row]) -> list[str]:
        """End, and return what was seen of the rows' topics and is not, or not so, among them."""
        self._ended.set()
        self._thread.join(10)
        there = {(row.topic, (row.partition, row.offset)): _digest(row) for row in rows}
        return [
            f"seen and gone, or changed: {topic}/{place[0]}/{place[1]}"
            for (topic, place), seen in self._seen.items()
            if there.get((topic, place)) != seen
        ]

    @property
    def sights(self) -> int:
        """How many records were seen."""
        return len(self._seen)

    def _run(self) -> None:
        while not self._ended.is_set():
            for message in self._consumer.consume(1_000, 0.2):
                if message.error() is None:
                    row = to_row(message)
                    self._seen[row.topic, (row.partition, row.offset)] = _digest(row)
        self._consumer.close()


def _digest(row: Row) -> int:
    return hash((row.key, row.value, row.headers, row.timestamp_ms))
