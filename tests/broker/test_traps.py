"""Traps of an exactly-once loop that only a real broker can spring."""

import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka.admin import (
    ResourceType,
)

from loyaltystream.errors import FatalBrokerError
from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES
from loyaltystream.platform import Addresses
from loyaltystream.ports import Fate, Group, Sink
from loyaltystream.story import Recipe, generate
from loyaltystream.topology import Output
from tests.cluster import alter
from tests.contract.kafka import KafkaBackend
from tests.contract.ports import joined, opened, output, settled, values
from tests.shop import Shop, eventually, open_transactions

pytestmark = pytest.mark.broker

SHORT = {
    "worker.message_timeout_ms": "1000",
    "worker.transaction_timeout_ms": "1500",
    "worker.session_timeout_ms": "6000",
}
IDLE_S = 3 * 1.5
MOST_BYTES = 1_000
MANY = 1_000
TRIES = 3
"""Behind a refused record the library has the next transaction aborted as well (seen)."""


@pytest.fixture
def backend(proven_cluster: Addresses) -> Iterator[KafkaBackend]:
    """Return two empty topics on the real broker."""
    made = KafkaBackend(proven_cluster.bootstrap_servers)
    yield made
    made.close()


def bound(servers: str, topic: str, most_bytes: int) -> None:
    """Let a topic take no larger records."""
    alter(servers, (ResourceType.TOPIC, topic), "max.message.bytes", str(most_bytes))


def commit_at_last(sink: Sink, outputs: list[Output], group: Group) -> None:
    """Commit as a worker does: what was aborted is sent again, a lost producer is replaced."""
    for _ in range(TRIES):
        sink.send(outputs)
        sink.submit({0: 1}, group)
        match sink.outcome().fate:
            case Fate.COMMITTED:
                return
            case Fate.UNKNOWN:
                sink.open()
    raise AssertionError(f"not committed in {TRIES} tries")


def test_a_record_that_the_broker_refuses_takes_its_transaction_along(
    backend: KafkaBackend, proven_cluster: Addresses
) -> None:
    """One record of a thousand is too large for its topic, and nothing of the others is there."""
    bound(proven_cluster.bootstrap_servers, backend.output, MOST_BYTES)
    source, sink = joined(backend), opened(backend)
    sink.send([output(backend, b"x" * (10 if number != 500 else 5_000)) for number in range(MANY)])
    sink.submit({0: MANY}, source.group())
    outcome = sink.outcome()
    assert outcome.fate is not Fate.COMMITTED
    assert settled(backend) == []
    assert backend.committed() == {}
    commit_at_last(sink, [output(backend, b"small")], source.group())
    assert values(settled(backend)) == [b"small"]


def test_a_record_that_the_client_refuses_takes_its_transaction_along(
    backend: KafkaBackend,
) -> None:
    """What is too large to be sent at all is not left out: whoever sends it hears of it."""
    source, sink = joined(backend), opened(backend)
    huge = b"x" * (MAX_MESSAGE_BYTES + 1)
    with pytest.raises(FatalBrokerError, match="MSG_SIZE_TOO_LARGE"):
        sink.send([output(backend, b"before"), output(backend, huge), output(backend, b"behind")])
    sink.open()
    sink.send([output(backend, b"small")])
    sink.submit({0: 1}, source.group())
    assert sink.outcome().fate is Fate.COMMITTED
    assert values(settled(backend)) == [b"small"]


def test_everything_sent_is_delivered_before_the_commit(backend: KafkaBackend) -> None:
    """Behind a commit that is confirmed there are as many records as were sent, in their order."""
    source, sink = joined(backend), opened(backend)
    sent = [b"%d" % number for number in range(MANY)]
    sink.send([output(backend, value) for value in sent])
    sink.submit({0: MANY}, source.group())
    assert sink.outcome().fate is Fate.COMMITTED
    assert values(settled(backend)) == sent


def test_one_record_and_then_silence(make_shop: Callable[..., Shop]) -> None:
    """A single event is committed though nothing follows, and nothing is open while all is idle."""
    shop = make_shop(partitions=1, **SHORT)
    worker = shop.start("run", "--stage", "ingest", "--from", "earliest")
    eventually(lambda: "partitions.assigned" in shop.log(), "it is at work")
    story = list(generate(Recipe(events=2, customers=1, partitions=1), 5, now_ms=_now_ms()))
    for sent in story:
        shop.send([sent])
        eventually(lambda: shop.lag("ingest") == 0, "it is judged")
        time.sleep(IDLE_S)
        settings = shop.settings
        servers, prefix = settings.kafka.bootstrap_servers, settings.worker.group_prefix
        assert open_transactions(servers, prefix) == set()
    assert shop.stop(worker) == 0, shop.log()
    for trouble in ("transaction.aborted", "producer.replaced", "broker.awaited"):
        assert trouble not in shop.log()


def _now_ms() -> int:
    return int(time.time() * 1000)
