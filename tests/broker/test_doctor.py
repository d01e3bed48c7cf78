"""The doctor on the real broker: planted mistakes are named, and what it says mends them.

What only a cluster can get wrong, copies and how many are in sync, is in `test_three_brokers.py`.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewPartitions,
    ResourcePatternType,
    ResourceType,
)

from loyaltystream.keys import murmur2, place
from loyaltystream.platform import Addresses, Variation
from loyaltystream.story import ORG_ID
from tests.cluster import alter, own_platform
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = pytest.mark.broker

PARTITIONS = 4
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def shop(proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Return a deployment that `init` has just made."""
    directory = tmp_path_factory.mktemp("doctor") / "shop"
    with opened(proven_cluster, directory, PARTITIONS, **QUICK) as made:
        yield made


def examined(shop: Shop, code: int) -> dict[str, Any]:
    """Return what the doctor says, who ends with that code."""
    report: dict[str, Any] = json.loads(shop.command("doctor", "--json", code=code).stdout)
    assert report["exit_code"] == code
    return report


def found(report: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the kinds and places of all findings."""
    return {(one["kind"], one["place"]) for one in report["findings"]}


def admin(shop: Shop) -> AdminClient:
    """Return a client of the shop's broker."""
    return AdminClient({"bootstrap.servers": shop.settings.kafka.bootstrap_servers})


def event(number: int) -> bytes:
    """Return an event of a customer of her own."""
    mobile = f"9198{number:08d}"
    return json.dumps(
        {
            "eventId": str(uuid.uuid4()),
            "eventName": "productViewed",
            "orgId": ORG_ID,
            "customer": {"identifiers": [{"type": "mobile", "value": mobile}]},
            "fields": {"sku": f"SKU-{number}"},
        }
    ).encode()


def test_a_healthy_deployment_has_nothing_wrong(shop: Shop) -> None:
    """Of a deployment as `init` makes it everything is looked at, nothing is found and written."""
    report = examined(shop, 0)
    assert report["healthy"]
    assert report["unseen"] == []
    assert len(report["looked_at"]) == 17
    topics = shop.deployment.topics
    assert [len(shop.read(topic)) for topic in (topics.ingest, topics.changelog)] == [0, 0]


PLANTED: list[tuple[str, str, str, str]] = [
    ("TIMESTAMP_TYPE", "ingest", "message.timestamp.type", "CreateTime"),
    ("CLEANUP_POLICY", "changelog", "cleanup.policy", "compact"),
    ("RETENTION", "changelog", "retention.ms", str(DAY_MS)),
    ("MESSAGE_BYTES", "emf", "max.message.bytes", "1000"),
]


@pytest.mark.parametrize(("kind", "role", "setting", "value"), PLANTED)
def test_a_topic_that_was_changed_is_named(
    shop: Shop, kind: str, role: str, setting: str, value: str
) -> None:
    """A setting that workers refuse is named with its topic, and the fix mends it."""
    topic = getattr(shop.deployment.topics, role)
    alter(shop.settings.kafka.bootstrap_servers, (ResourceType.TOPIC, topic), setting, value)
    report = examined(shop, 2)
    assert found(report) == {(kind, topic)}
    [one] = report["findings"]
    assert setting in one["what"]
    shop.command(*one["fix"].split()[1:])
    assert examined(shop, 0)["healthy"]


def test_a_registry_without_compatibility_is_named(shop: Shop) -> None:
    """A subject at NONE is named; `init`, the fix, gives it its level back."""
    subject = f"{shop.deployment.topics.emf}-loyalty.event.v1.BehavioralEvent"
    for level, kind, code in (("NONE", "COMPATIBILITY_NONE", 2), ("FULL", "COMPATIBILITY_WEAK", 4)):
        request = Request(  # noqa: S310 (always http)
            f"{shop.settings.registry.url}/config/{subject}",
            json.dumps({"compatibility": level}).encode(),
            {"Content-Type": "application/vnd.schemaregistry.v1+json"},
            method="PUT",
        )
        urlopen(request, timeout=10).close()  # noqa: S310 (likewise)
        report = examined(shop, code)
        assert found(report) == {(kind, subject)}
        shop.command(*report["findings"][0]["fix"].split()[1:])
        assert examined(shop, 0)["healthy"]


def test_timeouts_in_the_wrong_order_are_named(shop: Shop) -> None:
    """A session below its transaction is named although the settings are not usable at all."""
    with shop.changed({"worker.session_timeout_ms": "3500"}):
        report = examined(shop, 2)
    assert {one["kind"] for one in report["findings"]} == {"TIMEOUTS"}
    assert "session_timeout_ms (3500)" in report["findings"][0]["what"]
    assert report["unseen"] == [{"what": "all else", "why": "the settings are not usable"}]


def test_timeouts_that_the_broker_refuses_are_named(shop: Shop) -> None:
    """A session that is shorter than the broker allows is named before a worker fails by it."""
    short = {
        "worker.batch_ms": "50",
        "worker.message_timeout_ms": "200",
        "worker.transaction_timeout_ms": "1000",
        "worker.session_timeout_ms": "1001",
        "kafka.client": '{"max.poll.interval.ms": "1000"}',
    }
    with shop.changed(short):
        assert found(examined(shop, 2)) == {("TIMEOUTS", "kafka.client: max.poll.interval.ms")}


def test_a_broker_that_is_away_is_named(shop: Shop) -> None:
    """Where no broker answers that is all that is told of it, with the code of an outage."""
    with shop.changed({"kafka.bootstrap_servers": "127.0.0.1:1"}):
        report = examined(shop, 3)
    assert found(report) == {("BROKER_AWAY", "127.0.0.1:1")}
    assert "Connection refused" in report["findings"][0]["what"]
    assert report["unseen"] == [{"what": "all that only a broker tells", "why": "none answers"}]


def test_one_of_two_addresses_is_named(shop: Shop) -> None:
    """A second address where nobody answers is a warning: the first one is enough for today."""
    known = shop.settings.kafka.bootstrap_servers
    with shop.changed({"kafka.bootstrap_servers": f"{known},127.0.0.1:1"}):
        assert found(examined(shop, 4)) == {("ADDRESS_AWAY", "127.0.0.1:1")}


def test_a_registry_that_is_away_is_named(shop: Shop) -> None:
    """Where no registry answers, all that the broker tells is looked at all the same."""
    with shop.changed({"registry.url": "http://127.0.0.1:1"}):
        report = examined(shop, 3)
    assert found(report) == {("REGISTRY_AWAY", "http://127.0.0.1:1")}
    assert "topics" in report["looked_at"]


def test_topics_that_are_not_there_are_named(shop: Shop) -> None:
    """Before `init` every topic is named, every schema, and what could not be looked at."""
    with shop.changed({"topics.prefix": "never-made."}):
        report = examined(shop, 2)
    kinds = [one["kind"] for one in report["findings"]]
    assert kinds.count("TOPIC_MISSING") == 9
    assert "SCHEMA_MISSING" in kinds
    assert {one["what"] for one in report["unseen"]} >= {"memory", "dead letters"}


def test_producers_that_place_keys_by_crc32_are_named(make_shop: Callable[..., Shop]) -> None:
    """A stock librdkafka producer's placement is told apart from Java's by a few records."""
    shop = make_shop(PARTITIONS)
    topic = shop.deployment.topics.ingest
    producer = Producer({"bootstrap.servers": shop.settings.kafka.bootstrap_servers})
    for number in range(30):
        producer.produce(topic, event(number), f"{ORG_ID}|mobile|9198{number:08d}".encode())
    assert producer.flush(10) == 0
    report = examined(shop, 4)
    named = shop.deployment.group("ingest")
    assert found(report) == {("KEYS_BY_CRC32", topic), ("NOBODY_READS", named)}


def test_keys_that_are_absent_or_another_are_named(make_shop: Callable[..., Shop]) -> None:
    """Records without a key, and with a key that is not their event's, are told apart."""
    shop = make_shop(PARTITIONS)
    topic = shop.deployment.topics.ingest
    producer = Producer({"bootstrap.servers": shop.settings.kafka.bootstrap_servers})
    for number in range(6):
        key = f"till-{number}".encode()
        home = int(place(murmur2([key]), PARTITIONS)[0])
        producer.produce(topic, event(number), key, partition=home)
        producer.produce(topic, event(number), partition=number % PARTITIONS)
    assert producer.flush(10) == 0
    kinds = {one["kind"] for one in examined(shop, 4)["findings"]}
    assert kinds == {"KEYS_ABSENT", "KEYS_FOREIGN", "NOBODY_READS"}


def test_another_hash_key_is_named(make_shop: Callable[..., Shop]) -> None:
    """Once something is remembered, another secret is named; beside workers nothing is wrong."""
    shop = make_shop(PARTITIONS)
    given = "\n".join(event(number).decode() for number in range(20))
    shop.command("send", "-", given=given)
    workers = shop.start("run", "--from", "earliest")
    shop.drain()
    assert examined(shop, 0)["healthy"]
    assert shop.stop(workers) == 0
    # Static members are in their groups for a session more.
    eventually(lambda: examined(shop, 0)["healthy"], "nobody is in the groups")
    with shop.changed({"memory.hash_key": "another secret of 16 characters"}):
        assert found(examined(shop, 2)) == {("HASH_KEY", "memory.hash_key")}
    with shop.changed({"memory.hash_key": None}):
        report = examined(shop, 2)
    assert found(report) == {("HASH_KEY_MISSING", "memory.hash_key")}
    assert [one["what"] for one in report["unseen"]] == ["memory"]


def test_a_hanging_transaction_is_named(make_shop: Callable[..., Shop]) -> None:
    """A transaction that somebody else left open for longer than ours last is named."""
    shop = make_shop(PARTITIONS)
    topic = shop.deployment.topics.ingest
    hanging = Producer(
        {
            "bootstrap.servers": shop.settings.kafka.bootstrap_servers,
            "transactional.id": f"{topic}.stranger",
            "transaction.timeout.ms": 120_000,
        }
    )
    hanging.init_transactions(30)
    hanging.begin_transaction()
    hanging.produce(topic, b"never committed", partition=2)
    assert hanging.flush(10) == 0
    assert found(examined(shop, 2)) == {("HANGING_TRANSACTION", f"{topic}/2")}
    hanging.abort_transaction(30)


def test_partition_counts_that_differ_are_named(make_shop: Callable[..., Shop]) -> None:
    """A topic with more partitions than the others is named, and no count is a surprise later."""
    shop = make_shop(PARTITIONS)
    topic = shop.deployment.topics.emf
    client = admin(shop)
    client.create_partitions([NewPartitions(topic, 6)])[topic].result()
    eventually(lambda: shop.deployment.reader.partitions(topic) == 6, "six partitions")
    assert found(examined(shop, 2)) == {("PARTITIONS", topic)}


def test_dead_letters_are_a_notice(make_shop: Callable[..., Shop]) -> None:
    """Letters that wait for a person are told, and change no exit code."""
    shop = make_shop(PARTITIONS)
    shop.command("send", "-", given="{}")
    workers = shop.start("run", "--from", "earliest")
    shop.drain()
    report = examined(shop, 0)
    assert found(report) == {("DEAD_LETTERS", shop.deployment.topics.dead_letter)}
    assert not report["healthy"]
    assert shop.stop(workers) == 0


@contextmanager
def guarded(directory: Path) -> Iterator[Addresses]:
    """Yield a platform whose broker asks its access rules."""
    rules = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
    }
    with own_platform(directory, Variation(broker=rules)) as platform:
        yield platform.start()


