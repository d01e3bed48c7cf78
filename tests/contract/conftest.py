"""Every test of the contract runs on both backends."""

from collections.abc import Iterator

import pytest

from tests.contract.kafka import KafkaBackend
from tests.contract.memory import MemoryBackend
from tests.contract.ports import Backend


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.broker)])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Return two empty topics in memory, and then on the real broker."""
    made: Backend
    if request.param == "memory":
        made = MemoryBackend()
    else:
        cluster = request.getfixturevalue("proven_cluster")
        made = KafkaBackend(cluster.bootstrap_servers)
    yield made
    made.close()
