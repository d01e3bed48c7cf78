"""Offsets that a broker took up behind the end of their transaction."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import (
    ResourceType,
)

from loyaltystream.platform import Addresses
from loyaltystream.ports import Fate
from tests.broker.raw import RawProducer
from tests.cluster import alter
from tests.contract.kafka import KafkaBackend
from tests.contract.ports import joined, opened

pytestmark = pytest.mark.broker

VERIFICATION = "transaction.partition.verification.enable"
TAKES_EFFECT_S = 1


@pytest.fixture
def credulous(proven_cluster: Addresses) -> Iterator[str]:
    """Return the address of a broker that believes whoever says that its transaction is open.

    So a late request does what it did once to a broker that had stood still.
    """
    verify(proven_cluster.bootstrap_servers, "false")
    time.sleep(TAKES_EFFECT_S)  # nothing tells when a broker has heard of it
    yield proven_cluster.bootstrap_servers
    verify(proven_cluster.bootstrap_servers, "true")


def verify(bootstrap: str, whether: str) -> None:
    """Set whether brokers verify that a transaction is open."""
    alter(bootstrap, (ResourceType.BROKER, "1"), VERIFICATION, whether)


def test_offsets_that_are_pending_for_ever_are_ended(credulous: str) -> None:
    """Whoever takes over the transactional id has them aborted; until then nobody is told any."""
    backend = KafkaBackend(credulous)
    source, sink = joined(backend), opened(backend)
    sink.send([])
    sink.submit({0: 2}, source.group())
    assert sink.outcome().fate is Fate.COMMITTED
    with RawProducer(credulous, backend.transactional_id("sink")) as late:
        assert late.add_group(backend.group) == 0
        assert late.send_offset(backend.group, backend.input, 7) == 0
        assert late.abort() == 0
        assert source.committed([0]) == {0: 2}
        assert late.send_offset(backend.group, backend.input, 8) == 0
    asked = backend.ask(lambda: source.committed([0]))
    assert asked.is_open()
    sink.open()
    assert asked.answer() == {0: 2}
    backend.close()
