"""What the gateway posts to: a topic in memory, and the real producer."""

import secrets
import threading
import uuid
from collections.abc import Sequence
from typing import Final, Protocol

from confluent_kafka.admin import AdminClient, NewTopic

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import LoyaltyStreamError, RetryableBrokerError
from loyaltystream.events import Header
from loyaltystream.gateway.channel import Channel, FullError, TooLargeError
from loyaltystream.gateway.intake import Posting
from loyaltystream.kafka.posting import Poster
from loyaltystream.kafka.reading import LogReader
from loyaltystream.served import GatewaySettings
from loyaltystream.testing.channel import MemoryChannel
from tests.contract.both import on_both

ROOM: Final = 1_000
LARGEST: Final = 10_000
PATIENCE_S: Final = 30
NOBODY: Final = "127.0.0.1:9"

Written = tuple[bytes | None, bytes | None, list[Header]]


class Backend(Protocol):
    """A topic that takes values of so many bytes, and a way to be without it."""

    def channel(self) -> Channel:
        """Return a channel with room for so many records."""

    def lost(self) -> Channel:
        """Return one whose broker is away."""

    def written(self) -> list[Written]:
        """Return what is on the topic, in order."""


class InMemory:
    def __init__(self) -> None:
        self._channels: list[MemoryChannel] = []

    def channel(self) -> MemoryChannel:
        self._channels.append(MemoryChannel(ROOM, LARGEST))
        return self._channels[-1]

    def lost(self) -> MemoryChannel:
        channel = self.channel()
        channel.away = RetryableBrokerError("away")
        return channel

    def written(self) -> list[Written]:
        taken = [posting for channel in self._channels for posting in channel.taken]
        return [(one.key, one.value, list(one.headers)) for one in taken]


class OnKafka:
    def __init__(self, bootstrap_servers: str) -> None:
        self._topic = f"contract-{uuid.uuid4().hex[:8]}.posted"
        self._kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
        self._channels: list[Poster] = []
        admin = AdminClient({"bootstrap.servers": bootstrap_servers})
        small = NewTopic(self._topic, 1, 1, config={"max.message.bytes": str(LARGEST + 500)})
        admin.create_topics([small])[self._topic].result(30)

    def channel(self) -> Poster:
        return self._made(self._kafka, GatewaySettings(queue_records=ROOM))

    def lost(self) -> Poster:
        soon = GatewaySettings(message_timeout_ms=300)
        return self._made(KafkaSettings(bootstrap_servers=NOBODY), soon)

    def written(self) -> list[Written]:
        reader = LogReader(self._kafka)
        first, end = reader.settled_bounds(self._topic)[0]
        found = reader.records(self._topic, 0, first, end)
        return [(one.key, one.value, list(one.headers)) for one in found]

    def close(self) -> None:
        for channel in self._channels:
            channel.close()

    def _made(self, kafka: KafkaSettings, gateway: GatewaySettings) -> Poster:
        self._channels.append(Poster(kafka, self._topic, gateway))
        return self._channels[-1]


topic = on_both(InMemory, OnKafka)


def posting(number: int) -> Posting:
    """Return a record."""
    name = b"e-%d" % number
    return Posting(name.decode(), 1800, b'{"id": "%s"}' % name, b"key", [("x-event-id", name)])


def post(channel: Channel, postings: Sequence[Posting]) -> LoyaltyStreamError | None:
    """Return what is told of records, once it is; it has to be told once."""
    told: list[LoyaltyStreamError | None] = []
    heard = threading.Event()

    def tell(failure: LoyaltyStreamError | None) -> None:
        told.append(failure)
        heard.set()

    channel.post(postings, tell)
    assert heard.wait(PATIENCE_S), "nothing is told"
    [failure] = told
    return failure


def test_what_is_acknowledged_is_written(topic: Backend) -> None:
    """Once it is told, all records lie on the topic with key and headers, in their order."""
    sent = [posting(number) for number in range(100)]
    channel = topic.channel()
    assert post(channel, sent[:1]) is None
    assert post(channel, sent[1:]) is None
    assert topic.written() == [(one.key, one.value, list(one.headers)) for one in sent]


def test_without_a_broker_nothing_is_acknowledged(topic: Backend) -> None:
    """It is told in a bounded time that the records are not known to be written."""
    assert isinstance(post(topic.lost(), [posting(1), posting(2)]), RetryableBrokerError)
    assert topic.written() == []


def test_what_there_is_no_room_for_is_refused(topic: Backend) -> None:
    """More than may wait is not taken at all, and what fits then is."""
    channel = topic.channel()
    failure = post(channel, [posting(number) for number in range(ROOM + 1)])
    assert isinstance(failure, FullError)
    assert topic.written() == []
    assert post(channel, [posting(1)]) is None


def test_a_record_that_the_topic_does_not_take_is_told(topic: Backend) -> None:
    """It is too large for good: to try again would not help."""
    channel = topic.channel()
    failure = post(channel, [Posting("e", 1800, secrets.token_bytes(6 * LARGEST), b"key", [])])
    assert isinstance(failure, TooLargeError)
    assert post(channel, [posting(1)]) is None


def test_closing_waits_for_what_was_taken(topic: Backend) -> None:
    """What was taken is written and told before the channel is closed."""
    told: list[LoyaltyStreamError | None] = []
    channel = topic.channel()
    channel.post([posting(number) for number in range(50)], told.append)
    channel.close()
    assert told == [None]
    assert len(topic.written()) == 50
