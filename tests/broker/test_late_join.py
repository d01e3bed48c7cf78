"""A worker that its group refuses because of a join of its own that the broker heard late.

The client repeats a join whose answer does not come; the broker may get the first one behind the
second, and then takes it for another process under the same name.
"""

import signal
import socket
import struct
import time
from collections.abc import Callable

import pytest

from loyaltystream.app import member_name
from loyaltystream.story import Recipe, generate
from tests.shop import QUICK, Shop, eventually

pytestmark = pytest.mark.broker

RECIPE = Recipe(events=600, customers=100, partitions=2)
JOIN_GROUP = 11
VERSION = 5
ANSWER_S = 30
STAGE = ("--stage", "ingest", "--from", "earliest")


def text(value: str) -> bytes:
    """Return a string as Kafka's protocol writes it."""
    return struct.pack(">h", len(value)) + value.encode()


def join(shop: Shop, member: str) -> int:
    """Join the ingest group as a client does that has no member id yet; return the error code."""
    group, topic = shop.deployment.group("ingest"), shop.deployment.topics.ingest
    subscription = struct.pack(">hi", 1, 1) + text(topic) + struct.pack(">ii", -1, 0)
    body = b"".join(
        [
            text(group),
            struct.pack(">ii", shop.settings.worker.session_timeout_ms, 300_000),
            text(""),
            text(member),
            text("consumer"),
            struct.pack(">i", 1),
            text("cooperative-sticky"),
            struct.pack(">i", len(subscription)),
            subscription,
        ]
    )
    request = struct.pack(">hhi", JOIN_GROUP, VERSION, 1) + text("late") + body
    host, _, port = shop.settings.kafka.bootstrap_servers.rpartition(":")
    with socket.create_connection((host, int(port)), ANSWER_S) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as stream:
            (size,) = struct.unpack(">i", stream.read(4))
            _correlation, _throttle, code = struct.unpack_from(">iih", stream.read(size))
    return int(code)


def tell(shop: Shop, seed: int) -> None:
    """Send a story."""
    shop.send(generate(RECIPE, seed, now_ms=int(time.time() * 1000)))


def test_a_join_that_the_broker_hears_late_ends_nobody(make_shop: Callable[..., Shop]) -> None:
    """A worker that is refused for it lets go, waits until nobody has its name, and works on."""
    shop = make_shop(partitions=RECIPE.partitions, **QUICK)
    worker = shop.start("run", *STAGE)
    eventually(lambda: "partitions.assigned" in shop.log(), "it is at work")
    tell(shop, 1)
    assert join(shop, member_name(shop.settings, "ingest", 0)) == 0
    eventually(lambda: "the group refuses" in shop.log(), "it is refused")
    tell(shop, 2)
    shop.drain(["ingest"])
    assert worker.poll() is None, shop.log()
    assert shop.stop(worker) == 0, shop.log()
    findings = shop.audit()
    assert not [fault for fault in findings.faults if findings.faults[fault]], findings.to_json()


def test_a_worker_that_waits_for_its_name_can_be_stopped(make_shop: Callable[..., Shop]) -> None:
    """Asked to end while it finds out who has its name, a worker leaves at once, with 0."""
    shop = make_shop(partitions=RECIPE.partitions, **QUICK)
    worker = shop.start("run", *STAGE)
    eventually(lambda: "partitions.assigned" in shop.log(), "it is at work")
    assert join(shop, member_name(shop.settings, "ingest", 0)) == 0
    eventually(lambda: "the group refuses" in shop.log(), "it is refused")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(ANSWER_S) == 0, shop.log()
    assert "worker.left" not in shop.log()
