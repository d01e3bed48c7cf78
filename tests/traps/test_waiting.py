"""A worker that waits for committed offsets: the group has its turns, and somebody else may ask."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from loyaltystream.definitions.source import Fixed
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.kafka.groups import GroupAdmin
from loyaltystream.kafka.source import GroupSource
from loyaltystream.runner import Runner
from loyaltystream.stage import NotifyStage
from loyaltystream.testing import Journal, MemoryBroker, MemorySink, MemorySource, MemoryTelemetry
from tests.core import DEFINITIONS, NOW_MS, TOPICS
from tests.shop import Shop
from tests.traps.test_guards import Sends

WAITS = 3


class Reluctant(MemorySource):
    """A member that has its partitions, loses a batch, and gets no committed offsets for a while.

    Attributes:
        asked: what it was asked for since.
    """

    asked: list[str] | None = None

    def poll(self) -> dict[int, list[Record]]:
        if self.asked is None:
            return super().poll()
        self.asked.append("poll")
        if self.asked == ["poll"]:
            raise RetryableBrokerError("away for a moment")
        return super().poll()

    def committed(self, partitions: Sequence[int]) -> dict[int, int]:
        if self.asked is not None:
            self.asked.append("committed")
            if self.asked.count("committed") <= WAITS:
                raise RetryableBrokerError("a transaction stays open")
        return super().committed(partitions)


def test_who_waits_for_offsets_polls_its_group() -> None:
    """Between two attempts the group is polled: a rebalance that is due gets its turn."""
    broker = MemoryBroker({TOPICS.ingest: 2, TOPICS.emf: 1}, now_ms=NOW_MS)
    source = Reluctant(broker, topic=TOPICS.ingest, group="group", member="one")
    worker = Runner(
        source,
        MemorySink(broker, "one"),
        NotifyStage(Sends(), definitions=Fixed(DEFINITIONS), fresh=lambda _partition: 0),
        telemetry=MemoryTelemetry(Journal()),
    )
    worker.step()
    source.asked = []
    broker.append(TOPICS.ingest, b"one", partition=0)
    for _ in range(2 * WAITS):
        worker.step()
    assert source.asked[1 : 1 + 2 * WAITS] == ["committed", "poll"] * WAITS
    assert [record.value for record in broker.records(TOPICS.emf, 0)] == [b"one"]


class Deaf(Consumer):
    """A client that lost its group, and does not know: it gets no committed offsets."""

    def committed(self, *_: Any, **__: Any) -> list[TopicPartition]:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


@pytest.mark.broker
def test_what_a_member_does_not_hear_somebody_else_is_told(
    make_shop: Callable[..., Shop],
) -> None:
    """Offsets that the member's own client waits for in vain are asked for as an outsider."""
    shop = make_shop(partitions=3)
    settings, topic = shop.settings, shop.deployment.topics.ingest
    GroupAdmin(settings.kafka).begin(topic, topic, {0: 7, 2: 9})
    source = GroupSource(
        settings.kafka, settings.worker, topic=topic, group=topic, member="one", make=Deaf
    )
    assert source.committed([0, 1]) == {0: 7}
    source.close()