def test_what_the_access_rules_deny_is_named(tmp_path: Path) -> None:
    """On a broker with an authorizer, denied transactions, topics and groups are each named."""
    with guarded(tmp_path / "platform") as addresses, opened(addresses, tmp_path / "shop") as shop:
        assert examined(shop, 0)["healthy"]
        prefix, topics = shop.settings.worker.group_prefix, shop.deployment.topics
        client = admin(shop)
        for what in (
            deny(ResourceType.TRANSACTIONAL_ID, f"{prefix}.", AclOperation.WRITE),
            deny(ResourceType.TOPIC, topics.notifications, AclOperation.WRITE),
            deny(ResourceType.GROUP, shop.deployment.group("notify"), AclOperation.READ),
        ):
            client.create_acls([what])[what].result()
        eventually(
            lambda: {kind for kind, _ in found(examined(shop, 2))} == {"TRANSACTIONS", "ACCESS"},
            "the rules are in force",
        )
        report = examined(shop, 2)
        places = {place for kind, place in found(report) if kind == "ACCESS"}
        assert places == {topics.notifications, shop.deployment.group("notify")}
        [refused] = [one for one in report["findings"] if one["kind"] == "TRANSACTIONS"]
        assert f"--transactional-id {prefix}." in refused["fix"]
        assert [one["what"] for one in report["unseen"]] == ["clock skew"]


def deny(kind: ResourceType, name: str, operation: AclOperation) -> AclBinding:
    """Return a rule that keeps everybody from something."""
    return AclBinding(
        kind,
        name,
        ResourcePatternType.PREFIXED,
        "User:ANONYMOUS",
        "*",
        operation,
        AclPermissionType.DENY,
    )
