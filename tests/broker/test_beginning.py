"""Where a group begins is written down at once, events or not."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from loyaltystream.story import Recipe, generate
from tests.shop import Shop

pytestmark = pytest.mark.broker


def test_a_beginning_is_kept_before_the_first_event(make_shop: Callable[..., Shop]) -> None:
    """Once a worker has begun at the end, whatever comes while it is away is judged later."""
    shop = make_shop()
    workers = shop.start("run", "--from", "latest")
    wait_until(lambda: len(committed(shop)) == 8)
    assert shop.stop(workers) == 0, shop.log()
    shop.send(generate(Recipe(events=400, partitions=4), 1, now_ms=int(time.time() * 1000)))
    again = shop.start("run")
    shop.drain()
    assert shop.stop(again) == 0, shop.log()
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    judged = sum(found.consumed for found in findings.partitions if found.stage == "ingest")
    assert judged >= 400


def test_a_group_that_the_broker_forgot_goes_on_behind_its_outputs(
    make_shop: Callable[..., Shop],
) -> None:
    """A broker that lost what was committed has nobody judged or notified a second time."""
    shop = make_shop()
    recipe = Recipe(events=400, partitions=4)
    shop.send(generate(recipe, 1, now_ms=int(time.time() * 1000)))
    workers = shop.start("run", "--from", "earliest")
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    forget(shop, "ingest", "notify")
    assert committed(shop) == []
    shop.send(generate(recipe, 2, now_ms=int(time.time() * 1000)))
    again = shop.start("run", "--from", "earliest")
    shop.drain()
    assert shop.stop(again) == 0, shop.log()
    assert "offsets.forgotten" in shop.log()
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    topics = shop.deployment.topics
    ids = [record.header("ce_id") for record in shop.read(topics.notifications)]
    assert len(set(ids)) == len(ids) > 0


def forget(shop: Shop, *stages: str) -> None:
    """Have the broker forget groups, once their last members are gone."""
    admin = AdminClient({"bootstrap.servers": shop.settings.kafka.bootstrap_servers})
    for stage in stages:
        group = shop.deployment.group(stage)

        def is_gone(group: str = group) -> bool:
            try:
                admin.delete_consumer_groups([group])[group].result()
            except KafkaException:
                return False
            return True

        wait_until(is_gone)


def committed(shop: Shop) -> list[int]:
    """Return the offsets that both groups have committed, a number a partition."""
    deployment = shop.deployment
    reader, topics = deployment.reader, deployment.topics
    return [
        *reader.committed(deployment.group("ingest"), topics.ingest).values(),
        *reader.committed(deployment.group("notify"), topics.emf).values(),
    ]


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for a minute at most."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
