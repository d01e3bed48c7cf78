"""Where a group is, as its member or, if that gets no answer, as somebody else. Does I/O."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.errors import translated
from loyaltystream.kafka.offsets import committed_offsets
from loyaltystream.kafka.reading import LogReader

_TIMEOUT_S: Final = 10.0
_OUTSIDE_S: Final = 3.0
"""Each of two questions; where no broker answers at all, it is soon told that it is waited for."""


class Committed:
    """The stable committed offsets of one group on one topic.

    A member's client that lost its group in an outage may wait for an answer without end (seen,
    librdkafka 2.16.0; its issue 5586 tells of a question to a coordinator that moved, which is not
    repeated): then it is asked for by a client that is nobody's member.
    """

    def __init__(self, kafka: KafkaSettings, *, topic: str, group: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._group = group

    def read(self, member: Consumer, partitions: Sequence[int]) -> dict[int, int]:
        """Return the offsets of partitions, where there are any.

        Raises:
            BrokerError: if the broker does not answer, or a transaction stays open.
        """
        asked = [TopicPartition(self._topic, number) for number in partitions]
        try:
            with translated(f"reading the committed offsets on {self._topic}"):
                return committed_offsets(member.committed(asked, timeout=_TIMEOUT_S))
        except RetryableBrokerError:
            outside = LogReader(self._kafka, timeout_s=_OUTSIDE_S)
            found = outside.committed(self._group, self._topic)
            return {number: found[number] for number in partitions if number in found}
