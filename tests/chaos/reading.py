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
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

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


def consumer(bootstrap: str, **own: str) -> Consumer:
    """Return a reader of committed records that joins no group; `own` has underscores for dots."""
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
            **{name.replace("_", "."): value for name, value in own.items()},
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

    By consumers: an admin client that has seen its broker restart answers nothing more, or crashes
    (both seen, librdkafka 2.16).

    Args:
        bootstrap: the broker, past any proxy.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._readers: dict[str, Consumer] = {}
        self._groups: dict[str, Consumer] = {}

    def stable(self, topic: str, partitions: int) -> dict[int, int]:
        """Return the last stable offsets."""
        return self._ends("read_committed", topic, partitions)

    def written(self, topic: str, partitions: int) -> dict[int, int]:
        """Return the high watermarks: the ends of all that is written, open or not."""
        return self._ends("read_uncommitted", topic, partitions)

    def _ends(self, isolation: str, topic: str, partitions: int) -> dict[int, int]:
        if isolation not in self._readers:
            self._readers[isolation] = consumer(self._bootstrap, isolation_level=isolation)
        asked, found = self._readers[isolation], {}
        try:
            for number in range(partitions):
                place = TopicPartition(topic, number)
                _, found[number] = asked.get_watermark_offsets(place, _TIMEOUT_S)
        except KafkaException:
            # It may know leaders from before a restart only, whom the broker refuses for long.
            self._readers.pop(isolation).close()
            raise
        return found

    def open_partitions(self, topics: Iterable[str], partitions: int) -> list[str]:
        """Return the partitions in which something is not stable."""
        found = []
        for topic in topics:
            written, stable = self.written(topic, partitions), self.stable(topic, partitions)
            found += [f"{topic}/{number}" for number in written if stable[number] < written[number]]
        return found

    def committed(self, group: str, topic: str, partitions: int) -> dict[int, int]:
        """Return a group's stable committed offsets; no entry where there is none."""
        if group not in self._groups:
            self._groups[group] = consumer(self._bootstrap, group_id=group)
        asked = [TopicPartition(topic, number) for number in range(partitions)]
        answers = self._groups[group].committed(asked, timeout=_TIMEOUT_S)
        return {
            one.partition: one.offset for one in answers if one.error is None and one.offset >= 0
        }

    def remove(self, topics: Sequence[str]) -> None:
        """Delete topics."""
        admin = AdminClient({"bootstrap.servers": self._bootstrap, "log_level": 0})
        for future in admin.delete_topics(list(topics)).values():
            future.result(2 * _TIMEOUT_S)

    def close(self) -> None:
        """Let go of the connections."""
        for one in (*self._readers.values(), *self._groups.values()):
            one.close()
