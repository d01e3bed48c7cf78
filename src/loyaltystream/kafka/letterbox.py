"""Writes a subscriber's dead letters, one at a time, and waits for each. Does I/O.

The producer is idempotent and waits for all replicas. A letter whose answer did not come may be
there twice: its header of origin is the same.
"""

from typing import Final

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import BrokerError, ConfigurationError, RetryableBrokerError
from loyaltystream.kafka.connection import connect, idempotent_properties, properties
from loyaltystream.kafka.errors import translate, translated
from loyaltystream.kafka.reading import REACH_S
from loyaltystream.topology import Output

_TIMEOUT_MS: Final = 10_000
_MARGIN_S: Final = 2.0


class TopicLetterbox:
    """A topic for dead letters.

    Args:
        kafka: where the broker is.
        topic: its name.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._producer: Producer | None = None

    def open(self) -> None:
        """Make sure that the topic is there.

        Raises:
            ConfigurationError: if it is not.
            RetryableBrokerError: if the broker does not answer.
        """
        doing = f"looking for topic {self._topic}"
        with translated(doing):
            admin = connect(AdminClient, properties(self._kafka))
            found = admin.list_topics(self._topic, timeout=REACH_S).topics[self._topic]
        if found.error is None:
            return
        if found.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise translate(found.error, doing)
        raise ConfigurationError(
            f"dead_letter_topic: there is no topic {self._topic} at "
            f"{self._kafka.bootstrap_servers}; make it, with the retention that your letters need"
        )

    def post(self, letter: Output) -> None:
        """Write a letter; return once the broker has it.

        Raises:
            RetryableBrokerError: if that is not known.
            BrokerError: if the broker refuses it.
        """
        told: list[KafkaError | None] = []

        def note(error: KafkaError | None, _message: Message) -> None:
            told.append(error)

        doing = f"writing a dead letter to {self._topic}"
        try:
            with translated(doing):
                producer = self._open()
                producer.produce(
                    self._topic,
                    letter.value,
                    letter.key,
                    on_delivery=note,
                    headers=list(letter.headers),
                )
                producer.flush(_TIMEOUT_MS / 1000 + _MARGIN_S)
            if not told:
                raise RetryableBrokerError(f"{doing}: the broker has not acknowledged it in time")
            if told[0] is not None:
                raise _refused(told[0], doing)
        except BrokerError:
            self._producer = None  # a producer that has failed may never write again
            raise

    def close(self) -> None:
        """Let go of the broker."""
        self._producer = None

    def _open(self) -> Producer:
        if self._producer is None:
            self._producer = connect(
                Producer,
                idempotent_properties(self._kafka, acks="all", message_timeout_ms=_TIMEOUT_MS),
            )
        return self._producer


def _refused(error: KafkaError, doing: str) -> BrokerError:
    if error.code() == KafkaError._MSG_TIMED_OUT:  # noqa: SLF001 (public, underscored by librdkafka)
        return RetryableBrokerError(f"{doing}: the broker has not acknowledged it in time")
    ours = translate(error, doing)
    if error.code() == KafkaError._FATAL or error.fatal():  # noqa: SLF001
        return RetryableBrokerError(str(ours))  # a new producer writes it
    return ours
