"""A transaction that is thrown away: whether the broker takes ours, and what its clock says.

Does I/O: writes one record without key and value into an open transaction, and aborts it.
"""

import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Message, Producer

from loyaltystream.clients import KafkaSettings
from loyaltystream.doctor.brokers import Trial
from loyaltystream.errors import BrokerError
from loyaltystream.kafka.connection import connect
from loyaltystream.kafka.errors import translated
from loyaltystream.kafka.patience import repeat
from loyaltystream.kafka.transactions import let_go, transactional_properties
from loyaltystream.settings import WorkerSettings

PATIENCE_S: Final = 15.0
"""A broker's coordinator takes seconds to come up where no transaction ever was."""


def rehearse(
    kafka: KafkaSettings,
    worker: WorkerSettings,
    *,
    transactional_id: str,
    topic: str | None,
) -> Trial:
    """Return what becomes of a transaction like a worker's.

    Args:
        kafka: where the broker is.
        worker: its timeouts.
        transactional_id: one that nobody else has.
        topic: of which a record is taken back; None: nothing is written.
    """
    producer = connect(
        Producer, transactional_properties(kafka, worker, transactional_id=transactional_id)
    )
    deadline = time.monotonic() + PATIENCE_S
    try:
        repeat(producer.init_transactions, "init_transactions", deadline)
        with translated("begin_transaction"):
            producer.begin_transaction()
        skew_ms = None if topic is None else _write(producer, topic)
        repeat(producer.abort_transaction, "abort_transaction", deadline)
    except BrokerError as error:
        return Trial(str(error))
    finally:
        let_go(producer)
    return Trial(None, skew_ms)


def _write(producer: Producer, topic: str) -> float | None:
    """Write twice, the first time to find the way; return how far ahead our clock is.

    Raises:
        BrokerError: if the broker refuses.
    """
    _once(producer, topic)
    sent_ms = time.time() * 1000
    append_ms = _once(producer, topic)
    return None if append_ms is None else (sent_ms + time.time() * 1000) / 2 - append_ms


def _once(producer: Producer, topic: str) -> int | None:
    """Write a record; return when it arrived by the broker's clock, if that is what the topic says.

    Raises:
        BrokerError: if the broker refuses.
    """
    told: list[tuple[KafkaError | None, tuple[int, int]]] = []
    note: Callable[[KafkaError | None, Message], None] = lambda error, message: told.append(  # noqa: E731 (typed)
        (error, message.timestamp())
    )
    with translated(f"writing to {topic}"):
        producer.produce(topic, None, partition=0, on_delivery=note)
        producer.flush(PATIENCE_S)
        for error, (kind, at_ms) in told:
            if error is not None:
                raise KafkaException(error)
            return at_ms if kind == TIMESTAMP_LOG_APPEND_TIME else None
    return None
