"""Sends a story at a steady pace, as a plain producer does. Does I/O: produces to one topic."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from threading import Event, Lock
from typing import Final, Protocol

from confluent_kafka import KafkaException, Producer

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.connection import properties
from loyaltystream.kafka.errors import translate
from loyaltystream.settings import KafkaSettings
from loyaltystream.story import Intent, Sent

PACES_A_SECOND: Final = 20
FLUSH_S: Final = 30.0


class Channel(Protocol):
    """Takes records for one topic."""

    def send(self, sent: Sent) -> None:
        """Take one record."""

    def flush(self) -> None:
        """Wait until the broker has all of them."""


class Till:
    """A plain producer, idempotent and keyed as Java's, but in no transaction.

    Args:
        kafka: where the broker is.
        topic: where it sends to.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._topic = topic
        self._producer = Producer(
            properties(
                kafka,
                enable_idempotence=True,
                partitioner="murmur2_random",
                linger_ms=5,
                compression_type="lz4",
            )
        )

    def send(self, sent: Sent) -> None:
        """Take one record.

        Raises:
            BrokerError: if the producer is of no more use.
        """
        while True:
            try:
                self._producer.produce(
                    self._topic, sent.value, sent.key, headers=list(sent.headers)
                )
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise translate(error, f"sending to {self._topic}") from error
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until the broker has all of them.

        Raises:
            RetryableBrokerError: if it does not take them.
        """
        if left := self._producer.flush(FLUSH_S):
            raise RetryableBrokerError(f"{left} records for {self._topic} were not taken")


class Pacer:
    """Sends a story at so many records a second; counts what was sent by intent."""

    def __init__(self, channel: Channel, *, per_second: int) -> None:
        self._channel = channel
        self._pace = max(per_second // PACES_A_SECOND, 1)
        self._stopping = Event()
        self._lock = Lock()
        self._sent: Counter[Intent] = Counter()

    def sent(self) -> Counter[Intent]:
        """Return how many records of each intent were sent so far."""
        with self._lock:
            return self._sent.copy()

    def stop(self) -> None:
        """Send no more than is being sent."""
        self._stopping.set()

    def send(
        self,
        story: Iterable[Sent],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send all of it, or what goes before `stop`.

        Raises:
            BrokerError: if the broker does not take it.
        """
        due_s = clock()
        for pace in _paces(story, self._pace):
            if self._stopping.is_set():
                break
            for sent in pace:
                self._channel.send(sent)
            with self._lock:
                self._sent.update(sent.intent for sent in pace)
            due_s += 1 / PACES_A_SECOND
            sleep(max(due_s - clock(), 0))
        self._channel.flush()


def _paces(story: Iterable[Sent], size: int) -> Iterator[list[Sent]]:
    rest = iter(story)
    while pace := list(islice(rest, size)):
        yield pace
