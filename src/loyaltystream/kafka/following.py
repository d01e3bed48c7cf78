"""Reads a topic of one partition from its beginning to its end, and goes on. Does I/O."""

import time
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.kafka.connection import connect, reader_properties
from loyaltystream.kafka.errors import translate
from loyaltystream.kafka.reading import REACH_S, LogReader, to_record

_POLL_S: Final = 0.1
_FETCH: Final = 1_000
_FETCH_MS: Final = 100
_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 (public, underscored by librdkafka)
_LOST: Final = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001


class TopicFollower:
    """Returns every committed record of partition 0 once, in order.

    Args:
        kafka: where the broker is.
        topic: what is read.
        timeout_s: how long its end is waited for.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, *, timeout_s: float = REACH_S) -> None:
        self._topic = topic
        self._timeout_s = timeout_s
        self._reader = LogReader(kafka, timeout_s=timeout_s)
        self._reached = 0  # the offset behind all that was read, markers included
        self._consumer = connect(
            Consumer,
            reader_properties(
                kafka,
                auto_offset_reset="error",
                # A commit does not end a fetch that waits: by default it is heard 0.5 s later.
                fetch_wait_max_ms=_FETCH_MS,
                queued_max_messages_kbytes=1_024,
            ),
        )
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])

    def news(self) -> list[Record]:
        """Return what the client has fetched since the last call; never waits.

        A broker that is away has no news; what it has is heard later.

        Raises:
            FatalBrokerError: if the topic is not what it was.
        """
        return self._take(self._consumer.consume(_FETCH, 0))

    def rest(self) -> list[Record]:
        """Return everything that is committed by now and was not returned yet.

        Raises:
            RetryableBrokerError: if the broker does not answer in time; what it gave comes again.
            FatalBrokerError: if the topic is not what it was.
        """
        # Asked by another client: behind this one's open fetch the answer takes half a second.
        first, end = self._reader.bounds(self._topic)[0]
        records: list[Record] = []
        deadline = time.monotonic() + self._timeout_s
        while first < end and self._reached < end:
            message = self._consumer.poll(_POLL_S)
            if message is not None:
                records += self._take([message, *self._consumer.consume(_FETCH, 0)])
            elif time.monotonic() > deadline:
                self._begin_again(records)
                raise RetryableBrokerError(
                    f"reading {self._topic} to its end: is at {self._reached} of {end} after "
                    f"{self._timeout_s:.0f} s"
                )
        return records

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _take(self, messages: list[Message]) -> list[Record]:
        records = []
        for message in messages:
            error, offset = message.error(), message.offset() or 0
            if error is None:
                records.append(to_record(message))
                self._reached = offset + 1
            elif error.code() == _END:
                self._reached = max(self._reached, offset)
            elif error.code() == _LOST:
                raise FatalBrokerError(
                    f"{self._topic} does not hold offset {self._reached}: it was made anew; start "
                    f"again once it has all definitions"
                )
            else:
                ours = translate(error, f"reading {self._topic}")
                if not isinstance(ours, RetryableBrokerError):
                    raise ours
        return records

    def _begin_again(self, records: list[Record]) -> None:
        """Have what was read and not returned come once more."""
        if records:
            self._reached = records[0].offset
            self._consumer.assign([TopicPartition(self._topic, 0, self._reached)])
