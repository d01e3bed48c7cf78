"""Writes to a topic as the only one who does: whoever claims the same name ends the others' turn.

Does I/O. Between a claim and a write nobody else has written under that name, or the write fails:
what was read in between is therefore all there was.
"""

import time
import warnings
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaException, Producer

from loyaltystream.errors import BrokerError, FatalBrokerError, RetryableBrokerError
from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES, properties
from loyaltystream.kafka.errors import translate
from loyaltystream.settings import KafkaSettings

_TRANSACTION_S: Final = 8.0
_PAUSE_S: Final = 0.1


class FencedWriter:
    """One transactional producer for each claim.

    Args:
        kafka: where the broker is.
        transactional_id: the name that is claimed.
        topic: what is written to.
    """

    def __init__(self, kafka: KafkaSettings, *, transactional_id: str, topic: str) -> None:
        self._topic = topic
        self._properties = properties(
            kafka,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(_TRANSACTION_S * 1000),
            message_timeout_ms=int(_TRANSACTION_S * 1000) - 1,
            partitioner="murmur2_random",
            message_max_bytes=MAX_MESSAGE_BYTES,
        )
        self._producer: Producer | None = None

    def claim(self) -> None:
        """Take the name over: what another one has not committed by now is aborted.

        Raises:
            BrokerError: if the broker cannot be reached, or refuses.
        """
        self.close()
        self._producer = producer = Producer(self._properties)
        deadline = time.monotonic() + _TRANSACTION_S
        while True:
            try:
                producer.init_transactions(_TRANSACTION_S)
            except KafkaException as error:
                ours = translate(error, f"claiming {self._topic}")
                if not isinstance(ours, RetryableBrokerError) or time.monotonic() > deadline:
                    raise ours from error
                time.sleep(_PAUSE_S)
            else:
                return

    def write(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Write keys and values, all or none.

        Raises:
            BrokerError: if that can't be done, or is not known to be done: the next claim settles
                it, and reading tells.
        """
        producer = self._producer
        if producer is None:
            raise FatalBrokerError(f"{self._topic} was not claimed")
        try:
            producer.begin_transaction()
            for key, value in records:
                producer.produce(self._topic, value, key, partition=0)
            producer.commit_transaction(_TRANSACTION_S)
        except KafkaException as error:
            raise translate(error, f"writing to {self._topic}") from error

    def close(self) -> None:
        """Let go of the connection."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # A producer that was fenced complains when it is closed: nobody can do anything then.
            with suppress(KafkaException, BrokerError), warnings.catch_warnings(action="ignore"):
                producer.purge(blocking=False)
                producer.close()
