"""Writes records in transactions of their own, which read nothing. Does I/O.

For what people do by hand: who comes later under the same transactional id fences who was there
before, so whatever is read behind `open` is the last word.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaException, Producer

from loyaltystream.errors import BrokerError, FatalBrokerError, RetryableBrokerError
from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES, properties
from loyaltystream.kafka.errors import translate
from loyaltystream.settings import KafkaSettings, WorkerSettings
from loyaltystream.topology import Output

_PAUSE_S: Final = 0.1


class TransactionalWriter:
    """One transactional producer.

    Args:
        kafka: where the broker is.
        worker: its timeouts.
        transactional_id: whoever opens it next fences this one.
    """

    def __init__(
        self, kafka: KafkaSettings, worker: WorkerSettings, *, transactional_id: str
    ) -> None:
        self._timeout_s = worker.transaction_timeout_ms / 1000
        self._properties = properties(
            kafka,
            transactional_id=transactional_id,
            transaction_timeout_ms=worker.transaction_timeout_ms,
            message_timeout_ms=worker.message_timeout_ms,
            partitioner="murmur2_random",
            linger_ms=5,
            compression_type="lz4",
            message_max_bytes=MAX_MESSAGE_BYTES,
        )
        self._producer: Producer | None = None
        self._gave_up = False

    def open(self) -> None:
        """Take over the transactional id: what its former owner left open is settled.

        Raises:
            BrokerError: if the broker cannot be reached, or refuses.
        """
        self._producer, self._gave_up = Producer(self._properties), False
        self._repeat("taking over the transactional id", "init_transactions")

    def write(self, outputs: Sequence[Output]) -> None:
        """Write records, all of them or none; return once they are committed.

        Raises:
            BrokerError: if that is not known; whoever opens it next finds out by reading.
        """
        producer = self._get_producer()
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
        except (KafkaException, BufferError) as error:
            self._abort()
            raise _said(error, doing) from error
        try:
            self._repeat(doing, "commit_transaction")
        except BrokerError:
            self._abort()
            raise

    def close(self) -> None:
        """Let go of the producer; an open transaction is aborted by the broker."""
        producer, self._producer = self._producer, None
        # A call that was given up may still be under way, and closing would complain of it.
        if producer is not None and not self._gave_up:
            with suppress(KafkaException):
                producer.purge(blocking=False)
                producer.close()

    def _abort(self) -> None:
        """Abort what is open, if that is still possible; else the next `open` settles it."""
        self._gave_up = True
        with suppress(KafkaException):
            self._get_producer().abort_transaction(self._timeout_s)

    def _repeat(self, doing: str, call: str) -> None:
        """Call until it succeeds; the client goes on with the same call where it stopped."""
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                getattr(self._get_producer(), call)(self._timeout_s)
            except KafkaException as error:
                ours = translate(error, doing)
                if not isinstance(ours, RetryableBrokerError) or time.monotonic() > deadline:
                    raise ours from error
                time.sleep(_PAUSE_S)
            else:
                return

    def _get_producer(self) -> Producer:
        if self._producer is None:
            raise FatalBrokerError("the writer is not open")
        return self._producer


def _said(error: KafkaException | BufferError, doing: str) -> BrokerError:
    if isinstance(error, KafkaException):
        return translate(error, doing)
    return RetryableBrokerError(f"{doing}: the producer's queue is full; write fewer at once")
