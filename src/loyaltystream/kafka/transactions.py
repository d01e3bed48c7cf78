"""What every transactional producer of ours has: its properties and its end.

Does I/O: calls the client.
"""

import warnings
from _thread import start_new_thread
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, TypeVar

from confluent_kafka import KafkaException, Producer

from loyaltystream.clients import KafkaSettings
from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES, Properties, properties
from loyaltystream.settings import WorkerSettings

_CLOSE_S: Final = 2.0

T = TypeVar("T")


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

    Closing aborts what is open, and waits for that: behind an outage without end (seen). Then it is
    left to itself; whoever takes over its id fences it.
    """
    with suppress(TimeoutError):
        beside(lambda: _close(producer)).result(_CLOSE_S)


def _close(producer: Producer) -> None:
    # Without the purge closing would wait for what can't be delivered. One that was fenced
    # complains when it is closed: nobody can do anything then.
    with suppress(KafkaException), warnings.catch_warnings(action="ignore"):
        producer.purge(blocking=False)
        producer.close()


def beside(call: Callable[[], T]) -> "Future[T]":
    """Make a call in a thread of its own, since it may never return; return what becomes of it.

    Not of `threading`: its start waits for the new thread, and its end for such a call.
    """
    told: Future[T] = Future()

    def run() -> None:
        try:
            told.set_result(call())
        except Exception as error:  # noqa: BLE001 (goes to whoever asks)
            told.set_exception(error)

    start_new_thread(run, ())
    return told
