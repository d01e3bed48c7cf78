"""On the real broker: faults that are made to happen, and the alerts that Prometheus fires then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Recipe, Sent, generate
from tests.cluster import own_platform
from tests.core import raw
from tests.observing.alerts import ALERTS, RECORDINGS
from tests.observing.live import Observed, observed, work
from tests.observing.rule import write_group
from tests.shop import eventually
from tests.telemetry.conftest import WORKERS

pytestmark = pytest.mark.broker

ANSWER_S: Final = 10.0
PATIENCE_S: Final = 90.0
MANY: Final = 1_300
AFTERWARDS: Final = Recipe(events=60, customers=20)


def firing(watched: Observed) -> set[str]:
    """Return the names of the alerts that fire."""
    found = watched.prometheus.query('ALERTS{alertstate="firing"}')
    return {one["metric"]["alertname"] for one in found}


def demand(watched: Observed, *names: str) -> None:
    """Wait until alerts fire."""
    eventually(lambda: firing(watched) >= set(names), f"{names} fire", PATIENCE_S)


@contextmanager
def watching(cluster: Addresses, directory: Path) -> Iterator[Observed]:
    """Yield a shop at work, under rules that fire at once instead of after minutes."""
    urgent = [msgspec.structs.replace(alert, wait="0s") for alert in ALERTS]
    rules = directory / "rules.yml"
    rules.write_text(write_group("urgent", [*RECORDINGS, *urgent]))
    with observed(cluster, directory / "observed", rules=[rules]) as found:
        work(found, Recipe(events=600, customers=60), slices=6, pause_s=lambda _: 1.0)
        yield found


@pytest.fixture
def watched(proven_cluster: Addresses, tmp_path: Path) -> Iterator[Observed]:
    """Return such a shop on the broker that all tests share."""
    with watching(proven_cluster, tmp_path) as found:
        yield found


def test_what_goes_wrong_is_told(watched: Observed) -> None:
    """Rejections, letters, a foreign transaction and dead workers: each fires its own alert."""
    assert firing(watched) <= {"RejectionsSurge"}  # there is no usual yet
    _spoil(watched)
    demand(watched, "RejectionsSurge", "DeadLettersPileUp")
    topic = watched.shop.deployment.topics.ingest
    foreign = Producer(
        {
            "bootstrap.servers": watched.shop.settings.kafka.bootstrap_servers,
            "transactional.id": topic,
        }
    )
    foreign.init_transactions(ANSWER_S)
    foreign.begin_transaction()
    foreign.produce(topic, b"held up", partition=0)
    foreign.flush(ANSWER_S)
    demand(watched, "HangingTransaction", "LagInSeconds")
    foreign.abort_transaction(ANSWER_S)
    eventually(
        lambda: not firing(watched) & {"HangingTransaction", "LagInSeconds"}, "it is over", 30
    )
    watched.shop.close()
    demand(watched, "PartitionsWithoutWorker", "WorkerAway")


def _spoil(watched: Observed) -> None:
    bad = Sent(b"k", raw({"eventName": "purchaseCompleted"}), (), Intent.INVALID)
    for _ in range(4):
        watched.shop.send([bad] * (MANY // 4))
        time.sleep(1.5)


def test_a_lost_memory_and_a_registry_that_is_away_are_told(tmp_path: Path) -> None:
    """Workers that began anew with an empty memory say so, and so do those without a registry."""
    with (
        own_platform(tmp_path / "platform") as platform,
        watching(platform.start(), tmp_path) as watched,
    ):
        shop = watched.shop
        assert not firing(watched) & {"MemoryWindowShortened", "RegistryAway"}
        shop.close()
        admin = AdminClient({"bootstrap.servers": shop.settings.kafka.bootstrap_servers})
        changelog = shop.deployment.topics.changelog
        admin.delete_topics([changelog])[changelog].result(ANSWER_S)
        shop.command("init")
        with shop.changed({"worker.state_dir": str(tmp_path / "another disk")}):
            shop.start("run", "--workers", str(WORKERS), "--accept-memory-loss")
        shop.send([*generate(AFTERWARDS, 6, now_ms=int(time.time() * 1000))])
        demand(watched, "MemoryWindowShortened")
        platform.registry.stop()
        demand(watched, "RegistryAway")
