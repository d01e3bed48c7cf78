"""Reads topics outside any group: what is committed, from where to where.

Does I/O. Every reader is read_committed, so what an open or aborted transaction wrote is not there.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import methodcaller
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    IsolationLevel,
    KafkaError,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.events import Header, Record
from loyaltystream.kafka.connection import connect, properties, reader_properties
from loyaltystream.kafka.errors import translate, translated
from loyaltystream.kafka.offsets import committed_offsets, list_offsets
from loyaltystream.kafka.patience import repeat

TIMEOUT_S: Final = 30.0
REACH_S: Final = 5.0
"""How long a broker is looked for: a worker that looks can't be told to stop meanwhile."""

POLL_S: Final = 0.2
_FETCH: Final = 2_000
_PAUSE_S: Final = 0.05

# Called this way the client's failure is raised here; CPython's specialised call lets it through to
# the next one.
_ask_headers: Final = methodcaller("headers")

Bounds = Mapping[int, tuple[int, int]]


class LogReader:
    """Reads committed records of any topic.

    Args:
        kafka: where the broker is.
        timeout_s: how long a silent broker is waited for.
        removed: what comes of an offset that retention has removed: `earliest` goes on at the first
            that is there, `error` raises.
    """

    def __init__(
        self, kafka: KafkaSettings, *, timeout_s: float = TIMEOUT_S, removed: str = "earliest"
    ) -> None:
        self._kafka = kafka
        self._timeout_s = timeout_s
        self._removed = removed
        self._admin = connect(AdminClient, properties(kafka))

    def partitions(self, topic: str) -> int:
        """Return how many partitions the topic has.

        This also has the client learn their leaders anew: without it, offsets are asked for under
        the epoch of a leader from before the broker's last restart, and refused (seen).

        Raises:
            FatalBrokerError: if there is no such topic.
            BrokerError: if the broker does not answer.
        """
        doing = f"looking for topic {topic} at {self._kafka.bootstrap_servers}"
        with translated(doing):
            found = self._admin.list_topics(topic, timeout=REACH_S).topics[topic]
        if found.error is None:
            return len(found.partitions)
        if found.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise translate(found.error, doing)
        raise FatalBrokerError(
            f"topic {topic}: {found.error.str()}; `loyaltystream init` makes the topics"
        )

    def topic_id(self, topic: str) -> str:
        """Return the topic's own id, which one that is made anew under its name does not have.

        Raises:
            BrokerError: if the topic is not there or the broker does not answer.
        """
        with translated(f"asking for the id of {topic}"):
            asked = self._admin.describe_topics(
                TopicCollection([topic]), request_timeout=self._timeout_s
            )
            return str(asked[topic].result().topic_id)

    def bounds(self, topic: str) -> Bounds:
        """Return for each partition its first retained offset and its last stable offset.

        Raises:
            BrokerError: if the topic is not there or the broker does not answer.
        """
        partitions = [TopicPartition(topic, number) for number in range(self.partitions(topic))]
        first = self._list(partitions, OffsetSpec.earliest())
        last = self._list(partitions, OffsetSpec.latest())
        return {number: (first[number], last[number]) for number in first}

    def settled_bounds(self, topic: str) -> Bounds:
        """Return the bounds once everything that was written by now is stable, or after a while.

        A commit is told before its markers lie in every partition: until then its records hide.

        Raises:
            BrokerError: if the topic is not there or the broker does not answer.
        """
        partitions = [TopicPartition(topic, number) for number in range(self.partitions(topic))]
        written = self._list(partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)
        deadline = time.monotonic() + self._timeout_s
        while True:
            bounds = self.bounds(topic)
            settled = all(bounds[number][1] >= end for number, end in written.items())
            if settled or time.monotonic() > deadline:
                return bounds
            time.sleep(_PAUSE_S)

    def offset_at(self, topic: str, partition: int, moment_ms: int) -> int:
        """Return the offset of the first record at or after a moment, or the end.

        Raises:
            BrokerError: if the topic is not there or the broker does not answer.
        """
        self.partitions(topic)
        asked = {TopicPartition(topic, partition): OffsetSpec.for_timestamp(moment_ms)}
        with translated(f"looking for {moment_ms} in {topic}/{partition}"):
            answers = self._admin.list_offsets(asked, request_timeout=self._timeout_s)
            offset = next(iter(answers.values())).result().offset
        return int(offset) if offset >= 0 else self.bounds(topic)[partition][1]

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the committed records of one partition with offsets in [start, end).

        Offsets have gaps where transaction markers and aborted records lie.

        Raises:
            BrokerError: if the broker does not answer for `timeout_s`.
        """
        if start >= end:
            return
        consumer = self._consumer()
        try:
            consumer.assign([TopicPartition(topic, partition, start)])
            yield from self._until(consumer, end, f"reading {topic}/{partition} up to {end}")
        finally:
            consumer.close()

    def follow(
        self, topics: Sequence[str], *, oldest: bool, stopping: Callable[[], bool]
    ) -> Iterator[tuple[str, Record]]:
        """Yield records of all partitions as they get committed, with their topic.

        Args:
            topics: what to read.
            oldest: whether to begin with what is retained, rather than with what comes.
            stopping: asked a few times a second.
        """
        start = OFFSET_BEGINNING if oldest else OFFSET_END
        consumer = self._consumer()
        try:
            consumer.assign(
                [
                    TopicPartition(topic, partition, start)
                    for topic in topics
                    for partition in range(self.partitions(topic))
                ]
            )
            while not stopping():
                for message in take(consumer):
                    if not is_end(message):
                        yield message.topic() or "", to_record(message)
        finally:
            consumer.close()

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return the group's stable committed offsets; no entry where it never committed.

        An offset inside an open transaction is waited for.

        Raises:
            BrokerError: if the broker does not answer, or a transaction stays open.
        """
        asked = [TopicPartition(topic, number) for number in range(self.partitions(topic))]
        consumer = self._consumer(group_id=group)
        try:
            # Behind a broker's restart the group's coordinator may not be there yet.
            return repeat(
                lambda timeout_s: committed_offsets(consumer.committed(asked, timeout=timeout_s)),
                f"reading the committed offsets of group {group} on {topic}",
                time.monotonic() + self._timeout_s,
            )
        finally:
            consumer.close()

    def high_watermark(self, topic: str, partition: int) -> int:
        """Return the offset after the last record, open transactions' included.

        Raises:
            BrokerError: if the topic is not there or the broker does not answer.
        """
        self.partitions(topic)
        asked = [TopicPartition(topic, partition)]
        return self._list(asked, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)[partition]

    def _list(
        self,
        partitions: Sequence[TopicPartition],
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> dict[int, int]:
        found = list_offsets(self._admin, partitions, spec, isolation, self._timeout_s)
        return {partition: offset for (_, partition), offset in found.items()}

    def _consumer(self, **own: str) -> Consumer:
        # The end of a partition is told by an empty fetch, by default after 0.5 s.
        own = {"auto_offset_reset": self._removed, **own}
        return connect(Consumer, reader_properties(self._kafka, fetch_wait_max_ms=20, **own))

    def _until(self, consumer: Consumer, end: int, doing: str) -> Iterator[Record]:
        silent_s = 0.0
        while silent_s < self._timeout_s:
            messages = take(consumer)
            silent_s = 0.0 if messages else silent_s + POLL_S
            for message in messages:
                at_end = is_end(message)
                if (offset := message.offset()) is None:
                    continue
                if not at_end and offset < end:
                    yield to_record(message)
                if offset >= end or (not at_end and offset == end - 1):
                    return
        raise RetryableBrokerError(f"{doing}: nothing came for {self._timeout_s:.0f} s")


def take(consumer: Consumer) -> list[Message]:
    """Return what is there, or what comes first within `POLL_S`; never waits for more."""
    first = consumer.poll(POLL_S)
    return [] if first is None else [first, *consumer.consume(_FETCH, 0)]


def to_record(message: Message) -> Record:
    """Return a message as a value of ours.

    It has no headers where one has a name that is not UTF-8: the client cannot say such a name, and
    fails in a way of its own.
    """
    kind, timestamp_ms = message.timestamp()
    try:
        headers: Sequence[Header] = _ask_headers(message) or ()
    except (SystemError, UnicodeDecodeError):
        headers = ()
    return Record(
        message.partition() or 0,
        message.offset() or 0,
        timestamp_ms if kind else -1,
        message.key(),
        message.value(),
        headers,
    )


def is_end(message: Message) -> bool:
    """Say whether this is the end of a partition rather than a record.

    Raises:
        BrokerError: if it is an error.
    """
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 (public, underscored by librdkafka)
        return True
    raise translate(error, f"reading {message.topic()}/{message.partition()}")
