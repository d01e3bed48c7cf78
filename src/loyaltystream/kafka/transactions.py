"""What every transactional producer of ours has: its properties and its end.

Does I/O: calls the client.
"""

import warnings
from contextlib import suppress

from confluent_kafka import KafkaException, Producer

from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES, Properties, properties
from loyaltystream.settings import KafkaSettings, WorkerSettings


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


def let_go(producer: Producer) -> None:
    """Close a producer; what it still holds belongs to a transaction that is lost.

    Without the purge closing would wait for that. One that was fenced complains when it is closed:
    nobody can do anything then.
    """
    with suppress(KafkaException), warnings.catch_warnings(action="ignore"):
        producer.purge(blocking=False)
        producer.close()
