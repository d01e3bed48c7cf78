"""Three real brokers: what `init` asks of them, what the doctor says, what a death costs.

The only place where copies of a topic are real. Timeouts are the shortest that brokers take.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import ResourceType

from loyaltystream.platform import Addresses
from loyaltystream.story import Recipe, generate
from tests.broker.threefold import NODES, PATIENCE_S, Threefold, run_tool, threefold
from tests.cluster import alter
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = pytest.mark.broker

RECIPE = Recipe(events=800, customers=200, partitions=3)
SETTINGS = QUICK | {"topics.replication_factor": "3", "worker.batch_records": "10"}
INSYNC = "min.insync.replicas"
RUN = ("run", "--workers", "1", "--from", "earliest")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Threefold]:
    """Return a cluster of three brokers."""
    with threefold(tmp_path_factory.mktemp("three")) as made:
        yield made


@pytest.fixture(scope="module")
def shop(
    three: Threefold, cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Return a deployment on it, with three copies of everything."""
    addresses = Addresses(three.bootstrap, cluster.registry_url)
    directory = tmp_path_factory.mktemp("copies") / "shop"
    with opened(addresses, directory, RECIPE.partitions, **SETTINGS) as made:
        yield made


@pytest.fixture(autouse=True)
def up(three: Threefold, shop: Shop) -> Iterator[None]:
    """Let every test begin with three brokers, and end without workers."""
    three.start(*NODES)
    yield
    shop.close()


def test_init_makes_three_copies_of_which_two_are_in_sync(three: Threefold, shop: Shop) -> None:
    """With three copies `init` asks for two in sync, although the brokers' own word is one."""
    topics = three.topics(shop.settings.topics.prefix)
    assert len(topics) == 9
    copies = {len(one.replicas) for topic in topics for one in topic.partitions.values()}
    assert copies == {3}
    found = shop.deployment.admin.settings([str(topic.topic) for topic in topics])
    assert {settings[INSYNC] for settings in found.values()} == {"2"}


def examined(shop: Shop, code: int) -> list[dict[str, Any]]:
    """Return the findings of the doctor, who ends with that code."""
    report = json.loads(shop.command("doctor", "--json", code=code).stdout)
    return list(report["findings"])


def found(findings: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return kinds and places."""
    return {(one["kind"], one["place"]) for one in findings}


def test_one_copy_in_sync_is_named(three: Threefold, shop: Shop) -> None:
    """Where one of three copies is enough the doctor names it, with the command that mends it."""
    # Also in the brokers' own topic of committed offsets; and `init` leaves what somebody chose.
    deployment, topic = shop.deployment, shop.deployment.topics.ingest
    deployment.reader.committed(deployment.group("ingest"), topic)  # has brokers make their own
    alter(three.bootstrap, (ResourceType.TOPIC, topic), INSYNC, "1")
    shop.command("init")
    findings = examined(shop, 2)
    assert found(findings) == {("MIN_INSYNC", topic), ("MIN_INSYNC", "__consumer_offsets")}
    for one in findings:
        assert f"{INSYNC} is 1 with 3 copies" in one["what"]
        run_tool(one["fix"], three.bootstrap, shop.directory)
    assert examined(shop, 0) == []
    assert deployment.admin.settings([topic])[topic][INSYNC] == "2"


def of_brokers(findings: list[dict[str, Any]]) -> set[str]:
    """Return the kinds of those findings that are not about events."""
    kinds = {kind for kind, _ in found(findings)}
    return {kind for kind in kinds if not kind.startswith(("KEYS_", "DEAD_LETTERS"))}


def tell(shop: Shop, seed: int) -> None:
    """Send a story."""
    shop.send(generate(RECIPE, seed, now_ms=int(time.time() * 1000)))


def at_work(shop: Shop, log: str) -> subprocess.Popen[bytes]:
    """Return a worker of each stage that has begun to write, with most of a story before it."""
    before = visible(shop)
    worker = shop.start(*RUN, log=log)
    eventually(lambda: visible(shop) > before, "events are routed", PATIENCE_S)
    return worker


def visible(shop: Shop) -> int:
    """Return how many routed events subscribers can see.

    Where a topic ends would be no measure: a leader without enough others does not tell it.
    """
    topic = shop.deployment.topics.emf
    reader = Consumer(
        {
            "bootstrap.servers": shop.settings.kafka.bootstrap_servers,
            "group.id": f"{topic}.onlookers",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,  # a goodbye that can't be written is waited for
            "enable.partition.eof": True,
        }
    )
    reader.assign([TopicPartition(topic, number, 0) for number in range(RECIPE.partitions)])
    seen, ended = 0, set[int | None]()
    while len(ended) < RECIPE.partitions:
        for message in reader.consume(1000, 0.1):
            if (error := message.error()) is None:
                seen += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    reader.close()
    return seen


def leave(shop: Shop, worker: subprocess.Popen[bytes], log: str) -> None:
    """Let a worker finish and go; then every verdict is right, and every effect there once."""
    shop.drain()
    assert worker.poll() is None, shop.log(log)
    assert shop.stop(worker) == 0, shop.log(log)
    assert "Traceback" not in shop.log(log)
    findings = shop.audit()
    assert findings.exact, findings.to_json()


def test_one_broker_may_die(three: Threefold, shop: Shop) -> None:
    """One of three killed under a worker costs seconds: others lead, all is judged exactly once."""
    tell(shop, 1)
    topics = shop.deployment.topics
    assert three.leaders(topics.ingest) == three.leaders(topics.emf) == {1, 2, 3}
    worker = at_work(shop, "one away")
    three.kill(2)
    tell(shop, 2)
    eventually(lambda: three.alive() == {1, 3}, "the others know", PATIENCE_S)
    leave(shop, worker, "one away")
    assert three.leaders(topics.ingest) == {1, 3}
    # Beside what the story leaves: letters, and keys that are absent or another's.
    assert of_brokers(examined(shop, 4)) == {"ADDRESS_AWAY", "OUT_OF_SYNC"}


def test_with_one_of_three_nothing_is_written_and_nothing_lost(
    three: Threefold, shop: Shop
) -> None:
    """Below the count in sync a worker waits, commits nothing, and goes on once two are there."""
    tell(shop, 3)
    worker = at_work(shop, "two away")
    three.kill(2, 3)
    eventually(lambda: three.alive() == {1}, "the last one knows", PATIENCE_S)
    before = visible(shop)
    eventually(
        lambda: "broker.awaited" in shop.log("two away"), "it says that it waits", PATIENCE_S
    )
    assert worker.poll() is None, shop.log("two away")
    assert visible(shop) == before
    three.start(2, 3)
    leave(shop, worker, "two away")
    assert visible(shop) > before
