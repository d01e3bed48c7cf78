"""What hears of records goes on hearing, whatever becomes of a producer."""

import queue
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.gateway.intake import Posting
from loyaltystream.kafka import posting
from loyaltystream.kafka.posting import Poster
from loyaltystream.served import GatewaySettings

PATIENCE_S = 10


class LostOnce:
    """A producer that is found to be lost before it tells that its record was written."""

    def __init__(self) -> None:
        self._failing = [KafkaException(KafkaError(KafkaError._FENCED, fatal=True))]
        self._waiting: list[Callable[[None, None], None]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def produce(self, *_: object, on_delivery: Callable[[None, None], None], **__: object) -> None:
        """Take a record."""
        self._waiting.append(on_delivery)

    def poll(self, _timeout_s: float) -> None:
        """Fail once, then tell of every record."""
        if not self._waiting:
            return
        if self._failing:
            raise self._failing.pop()
        self._waiting.pop()(None, None)

    def flush(self, _timeout_s: float) -> None:
        """Have nothing left."""


def test_who_waits_is_told_though_a_producer_was_lost_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client says in the listening thread that a producer is lost; the thread goes on."""
    producer = LostOnce()
    monkeypatch.setattr(posting, "connect", lambda *_: producer)
    poster = Poster(KafkaSettings(), "in", GatewaySettings())
    told: queue.Queue[LoyaltyStreamError | None] = queue.Queue()
    poster.post([Posting("evt-1", 1, b"{}", b"key", ())], told.put)
    assert told.get(timeout=PATIENCE_S) is None
    poster.close()
