"""Reads here and there in many topics, for those who look for few records. Does I/O.

`LogReader` makes a consumer for each range; here they are kept, because a search asks for dozens.
Values are shown to the asker before anything else of a record is unpacked: that costs most.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from confluent_kafka import Consumer, IsolationLevel, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicMetadata

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.kafka.connection import (
    MAX_MESSAGE_BYTES,
    connect,
    properties,
    reader_properties,
)
from loyaltystream.kafka.errors import translate, translated
from loyaltystream.kafka.offsets import list_offsets
from loyaltystream.kafka.reading import (
    POLL_S,
    REACH_S,
    TIMEOUT_S,
    is_end,
    take,
    to_record,
)

Span = tuple[str, int, int, int]
"""Topic, partition, first offset, and the offset after the last."""

Kind = tuple[int | str, ...]
"""What a kept consumer is good for: how much it fetches, and of which topics. It takes a second to
notice that it reads another one (seen)."""

_PAUSE_S: Final = 0.05
_NEAR_BYTES: Final = 262_144


class LogSearcher:
    """Reads committed records of any topics.

    Args:
        kafka: where the broker is.
        timeout_s: how long a silent broker is waited for.
    """

    def __init__(self, kafka: KafkaSettings, *, timeout_s: float = TIMEOUT_S) -> None:
        self._kafka = kafka
        self._timeout_s = timeout_s
        self._admin = connect(AdminClient, properties(kafka))
        self._kept: dict[Kind, list[Consumer]] = {}

    def bounds(self, topics: Sequence[str]) -> dict[str, dict[int, tuple[int, int]]]:
        """Return for each partition of each topic its first retained and last stable offset.

        Raises:
            BrokerError: if a topic is not there or the broker does not answer.
        """
        # A cluster may have thousands: whoever asks for one again and again is told of that one.
        only = topics[0] if len(topics) == 1 else None
        doing = f"asking {self._kafka.bootstrap_servers} for its topics"
        with translated(doing):
            found = self._admin.list_topics(only, timeout=REACH_S).topics
        if missing := sorted(topic for topic in {*topics} if _is_missing(found.get(topic))):
            raise FatalBrokerError(
                f"no topic {', '.join(missing)}; `loyaltystream init` makes the topics"
            )
        for topic in topics:
            if (error := found[topic].error) is not None:
                raise translate(error, doing)
        places = [TopicPartition(topic, one) for topic in topics for one in found[topic].partitions]
        first = self._offsets(places, OffsetSpec.earliest())
        last = self._offsets(places, OffsetSpec.latest())
        bounds: dict[str, dict[int, tuple[int, int]]] = {topic: {} for topic in topics}
        for place in places:
            slot = place.topic, place.partition
            bounds[place.topic][place.partition] = first[slot], last[slot]
        return bounds

    def settled_bounds(self, topic: str) -> dict[int, tuple[int, int]]:
        """Return a topic's bounds once everything that was written by now is stable.

        Raises:
            BrokerError: if that takes too long, or the broker does not answer.
        """
        places = [TopicPartition(topic, one) for one in self.bounds([topic])[topic]]
        written = self._offsets(places, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline:
            bounds = self.bounds([topic])[topic]
            if all(bounds[one.partition][1] >= written[topic, one.partition] for one in places):
                return bounds
            time.sleep(_PAUSE_S)
        raise RetryableBrokerError(f"a transaction on {topic} stays open; try again later")

    def scan(
        self, spans: Sequence[Span], wants: Callable[[str, bytes], bool]
    ) -> Iterator[tuple[str, Record]]:
        """Yield the records whose topic and value are wanted, of all spans side by side.

        Raises:
            BrokerError: if the broker does not answer for a while.
        """
        return self._read(spans, wants, MAX_MESSAGE_BYTES)

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the records of one partition in [start, end); cheap for whoever takes few.

        Raises:
            BrokerError: if the broker does not answer for a while.
        """
        span = topic, partition, start, end
        for _, record in self._read([span], lambda _topic, _value: True, _NEAR_BYTES):
            yield record

    def close(self) -> None:
        """Let go of the broker."""
        kept, self._kept = self._kept, {}
        for consumers in kept.values():
            for consumer in consumers:
                consumer.close()

    def _read(
        self,
        spans: Sequence[Span],
        wants: Callable[[str, bytes], bool],
        fetch_bytes: int,
    ) -> Iterator[tuple[str, Record]]:
        ends = {(topic, one): end for topic, one, start, end in spans if start < end}
        if not ends:
            return
        kept = self._kept.setdefault((fetch_bytes, *sorted({topic for topic, _ in ends})), [])
        consumer = kept.pop() if kept else self._consumer(fetch_bytes)
        try:
            consumer.assign([TopicPartition(*span[:3]) for span in spans if span[2] < span[3]])
            yield from self._until(consumer, ends, wants)
        finally:
            consumer.unassign()
            kept.append(consumer)

    def _until(
        self,
        consumer: Consumer,
        ends: dict[tuple[str, int], int],
        wants: Callable[[str, bytes], bool],
    ) -> Iterator[tuple[str, Record]]:
        """Read until every end is reached; what lies beyond one is passed over."""
        silent_s = 0.0
        while ends and silent_s < self._timeout_s:
            messages = take(consumer)
            silent_s = 0.0 if messages else silent_s + POLL_S
            for message in messages:
                at_end = is_end(message)
                topic, offset = message.topic() or "", message.offset() or 0
                slot = topic, message.partition() or 0
                if (end := ends.get(slot)) is None:
                    continue
                if not at_end and offset < end and wants(topic, message.value() or b""):
                    yield topic, to_record(message)
                if offset >= end or (not at_end and offset == end - 1):
                    del ends[slot]
        if ends:
            named = ", ".join(f"{topic}/{partition}" for topic, partition in ends)
            raise RetryableBrokerError(f"reading {named}: nothing came for {self._timeout_s:.0f} s")

    def _offsets(
        self,
        places: Sequence[TopicPartition],
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> dict[tuple[str, int], int]:
        return list_offsets(self._admin, places, spec, isolation, self._timeout_s)

    def _consumer(self, fetch_bytes: int) -> Consumer:
        return connect(
            Consumer,
            reader_properties(
                self._kafka,
                # The end of a partition is told by an empty fetch, by default after 0.5 s.
                fetch_wait_max_ms=10,
                fetch_message_max_bytes=fetch_bytes,
                # Whoever takes few records does not want thousands more fetched behind them.
                queued_min_messages=1 if fetch_bytes < MAX_MESSAGE_BYTES else 100_000,
                # By default a queue that is full enough puts off the next fetch for a second, also
                # that of another offset: a search of 25 steps took 25 s (seen).
                fetch_queue_backoff_ms=0,
            ),
        )


def _is_missing(found: TopicMetadata | None) -> bool:
    return found is None or (
        found.error is not None and found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    )
