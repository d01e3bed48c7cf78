"""Writes records for many who wait, each told once the broker has its own. Does I/O.

The producer is idempotent and waits for all replicas: what it says it has written is there once, in
order. What timed out may be there too; whoever sends it again under its id loses nothing.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import LoyaltyStreamError, RetryableBrokerError
from loyaltystream.gateway.channel import FullError, Told, TooLargeError
from loyaltystream.gateway.intake import Posting
from loyaltystream.kafka.connection import connect, idempotent_properties
from loyaltystream.kafka.errors import translate
from loyaltystream.served import GatewaySettings

_POLL_S: Final = 0.1
_FATAL: Final = KafkaError._FATAL  # noqa: SLF001 (public, underscored by librdkafka)
_TIMED_OUT: Final = KafkaError._MSG_TIMED_OUT  # noqa: SLF001
_QUEUE_KBYTES: Final = 131_072
_MARGIN_S: Final = 2.0


class Poster:
    """An idempotent producer, and a thread that hears what became of its records.

    Args:
        kafka: where the broker is.
        topic: where records go.
        gateway: how many may wait, and how long one does.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, gateway: GatewaySettings) -> None:
        self._topic = topic
        self._room = gateway.queue_records
        self._timeout_s = gateway.message_timeout_ms / 1000
        self._properties = idempotent_properties(
            kafka,
            acks="all",
            linger_ms=2,
            compression_type="lz4",
            message_timeout_ms=gateway.message_timeout_ms,
            queue_buffering_max_messages=gateway.queue_records,
            queue_buffering_max_kbytes=_QUEUE_KBYTES,
        )
        self._producer = connect(Producer, self._properties)
        self._worn: list[Producer] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="poster", daemon=True)
        self._thread.start()

    def post(self, postings: Sequence[Posting], told: Told) -> None:
        """Take records in order, and tell once the broker has all of them, or why it has not.

        Called from one thread. What a failure leaves untold may be written: it has to come again.
        """
        waiting, producer = _Waiting(len(postings), told, self._topic), self._producer
        if len(producer) + len(postings) > self._room:
            waiting.settle(len(postings), FullError(f"{len(producer)} records wait already"))
            return
        for number, posting in enumerate(postings):
            try:
                producer.produce(
                    self._topic,
                    posting.value,
                    posting.key,
                    on_delivery=waiting.note,
                    headers=list(posting.headers),
                )
            except BufferError:
                failure: LoyaltyStreamError = FullError("too many bytes wait already")
            except KafkaException as error:
                failure = waiting.translated(error.args[0])
                if error.args[0].code() == _FATAL:
                    self._renew()
            else:
                continue
            waiting.settle(len(postings) - number, failure)
            return

    def close(self) -> None:
        """Wait until the broker has all that was taken, a bounded time, and let go."""
        self._producer.flush(self._timeout_s + _MARGIN_S)
        self._closing.set()
        self._thread.join()

    def _renew(self) -> None:
        """Replace a producer that will never write again; what it held is told as it fails."""
        self._worn.append(self._producer)
        self._producer = connect(Producer, self._properties)

    def _listen(self) -> None:
        while not self._closing.is_set():
            _hear(self._producer, _POLL_S)
            for worn in self._worn:
                _hear(worn, 0)


def _hear(producer: Producer, timeout_s: float) -> None:
    """Have what became of records told; that the producer is worn out, the next record tells."""
    with suppress(KafkaException):
        producer.poll(timeout_s)


class _Waiting:
    """Records of one request: counts them down, and tells at the last one."""

    def __init__(self, left: int, told: Told, topic: str) -> None:
        self._left = left
        self._told = told
        self._topic = topic
        self._failure: LoyaltyStreamError | None = None
        self._lock = threading.Lock()

    def note(self, error: KafkaError | None, _message: Message) -> None:
        """Note what became of one of them."""
        if error is not None:
            self.settle(1, self.translated(error))
            return
        with self._lock:  # as in `settle`, without the call: this is for every record
            self._left -= 1
            is_last = not self._left
        if is_last:
            self._told(self._failure)

    def translated(self, error: KafkaError) -> LoyaltyStreamError:
        """Return the client's error in our words."""
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return TooLargeError(f"{self._topic} takes no record of that size")
        if error.code() == _TIMED_OUT:
            return RetryableBrokerError(f"{self._topic}: the broker has not acknowledged in time")
        return translate(error, f"writing to {self._topic}")

    def settle(self, count: int, failure: LoyaltyStreamError | None) -> None:
        """Wait for so many less, and note why they are not written, if they are not."""
        with self._lock:
            self._left -= count
            self._failure = self._failure or failure
            is_last = not self._left
        if is_last:
            self._told(self._failure)
