"""What topics hold, as any stock client reads it. Does I/O: plain clients, nothing of ours.

Read committed, from the first record to the last stable offset.
"""

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import fastavro
import fastavro.schema
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

_SCHEMAS: Final = Path(__file__).parents[2] / "schemas"
_TIMEOUT_S: Final = 10.0
_SILENCE: Final = 300  # looks of 0.1 s


class Row(NamedTuple):
    """One committed record."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str:
        """Return a header's text, or nothing."""
        return next((value.decode() for key, value in self.headers if key == name), "")


class Source(NamedTuple):
    """What a `src` header says."""

    topic: str
    partition: int
    offset: int
    ordinal: int
    generation: int


def source_of(row: Row) -> Source | None:
    """Return which record caused this one; None: nobody of ours wrote it."""
    text = row.header("src")
    if not text:
        return None
    topic, partition, offset, ordinal, generation = text.rsplit("/", 4)
    return Source(topic, int(partition), int(offset), int(ordinal), int(generation))


def to_row(message: Message) -> Row:
    """Return a message as a row."""
    named: Any = message.headers() or ()  # its type admits forms that no message comes in
    headers = tuple((name, value or b"") for name, value in named)
    return Row(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.key(),
        message.value(),
        headers,
    )


def consumer(bootstrap: str) -> Consumer:
    """Return a reader of committed records, outside any group."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "chaos.reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
    )


def read(bootstrap: str, topic: str, partitions: int) -> list[Row]:
    """Return all committed records of a topic, each partition's in order.

    Raises:
        TimeoutError: if the broker falls silent before the end.
    """
    reader = consumer(bootstrap)
    reader.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    rows: list[Row] = []
    ended: set[int | None] = set()
    silent = 0
    while len(ended) < partitions:
        messages = reader.consume(5_000, 0.1)
        silent = 0 if messages else silent + 1
        if silent > _SILENCE:
            raise TimeoutError(f"{topic} falls silent before its end")
        for message in messages:
            error = message.error()
            if error is None:
                rows.append(to_row(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    reader.close()
    return sorted(rows, key=lambda row: (row.partition, row.offset))


def avro_reader(name: str) -> Callable[[bytes | None], Any]:
    """Return what reads framed Avro values, by the schema of that name in the repository."""
    schema = fastavro.schema.load_schema(str(_SCHEMAS / f"{name}.avsc"))

    def decode(framed: bytes | None) -> Any:
        return fastavro.schemaless_reader(BytesIO((framed or b"")[5:]), schema, None)

    return decode


class Ends:
    """Where topics end and groups are, asked of the broker straight.

    Args:
        bootstrap: the broker, past any proxy.
    """

    def __init__(self, bootstrap: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def stable(self, topic: str, partitions: int) -> dict[int, int]:
        """Return the last stable offsets."""
        return self._list(topic, partitions, IsolationLevel.READ_COMMITTED)

    def written(self, topic: str, partitions: int) -> dict[int, int]:
        """Return the high watermarks: the ends of all that is written, open or not."""
        return self._list(topic, partitions, IsolationLevel.READ_UNCOMMITTED)

    def open_partitions(self, topics: Iterable[str], partitions: int) -> list[str]:
        """Return the partitions in which something is not stable."""
        return [
            f"{topic}/{number}"
            for topic in topics
            for number, end in self.written(topic, partitions).items()
            if self.stable(topic, partitions)[number] < end
        ]

    def committed(self, group: str, topic: str, partitions: int) -> dict[int, int]:
        """Return a group's stable committed offsets; no entry where there is none."""
        asked = [TopicPartition(topic, number) for number in range(partitions)]
        futures = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group, asked)],
            require_stable=True,
            request_timeout=_TIMEOUT_S,
        )
        answer = futures[group].result()
        found = answer.topic_partitions or []
        return {one.partition: one.offset for one in found if one.error is None and one.offset >= 0}

    def remove(self, topics: Sequence[str]) -> None:
        """Delete topics."""
        for future in self._admin.delete_topics(list(topics)).values():
            future.result(_TIMEOUT_S)

    def _list(self, topic: str, partitions: int, isolation: IsolationLevel) -> dict[int, int]:
        # Else the client asks under leaders' epochs from before a restart of the broker.
        self._admin.list_topics(topic, timeout=_TIMEOUT_S)
        latest: Any = OffsetSpec  # not annotated
        asked = {TopicPartition(topic, number): latest.latest() for number in range(partitions)}
        answers = self._admin.list_offsets(
            asked, isolation_level=isolation, request_timeout=_TIMEOUT_S
        )
        return {where.partition: found.result().offset for where, found in answers.items()}
