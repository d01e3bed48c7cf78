"""The offsets that a broker answers with. Does I/O: asks through a client it is given."""

import time
from collections.abc import Sequence
from typing import Final

from confluent_kafka import OFFSET_INVALID, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from loyaltystream.kafka.errors import translate
from loyaltystream.kafka.patience import repeat

_TRY_S: Final = 5.0
"""A question to a leader that has just died waits for it, though the partition has another one soon
(seen, librdkafka 2.16.0); asked anew, it goes to that one."""


def list_offsets(
    admin: AdminClient,
    places: Sequence[TopicPartition],
    spec: OffsetSpec,
    isolation: IsolationLevel,
    timeout_s: float,
) -> dict[tuple[str, int], int]:
    """Return one offset of each topic and partition.

    A broker that has just come back answers with errors that pass.

    Raises:
        BrokerError: if one is not there or the broker does not answer.
    """

    def ask(within_s: float) -> dict[tuple[str, int], int]:
        answers = admin.list_offsets(
            dict.fromkeys(places, spec),
            isolation_level=isolation,
            request_timeout=min(within_s, _TRY_S),
        )
        return {(at.topic, at.partition): found.result().offset for at, found in answers.items()}

    named = ", ".join(sorted({place.topic for place in places}))
    return repeat(ask, f"reading the offsets of {named}", time.monotonic() + timeout_s)


def committed_offsets(answers: Sequence[TopicPartition]) -> dict[int, int]:
    """Return the offsets in a broker's answer, where it has any.

    Raises:
        BrokerError: if it has an error instead.
    """
    for answer in answers:
        if answer.error is not None:
            doing = f"reading the committed offset of {answer.topic}/{answer.partition}"
            raise translate(answer.error, doing)
    return {answer.partition: answer.offset for answer in answers if answer.offset > OFFSET_INVALID}
