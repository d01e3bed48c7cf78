"""Every test of the contract runs on both backends."""

from collections.abc import Iterator

import pytest

from tests.contract.kafka import KafkaBackend
from tests.contract.memory import MemoryBackend
from tests.contract.ports import Backend

# What the real ports do not keep yet; a mended one makes its test fail here until it is struck off.
BROKEN = {
    "test_a_fenced_sink_can_open_again": "closing a fenced producer raises, unbidden",
    "test_a_fenced_sink_can_be_closed": "closing a fenced producer raises, unbidden",
    "test_partitions_that_could_not_be_taken_come_again": "they are fetched, and told to nobody",
    "test_the_changelog_is_told_up_to_its_end_or_not_at_all": "what is open is passed over",
}


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.broker)])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Return two empty topics in memory, and then on the real broker."""
    made: Backend
    if request.param == "memory":
        made = MemoryBackend()
    else:
        if reason := BROKEN.get(request.function.__name__):
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
        cluster = request.getfixturevalue("proven_cluster")
        made = KafkaBackend(cluster.bootstrap_servers)
    yield made
    made.close()
