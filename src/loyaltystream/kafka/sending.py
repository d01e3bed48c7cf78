"""Writes records that no transaction guards: for producers of ours. Does I/O."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import BrokerError, RetryableBrokerError
from loyaltystream.events import Header
from loyaltystream.kafka.connection import connect, idempotent_properties
from loyaltystream.kafka.errors import translate, translated

_FLUSH_S: Final = 30.0
_ROOM_S: Final = 0.1


class Sender:
    """An idempotent producer that keeps order and counts what the broker has taken.

    Args:
        kafka: where the broker is.
        topic: where records go.
        delivered: called after each record that the broker has.
    """

    def __init__(
        self, kafka: KafkaSettings, topic: str, *, delivered: Callable[[], None] = lambda: None
    ) -> None:
        self._topic = topic
        self._doing = f"writing to {topic}"
        self._delivered = delivered
        self._failure: BrokerError | None = None
        self._producer = connect(
            Producer,
            idempotent_properties(kafka, linger_ms=5, compression_type="lz4"),
        )

    def send(
        self,
        value: bytes | None,
        key: bytes | None,
        headers: Sequence[Header] = (),
        *,
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """Hand one record to the producer.

        Args:
            value: its value.
            key: its key, which says where it goes.
            headers: its headers.
            arrived: called, inside of a later call, once the broker has it.

        Raises:
            BrokerError: if an earlier record could not be written, or this one is refused.
        """
        note = self._note if arrived is None else partial(self._note_arrived, arrived)
        while True:
            if self._failure is not None:
                raise self._failure
            with translated(self._doing):
                try:
                    self._producer.produce(
                        self._topic, value, key, on_delivery=note, headers=list(headers)
                    )
                except BufferError:
                    self._producer.poll(_ROOM_S)
                else:
                    self._producer.poll(0)
                    return

    def flush(self) -> None:
        """Wait until the broker has everything.

        Raises:
            BrokerError: if it has not.
        """
        with translated(self._doing):
            left = self._producer.flush(_FLUSH_S)
        if self._failure is not None:
            raise self._failure
        if left:
            raise RetryableBrokerError(
                f"{left} records unacknowledged on {self._topic} after {_FLUSH_S:.0f} s; "
                f"send them again: what arrives twice is told by its eventId"
            )

    def _note_arrived(
        self, arrived: Callable[[], None], error: KafkaError | None, message: Message
    ) -> None:
        self._note(error, message)
        if error is None:
            arrived()

    def _note(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self._delivered()
        elif self._failure is None:
            self._failure = translate(error, self._doing)
