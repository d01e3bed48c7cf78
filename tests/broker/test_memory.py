"""A memory that does not fit its log is never worked with: what a worker says, and what helps."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from loyaltystream.memory.changelog import decode
from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Sent
from tests.broker.golden import fresh, write_definitions
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = pytest.mark.broker

EVENTS = 20
SKEW_MS = 300_000
RUN = ("run", "--stage", "ingest")


class Stopped(NamedTuple):
    """A deployment of one partition whose worker has judged `EVENTS` events and left."""

    shop: Shop
    events: list[bytes]


def send(shop: Shop, *values: bytes) -> None:
    """Send events without a key; with one partition none is astray."""
    shop.send(Sent(None, value, (), Intent.NEW) for value in values)


@pytest.fixture(scope="module")
def stopped(
    proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stopped]:
    """Judge a few events and leave; tests that go on take a group of their own."""
    folder = tmp_path_factory.mktemp("memory")
    settings = QUICK | {"rules.definitions": str(write_definitions(folder / "definitions"))}
    with opened(proven_cluster, folder / "shop", 1, **settings) as shop:
        events = [fresh(f"event {number}") for number in range(EVENTS)]
        send(shop, *events)
        worker = shop.start(*RUN, "--from", "earliest")
        shop.drain(["ingest"])
        assert shop.stop(worker) == 0, shop.log()
        yield Stopped(shop, events)


def refused(shop: Shop, *arguments: str, code: int = 5) -> str:
    """Return the error that a worker ends with at once, which is all that it says of it."""
    told = shop.command(*RUN, *arguments, code=code).stderr
    assert "Traceback" not in told
    errors = [line for line in told.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, told
    return errors[0]


def set_offset(shop: Shop, offset: int) -> None:
    """Commit an offset for the group that the settings name."""
    deployment = shop.deployment
    consumer = Consumer(
        {
            "bootstrap.servers": deployment.settings.kafka.bootstrap_servers,
            "group.id": deployment.group("ingest"),
        }
    )
    place = TopicPartition(deployment.topics.ingest, 0, offset)
    consumer.commit(offsets=[place], asynchronous=False)
    consumer.close()


def test_without_a_secret_nothing_starts(stopped: Stopped) -> None:
    """A deployment without memory.hash_key is told what it is and how to make one."""
    with stopped.shop.changed({"memory.hash_key": None}):
        said = refused(stopped.shop, code=2)
    assert "memory.hash_key is not set" in said
    assert "openssl rand" in said


def test_another_secret_is_refused(stopped: Stopped) -> None:
    """Under another secret every remembered id would be unknown, so the worker does not start."""
    with stopped.shop.changed({"memory.hash_key": "another secret of enough length"}):
        said = refused(stopped.shop)
    assert "memory.hash_key" in said
    assert "partition 0" in said


def test_offsets_that_were_set_back_are_refused(stopped: Stopped) -> None:
    """Events that were judged already are not judged again because somebody moved the group."""
    with stopped.shop.changed({"worker.group_prefix": "set-back"}):
        set_offset(stopped.shop, EVENTS - 5)
        said = refused(stopped.shop)
    assert "set back" in said
    assert f"Set them to {EVENTS}" in said


def test_a_lost_changelog_is_refused_and_can_be_accepted(stopped: Stopped) -> None:
    """Without its log a memory starts empty only at an operator's word, and then holds resends."""
    shop, prefix = stopped.shop, stopped.shop.settings.topics.prefix
    lost = {"worker.group_prefix": f"{prefix}lost", "topics.changelog": "changelog-made-anew"}
    with shop.changed(lost):
        shop.command("init")
        set_offset(shop, EVENTS)
        said = refused(shop)
        assert "--accept-memory-loss" in said
        assert "is empty" in said
        worker = shop.start(*RUN, "--accept-memory-loss", log="lost")
        eventually(lambda: "partitions.assigned" in shop.log("lost"), "it has started")
        # Only what is younger than any early copy of an event before the loss is surely new.
        surely_new_ms = int(time.time() * 1000) + SKEW_MS - 100
        send(shop, stopped.events[0], fresh("never seen", occurredAt=surely_new_ms))
        shop.drain(["ingest"])
        assert shop.stop(worker) == 0, shop.log("lost")
    late, accepted = _outputs(shop, EVENTS), _outputs(shop, EVENTS + 1)
    assert late == {("behavioral-events.dead-letter", b"late")}
    assert accepted == {("EMFConsumer", None), ("EIConsumer", None)}


def _outputs(shop: Shop, offset: int) -> set[tuple[str, bytes | None]]:
    """Return the topics, and the verdicts in headers, of what an ingest record has caused."""
    prefix, found = shop.settings.topics.prefix, set()
    topics = shop.deployment.topics
    for topic in (topics.emf, topics.ei, topics.duplicates, topics.dead_letter):
        for record in shop.read(topic):
            source = (record.header("src") or b"").decode().split("/")
            if source[:3] == [topics.ingest, "0", str(offset)]:
                found.add((topic.removeprefix(prefix), record.header("verdict")))
    return found


@pytest.mark.parametrize("choice", ["latest", "text", "milliseconds"])
def test_a_group_begins_where_an_operator_says(stopped: Stopped, choice: str) -> None:
    """A group that never read begins with what comes, or with the first record of a moment."""
    shop = stopped.shop
    topic, prefix = shop.deployment.topics.ingest, shop.settings.topics.prefix
    records = shop.read(topic)
    moment_ms = records[EVENTS - 1].timestamp_ms + 1
    begins = {"latest": "latest", "milliseconds": str(moment_ms), "text": _iso(moment_ms)}
    fresh_group = {
        "worker.group_prefix": f"{prefix}{choice}",
        "topics.changelog": f"changelog-{choice}",
    }
    with shop.changed(fresh_group):
        shop.command("init")
        end = shop.deployment.reader.bounds(topic)[0][1]
        worker = shop.start(*RUN, "--from", begins[choice], log=choice)
        eventually(lambda: "partitions.assigned" in shop.log(choice), "it has started")
        send(shop, fresh(f"after {choice}"))
        shop.drain(["ingest"])
        assert shop.stop(worker) == 0, shop.log(choice)
        first = decode(shop.read(shop.deployment.topics.changelog)[0].value or b"")
    # Behind the last event of the first run lie only its successors.
    assert first.from_offset == (end if choice == "latest" else EVENTS)


def _iso(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(timespec="milliseconds")


def test_a_beginning_that_is_none_is_refused(stopped: Stopped) -> None:
    """What is neither a word nor a moment is told with what there is to choose."""
    said = refused(stopped.shop, "--from", "yesterday", code=2)
    assert "neither earliest, latest, nor a moment" in said


def test_offsets_that_retention_took_are_not_passed_over(stopped: Stopped) -> None:
    """Events that were removed before anybody judged them stop the worker, with what to do."""
    shop = stopped.shop
    deployment = shop.deployment
    topic, kafka = deployment.topics.ingest, deployment.settings.kafka
    send(shop, *(fresh(f"unjudged {number}") for number in range(10)))
    end = deployment.reader.bounds(topic)[0][1]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for answer in admin.delete_records([TopicPartition(topic, 0, end - 5)]).values():
        answer.result(10)
    said = refused(shop)
    assert "OFFSET_LOST" in said
    assert f"{topic}/0" in said
