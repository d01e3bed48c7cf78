"""Partitions that a member gave away and died before anybody could take them."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from loyaltystream.clients import KafkaSettings
from loyaltystream.kafka.source import GroupSource
from loyaltystream.platform import Addresses
from loyaltystream.settings import WorkerSettings
from tests.contract.ports import Told
from tests.shop import QUICK

pytestmark = pytest.mark.broker

PARTITIONS = 6
PATIENCE_S = 90
SESSION_MS = int(QUICK["worker.session_timeout_ms"])

# A member of ours as far as the group can tell; it dies in the middle of giving partitions away.
DYING = """
import os, sys
from confluent_kafka import Consumer
consumer = Consumer({
    "bootstrap.servers": sys.argv[1], "group.id": sys.argv[2], "group.instance.id": "first",
    "session.timeout.ms": int(sys.argv[3]), "enable.auto.commit": False,
    "partition.assignment.strategy": "cooperative-sticky", "auto.offset.reset": "earliest"})
consumer.subscribe([sys.argv[2]], on_assign=lambda _, got: print(len(got), flush=True),
                   on_revoke=lambda *_: os._exit(9))
while True:
    consumer.poll(0.1)
"""


def test_what_nobody_owns_is_shared_out_anew(proven_cluster: Addresses) -> None:
    """A worker that was killed while it gave partitions away leaves none without an owner."""
    topic = f"vigil-{uuid.uuid4().hex[:8]}"
    bootstrap = proven_cluster.bootstrap_servers
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    command = [sys.executable, "-c", DYING, bootstrap, topic, str(SESSION_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dying:
        assert dying.stdout is not None
        assert dying.stdout.readline().strip() == str(PARTITIONS)
        second, seconds = member(bootstrap, topic, "second")
        poll(lambda: dying.poll() is not None, second)
    first, firsts = member(bootstrap, topic, "first")
    poll(lambda: bool(firsts.owned), first, second)
    assert firsts.owned | seconds.owned != set(range(PARTITIONS))
    poll(lambda: firsts.owned | seconds.owned == set(range(PARTITIONS)), first, second)
    assert not firsts.owned & seconds.owned
    for source in (first, second):
        source.close()


def member(bootstrap: str, topic: str, name: str) -> tuple[GroupSource, Told]:
    """Return a member that has joined, and what it owns."""
    worker = WorkerSettings(
        batch_ms=50,
        message_timeout_ms=3000,
        transaction_timeout_ms=4000,
        session_timeout_ms=SESSION_MS,
    )
    kafka = KafkaSettings(bootstrap_servers=bootstrap)
    source, told = GroupSource(kafka, worker, topic=topic, group=topic, member=name), Told()
    source.join(told)
    return source, told


def poll(holds: Callable[[], bool], *sources: GroupSource) -> None:
    """Poll until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        for source in sources:
            source.poll()
