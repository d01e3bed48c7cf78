"""Workers that come back from snapshots, on the real broker: what was seen stays seen."""

import json
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from loyaltystream.keeping import snapshots_directory
from loyaltystream.platform import Addresses
from loyaltystream.snapshots.files import Files
from loyaltystream.snapshots.shelf import end_of
from loyaltystream.story import Intent, Recipe, Sent, generate
from tests.broker.golden import fresh, write_definitions
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = pytest.mark.broker

EVENTS = 3_000
MORE = 500
KILLS = 5
CHUNK = 3_000
RUN = ("run", "--stage", "ingest", "--from", "earliest")


class Returned(NamedTuple):
    """A deployment whose worker was killed behind its first snapshot, came back, and left."""

    shop: Shop
    leaving_s: float


@pytest.fixture(scope="module")
def returned(
    proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Returned]:
    """Judge events, kill the worker, and send all of them again."""
    folder = tmp_path_factory.mktemp("snapshots")
    settings = {
        "rules.definitions": str(write_definitions(folder / "definitions")),
        "memory.snapshot_ids": "1000",
    }
    with opened(proven_cluster, folder / "shop", 1, **QUICK, **settings) as shop:
        events = [fresh(f"event {number}") for number in range(EVENTS + MORE)]
        send(shop, events[:EVENTS])
        worker = shop.start(*RUN, log="first")
        shop.drain(["ingest"])
        eventually(lambda: told(shop, "first", "snapshot.written"), "a snapshot is written")
        send(shop, events[EVENTS:])
        shop.drain(["ingest"])
        worker.kill()
        worker.wait()
        worker = shop.start(*RUN, log="second")
        send(shop, events)
        shop.drain(["ingest"])
        began_s = time.monotonic()
        assert shop.stop(worker) == 0, shop.log("second")
        yield Returned(shop, time.monotonic() - began_s)


def send(shop: Shop, values: list[bytes]) -> None:
    """Send events without a key; with one partition none is astray."""
    shop.send(Sent(None, value, (), Intent.NEW) for value in values)


