"""Writes records in transactions of their own, which read nothing. Does I/O.

For what people do by hand: who comes later under the same transactional id fences who was there
before, so whatever is read behind `open` is the last word until the next write, or that fails.
"""

import time
from collections.abc import Sequence
from contextlib import suppress

from confluent_kafka import KafkaException, Producer

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import BrokerError, FatalBrokerError, RetryableBrokerError
from loyaltystream.kafka.connection import connect
from loyaltystream.kafka.errors import translate
from loyaltystream.kafka.patience import PAUSE_S, repeat
from loyaltystream.kafka.transactions import let_go, transactional_properties
from loyaltystream.settings import WorkerSettings
from loyaltystream.topology import Output


class TransactionalWriter:
    """One transactional producer; after a failure there is none until it is opened again.

    Args:
        kafka: where the broker is.
        worker: its timeouts.
        transactional_id: whoever opens it next fences this one.
    """

    def __init__(
        self, kafka: KafkaSettings, worker: WorkerSettings, *, transactional_id: str
    ) -> None:
        self._timeout_s = worker.transaction_timeout_ms / 1000
        self._properties = transactional_properties(
            kafka, worker, transactional_id=transactional_id
        )
        self._producer: Producer | None = None

    def open(self) -> None:
        """Take over the transactional id: what its former owner left open is settled.

        Raises:
            BrokerError: if the broker cannot be reached, or refuses.
        """
        self.close()
        self._producer = connect(Producer, self._properties)
        deadline = time.monotonic() + self._timeout_s
        repeat(self._producer.init_transactions, "taking over the transactional id", deadline)

    def write(self, outputs: Sequence[Output]) -> None:
        """Write records, all of them or none; return once they are committed.

        Raises:
            BrokerError: if that is not known; whoever opens it next finds out by reading.
        """
        producer = self._producer
        if producer is None:
            raise FatalBrokerError("the writer is not open")
        deadline = time.monotonic() + self._timeout_s
        try:
            _commit(producer, outputs, deadline)
        except BrokerError:
            # Without an abort the broker would keep the records' readers waiting. A call that was
            # given up may still be under way, and closing would complain of it.
            self._producer = None
            with suppress(KafkaException):
                producer.abort_transaction(max(deadline - time.monotonic(), PAUSE_S))
            raise

    def close(self) -> None:
        """Let go of the producer; an open transaction is aborted by the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            let_go(producer)


def _commit(producer: Producer, outputs: Sequence[Output], deadline: float) -> None:
    doing = f"writing {len(outputs)} records in one transaction"
    try:
        producer.begin_transaction()
        for output in outputs:
            producer.produce(
                output.topic,
                output.value,
                output.key,
                -1 if output.partition is None else output.partition,
                headers=list(output.headers),
            )
    except KafkaException as error:
        raise translate(error, doing) from error
    except BufferError as error:
        raise RetryableBrokerError(
            f"{doing}: the producer's queue is full; write fewer at once"
        ) from error
    repeat(producer.commit_transaction, doing, deadline)
