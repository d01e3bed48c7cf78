"""What a worker tells of how far behind it is, on the real broker."""

from collections.abc import Callable
from typing import Final

import pytest
from confluent_kafka import Producer

from loyaltystream.kafka.source import GroupSource
from tests.contract.ports import Told
from tests.shop import Shop, eventually

pytestmark = pytest.mark.broker

ANSWER_S: Final = 10.0


def test_what_an_open_transaction_holds_up_is_behind(make_shop: Callable[..., Shop]) -> None:
    """Records that wait for an open transaction are lag; once it has ended there is none."""
    shop = make_shop(partitions=1)
    settings, topic = shop.settings, shop.deployment.topics.ingest
    source = GroupSource(settings.kafka, settings.worker, topic=topic, group=topic, member="one")
    source.join(Told())

    def lag() -> dict[int, int]:
        source.poll()
        return source.lag()

    eventually(lambda: lag() == {0: 0} and source._ends._reached, "it has nothing to read")
    foreign = Producer(
        {"bootstrap.servers": settings.kafka.bootstrap_servers, "transactional.id": topic}
    )
    foreign.init_transactions(ANSWER_S)
    foreign.begin_transaction()
    for _ in range(3):
        foreign.produce(topic, b"held up")
    foreign.flush(ANSWER_S)
    eventually(lambda: lag() == {0: 3}, "it is behind")
    eventually(lambda: lag() and source.held_s()[0] > 3, "the transaction is seen to hold it up")
    foreign.abort_transaction(ANSWER_S)
    eventually(lambda: lag() == {0: 0}, "only a marker lies there")
    eventually(lambda: lag() and source.held_s() == {0: 0}, "nothing holds it up any more")
    source.close()
