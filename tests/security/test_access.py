"""Each role on a real broker with an authorizer, with exactly the rights that are told."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import ResourceType

from loyaltystream.access import Grant, Names, Role, grants
from loyaltystream.deployment import Deployment
from loyaltystream.kafka.granting import allow
from loyaltystream.settings import Settings, TopicSettings
from loyaltystream.story import ORG_ID, Recipe, definitions_folder, generate
from loyaltystream.tailing.shown import moment
from tests.broker.test_gateway import Gate, free_port
from tests.cluster import alter
from tests.security.guarded import LISTENER, Guarded, Lookup, guarded
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]

RECIPE: Final = Recipe(events=300, customers=30, partitions=2)
PREFIX: Final = "guarded"
CRM: Final = f"{PREFIX}.crm"
DAY_MS: Final = 86_400_000
BOUGHT: Final[dict[str, Any]] = {
    "eventId": "posted",
    "eventName": "purchaseCompleted",
    "orgId": ORG_ID,
    "customer": {"identifiers": [{"type": "mobile", "value": "919812345678"}]},
    "fields": {"billNumber": "B-1", "amount": 5, "transactionId": 7},
}
UNMAPPABLE: Final = BOUGHT | {
    "eventId": "a basket of many",
    "fields": BOUGHT["fields"] | {"billNumber": "B-2", "basket": {"lineItemCount": "many"}},
}
"""Accepted, and then a letter of stage notify."""


@pytest.fixture(scope="module")
def cluster_with_rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Return a platform that knows people by their certificates, and asks its rules."""
    rules = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+)$/$1/,DEFAULT",
        f"{LISTENER}.ssl.client.auth": "required",
    }
    with guarded(tmp_path_factory.mktemp("guarded") / "here", "SSL", rules) as found:
        yield found


def settings_of(cluster: Guarded) -> dict[str, str]:
    """Return what makes a deployment whose names are known beforehand."""
    return {
        "topics.prefix": f"{PREFIX}.",
        "worker.group_prefix": PREFIX,
        "definitions.source": "topic",
        "gateway.port": str(free_port()),
        "kafka.client": json.dumps(cluster.certified(Role.INIT)),
        "registry.client": json.dumps(cluster.signed("registry-client")),
        **QUICK,
    }


class Played:
    """A deployment in which each command had a user of its own, and what the broker was asked."""

    def __init__(self, shop: Shop, cluster: Guarded, names: Names) -> None:
        self.shop = shop
        self.names = names
        self.cluster = cluster

    @contextmanager
    def by(self, role: Role) -> Iterator[None]:
        """Work with a role's certificate for a while."""
        with self.shop.changed({"kafka.client": json.dumps(self.cluster.certified(role))}):
            yield

    def client(self, role: Role) -> dict[str, str]:
        """Return what a stock client of a role is made with."""
        where = {"bootstrap.servers": self.cluster.addresses.bootstrap_servers}
        return where | self.cluster.certified(role)

    def run(self, role: Role, *arguments: str, given: str | None = None) -> str:
        """Return what a command of a role tells; it has to be done."""
        with self.by(role):
            return self.shop.command(*arguments, given=given).stdout

    def drain(self) -> None:
        """Wait for the workers, as a viewer."""
        with self.by(Role.VIEWER):
            self.shop.drain()


