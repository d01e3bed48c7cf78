"""What every transactional producer of ours has: its properties, its patience and its end.

Does I/O: calls the client.
"""

import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaException, Producer

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES, Properties, properties
from loyaltystream.kafka.errors import translate
from loyaltystream.settings import KafkaSettings, WorkerSettings

PAUSE_S: Final = 0.1


def transactional_properties(
    kafka: KafkaSettings,
    worker: WorkerSettings,
    *,
    transactional_id: str,
    **own: str | float | bool,
) -> Properties:
    """Return the properties of a producer that writes in transactions."""
    return properties(
        kafka,
        transactional_id=transactional_id,
        transaction_timeout_ms=worker.transaction_timeout_ms,
        message_timeout_ms=worker.message_timeout_ms,
        partitioner="murmur2_random",
        linger_ms=5,
        compression_type="lz4",
        message_max_bytes=MAX_MESSAGE_BYTES,
        **own,
    )


def repeat(call: Callable[[float], object], doing: str, deadline: float) -> None:
    """Call until it succeeds; librdkafka goes on with the same call where it stopped.

    Args:
        call: takes how many seconds it may last.
        doing: what is being done, for the error.
        deadline: on the monotonic clock.

    Raises:
        BrokerError: if it fails otherwise than for the moment, or beyond the deadline.
    """
    while True:
        try:
            call(max(deadline - time.monotonic(), PAUSE_S))
        except KafkaException as error:
            ours = translate(error, doing)
            if not isinstance(ours, RetryableBrokerError) or time.monotonic() > deadline:
                raise ours from error
            time.sleep(PAUSE_S)
        else:
            return


def let_go(producer: Producer) -> None:
    """Close a producer; what it still holds belongs to a transaction that is lost.

    Without the purge closing would wait for that. One that was fenced complains when it is closed:
    nobody can do anything then.
    """
    with suppress(KafkaException), warnings.catch_warnings(action="ignore"):
        producer.purge(blocking=False)
        producer.close()