def told(shop: Shop, log: str, event: str) -> list[dict[str, Any]]:
    """Return what a worker has said of something, line by line."""
    lines = (json.loads(line) for line in shop.log(log).splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def files(shop: Shop) -> tuple[Files, Path]:
    """Return where the group's snapshots lie."""
    directory = snapshots_directory(shop.settings, shop.deployment.group("ingest"))
    return Files(directory), directory


def test_a_killed_worker_comes_back_from_its_snapshot(returned: Returned) -> None:
    """What a worker accepted before and behind its snapshot is known when it comes back."""
    shop = returned.shop
    [first] = told(shop, "first", "memory.restored")
    [second] = told(shop, "second", "memory.restored")
    assert (first["source"], second["source"]) == ("changelog", "snapshot")
    assert told(shop, "second", "snapshot.refused") == []
    topics = shop.deployment.topics
    assert len(shop.read(topics.emf)) == EVENTS + MORE
    assert len(shop.read(topics.duplicates)) == EVENTS + MORE


def test_a_worker_that_leaves_writes_a_last_snapshot(returned: Returned) -> None:
    """Told to stop, it leaves in time, and what it leaves goes up to its last commit."""
    names = files(returned.shop)[0].names(0)
    assert end_of(names[0]) == 2 * (EVENTS + MORE)
    assert len(names) == 2
    assert returned.leaving_s < 10


def test_the_changelog_says_what_the_snapshots_say(returned: Returned) -> None:
    """The command that compares them finds every snapshot to be right, and inspect counts it."""
    verified = json.loads(returned.shop.command("memory", "verify", "--json").stdout)
    assert [(result["ids"], result["why"]) for result in verified] == [(EVENTS + MORE, None)] * 2
    [seen] = json.loads(returned.shop.command("memory", "inspect", "--json").stdout)
    assert seen["end_offset"] == 2 * (EVENTS + MORE)
    assert [unit["ids"] for unit in seen["units"]] == [EVENTS + MORE]


def test_a_topic_made_anew_has_another_id(returned: Returned) -> None:
    """A topic keeps its id, and one that takes its name has another."""
    reader, topic = returned.shop.deployment.reader, f"{returned.shop.settings.topics.prefix}anew"
    admin = AdminClient({"bootstrap.servers": returned.shop.settings.kafka.bootstrap_servers})
    ids = []
    for _ in range(2):
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(10)
        eventually(lambda: topic in admin.list_topics(timeout=5).topics, "the topic is there")
        ids.append(reader.topic_id(topic))
        assert reader.topic_id(topic) == ids[-1]
        admin.delete_topics([topic])[topic].result(10)
        eventually(lambda: topic not in admin.list_topics(timeout=5).topics, "it is gone")
    assert len(set(ids)) == 2


def test_a_damaged_snapshot_is_passed_over(returned: Returned) -> None:
    """With its newest snapshot damaged a worker says so, and starts from the one before."""
    shop = returned.shop
    shelf, directory = files(shop)
    newest = directory / "0" / shelf.names(0)[0]
    whole = newest.read_bytes()
    newest.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    said = shop.command("memory", "verify", code=4).stdout
    assert "damaged" in said
    worker = shop.start(*RUN, log="third")
    eventually(lambda: told(shop, "third", "memory.restored"), "the worker has its memory")
    assert shop.stop(worker) == 0
    [refused] = told(shop, "third", "snapshot.refused")
    [restored] = told(shop, "third", "memory.restored")
    assert "checksum" in refused["why"]
    assert restored["source"] == "snapshot"
    newest.write_bytes(whole)


@pytest.mark.timeout(400)
def test_kills_while_snapshots_are_written(proven_cluster: Addresses, tmp_path: Path) -> None:
    """However often a worker is killed behind a snapshot, or in it, everything stays exact."""
    moments = random.Random(3)
    recipe = Recipe(events=KILLS * CHUNK, customers=300, partitions=2)
    story = generate(recipe, 11, now_ms=int(time.time() * 1000))
    settings = QUICK | {"memory.snapshot_ids": "1000"}
    with opened(proven_cluster, tmp_path / "shop", recipe.partitions, **settings) as shop:
        notify = shop.start("run", "--stage", "notify", "--from", "earliest", log="notify")
        before = 0
        for _ in range(KILLS):
            worker = shop.start(*RUN, log="killed")
            shop.send(islice(story, CHUNK))

            def goes_on(before: int = before) -> bool:
                return len(told(shop, "killed", "snapshot.written")) > before

            eventually(goes_on, "another snapshot is written", within_s=60)
            before = len(told(shop, "killed", "snapshot.written"))
            time.sleep(moments.uniform(0, 0.4))
            worker.kill()
            worker.wait()
        worker = shop.start(*RUN, log="killed")
        shop.drain()
        findings = shop.audit()
        assert findings.exact, findings.to_json()
        assert shop.stop(worker) == shop.stop(notify) == 0
        restored = [line["source"] for line in told(shop, "killed", "memory.restored")]
        assert restored.count("snapshot") >= KILLS
        assert told(shop, "killed", "snapshot.refused") == []
        shop.command("memory", "verify")


def test_a_disk_that_takes_nothing_stops_no_work(returned: Returned) -> None:
    """Where the state directory can't be written, a worker says so and judges on."""
    shop = returned.shop
    _, directory = files(shop)
    aside = directory.rename(directory.with_name("aside"))
    directory.write_text("no directory")
    worker = shop.start(*RUN, log="fourth")
    send(shop, [fresh(f"on a full disk {number}") for number in range(1_500)])
    shop.drain(["ingest"])
    eventually(lambda: told(shop, "fourth", "snapshot.failed"), "the failure is told")
    assert shop.stop(worker) == 0
    directory.unlink()
    aside.rename(directory)
    [restored] = told(shop, "fourth", "memory.restored")
    assert restored["source"] == "changelog"