@pytest.fixture(scope="module")
def played(
    cluster_with_rules: Guarded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    """Return a deployment that every role has worked in."""
    prefixed = TopicSettings(prefix=f"{PREFIX}.")
    topics = Deployment(Settings(topics=prefixed)).topics
    names = Names(topics, PREFIX, topic=CRM, group="crm")
    for role in Role:
        allow(cluster_with_rules.kafka, f"User:{role}", grants(role, names))
    directory = tmp_path_factory.mktemp("access") / "shop"
    given = settings_of(cluster_with_rules)
    with opened(cluster_with_rules.addresses, directory, RECIPE.partitions, **given) as shop:
        scene = Played(shop, cluster_with_rules, names)
        play(scene)
        yield scene


def play(scene: Played) -> None:
    """Have each role do all that it is there for."""
    prepare(scene)
    workers = work(scene, Role.INGEST, Role.NOTIFY)
    produce(scene)
    send(scene)
    scene.drain()
    mend(scene)
    scene.drain()
    assert [scene.shop.stop(one) for one in workers] == [0, 0], scene.shop.log("ingest")
    # Now there is something in every topic, and no snapshot: all is read before the first batch.
    shutil.rmtree(scene.shop.settings.worker.state_dir)
    workers = ask(scene)
    subscribe(scene)
    look(scene)
    assert [scene.shop.stop(one) for one in workers] == [0, 0], scene.shop.log("ingest")
    with scene.shop.changed({"topics.partitions": str(RECIPE.partitions + 1)}):
        scene.run(Role.RELAYOUT, "memory", "relayout")


def prepare(scene: Played) -> None:
    """Have somebody spoil every topic, and `init` mend it; define events."""
    for name in msgspec.structs.astuple(scene.names.topics):
        where = scene.cluster.kafka.bootstrap_servers
        alter(where, (ResourceType.TOPIC, name), "max.message.bytes", "1000")
    scene.run(Role.INIT, "init")
    scene.run(Role.DEFINITIONS, "definitions", "apply", str(definitions_folder()))


def work(scene: Played, *stages: Role) -> list[subprocess.Popen[bytes]]:
    """Start a worker of each of these stages."""
    started = []
    for role in stages:
        with scene.by(role):
            asked = ("run", "--stage", role.value, "--from", "earliest")
            started.append(scene.shop.start(*asked, log=role.value))
    return started


def produce(scene: Played) -> None:
    """Write events of all kinds as a till does, and one that ends as a letter of stage notify."""
    producer = Producer(scene.client(Role.PRODUCER) | {"partitioner": "murmur2_random"})
    for sent in generate(RECIPE, 5, now_ms=int(time.time() * 1000)):
        producer.produce(
            scene.names.topics.ingest, sent.value, sent.key, headers=list(sent.headers)
        )
    assert producer.flush(20) == 0


def send(scene: Played) -> None:
    """Send what is accepted and can't be mapped, and what is rejected."""
    lines = [json.dumps(UNMAPPABLE), json.dumps(BOUGHT | {"eventId": "bad", "fields": {}})]
    scene.run(Role.GATEWAY, "send", "-", given="\n".join(lines))


def ask(scene: Played) -> list[subprocess.Popen[bytes]]:
    """Send an event over HTTP, start the workers, and ask what became of it and of others."""
    shop = scene.shop
    with scene.by(Role.GATEWAY):
        gate = Gate(shop)
        process = gate.start()
        assert gate.post("/events", json.dumps(BOUGHT).encode())[0] == 202
        assert gate.get("posted")[1]["state"] == "pending"
        workers = work(scene, Role.INGEST)
        # Nobody has mapped it yet, so that the gateway asks how far stage notify is.
        eventually(lambda: gate.get("posted")[1].get("accepted"), "it is told that it was accepted")
        workers += work(scene, Role.NOTIFY)
        assert gate.get("bad")[1]["state"] == "rejected"
        assert shop.stop(process) == 0, shop.log("gateway")
    return workers


def subscribe(scene: Played) -> None:
    """Read a notification with a stock client, and commit that."""
    own = {"group.id": scene.names.group, "auto.offset.reset": "earliest"}
    consumer = Consumer(scene.client(Role.SUBSCRIBER) | own)
    consumer.subscribe([scene.names.topics.notifications])
    message = consumer.poll(20)
    assert message is not None
    assert message.error() is None
    consumer.commit(message=message, asynchronous=False)
    consumer.close()


def look(scene: Played) -> None:
    """Read all that there is to be read."""
    assert json.loads(scene.run(Role.VIEWER, "audit", "--json"))["exact"]
    assert json.loads(scene.run(Role.VIEWER, "why", "posted", "--json"))["arrivals"]
    for asked in (
        ("tail", "notifications", "--json"),
        ("dead-letters", "list", "--json"),
        ("definitions", "list", "--json"),
        ("memory", "verify", "--json"),
    ):
        scene.run(Role.VIEWER, *asked)
    with scene.by(Role.DOCTOR):
        found = json.loads(scene.shop.command("doctor", "--json", code=4).stdout)
    # What the story does on purpose; of rights there is nothing to be told.
    told = {one["kind"] for one in found["findings"]}
    assert told <= {"DEAD_LETTERS", "KEYS_ABSENT", "KEYS_FOREIGN"}
    assert found["unseen"] == []


def mend(scene: Played) -> None:
    """Change what people may change by hand."""
    why = ("--because", "a test")
    scene.run(Role.REPAIR, "dead-letters", "discard", "--id", "bad", *why)
    scene.run(Role.REPAIR, "dead-letters", "release", "--verdict", "conflict", *why)
    scene.run(Role.REPAIR, "dead-letters", "replay", "--all", "--json")
    until = moment(int(time.time() * 1000) - DAY_MS) or ""
    fields = BOUGHT["fields"] | {"billNumber": "B-3"}
    old = BOUGHT | {"eventId": "of old", "occurredAt": 1_500_000_000_000, "fields": fields}
    imported = ("backfill", "-", "--import-id", "old", "--until", until)
    scene.run(Role.BACKFILL, *imported, given=json.dumps(old))
    again = ("re-emit", "--to", CRM, "--re-emit-id", "a", "--since", "2026-01-01T00:00:00Z")
    scene.run(Role.RE_EMIT, *again, "--create")
    [definition] = definitions_folder().glob("*/purchaseCompleted.json")
    scene.run(Role.DEFINITIONS, "definitions", "what-if", str(definition), "--json")


def is_of(lookup: Lookup, grant: Grant) -> bool:
    """Say whether a grant is about what was looked up."""
    resource = "".join(part.title() for part in grant.resource.value.split("-"))
    named = lookup.name.startswith(grant.name) if grant.prefixed else lookup.name == grant.name
    return lookup.resource == resource and named


def test_no_role_lacks_a_right(played: Played) -> None:
    """What each role's commands asked the broker for was allowed, and they were done."""
    denied = {one for one in played.cluster.looked_up() if not one.allowed}
    assert denied == set()


def test_no_role_has_a_right_too_many(played: Played, show: Callable[[str], None]) -> None:
    """Each right that a role is given was used by it: a broker's log of who asked for what."""
    asked = played.cluster.looked_up()
    given = [
        (role, grant, operation)
        for role in Role
        if role is not Role.DOCTOR  # it is told what it may do, and does little of it
        for grant in grants(role, played.names)
        for operation in grant.operations
    ]
    unused = [
        (role.value, grant.name, operation.value)
        for role, grant, operation in given
        if not any(
            one.who == role and one.operation == operation.name and is_of(one, grant)
            for one in asked
        )
    ]
    assert unused == []
    show(f"{len(given)} rights of {len(Role)} roles: each was used, and no other was missed")
