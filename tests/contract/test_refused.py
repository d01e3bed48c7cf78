"""When a member that its group refuses joins anew, and when it takes that for another one."""

import socket
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from loyaltystream.errors import FatalBrokerError
from loyaltystream.kafka.source import GroupSource
from loyaltystream.settings import KafkaSettings, WorkerSettings
from tests.contract.ports import Told


@pytest.fixture
def source() -> Iterator[GroupSource]:
    """Return a member whose broker takes connections, and says nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    member = GroupSource(
        KafkaSettings(bootstrap_servers=f"127.0.0.1:{server.getsockname()[1]}"),
        WorkerSettings(),
        topic="in",
        group="group",
        member="one",
    )
    member.join(Told())
    yield member
    member.close()
    server.close()


def away(source: GroupSource) -> None:
    """Have the client say that no broker answers."""
    source._note_outage(KafkaError(KafkaError._ALL_BROKERS_DOWN))


def test_an_outage_explains_a_refusal(source: GroupSource) -> None:
    """Behind each outage the group may refuse us once, and we join anew."""
    for _ in range(3):
        away(source)
        source._rejoin("fenced")


def test_a_refusal_without_an_outage_is_another_worker(source: GroupSource) -> None:
    """Refused while the broker is there, a member ends: somebody else has its name."""
    with pytest.raises(FatalBrokerError, match=r"worker\.instance"):
        source._rejoin("fenced")


def test_an_outage_explains_no_second_refusal(source: GroupSource) -> None:
    """Refused again without another outage, a member ends, or two would take turns for ever."""
    away(source)
    source._rejoin("fenced")
    with pytest.raises(FatalBrokerError, match=r"worker\.instance"):
        source._rejoin("fenced")
