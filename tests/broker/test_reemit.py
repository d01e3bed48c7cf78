"""`re-emit` on the real broker: one subscriber reads again, and nobody else notices."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from loyaltystream.errors import BrokerError
from loyaltystream.events import Record
from loyaltystream.kafka.reading import LogReader
from loyaltystream.kafka.sending import Sender
from loyaltystream.platform import Addresses
from loyaltystream.story import ORG_ID, Recipe, generate
from loyaltystream.tailing.decoding import reader_of
from tests.shop import Shop, eventually, opened

pytestmark = pytest.mark.broker

RECIPE = Recipe(events=900, customers=60, partitions=3)
SINCE = "2026-01-01T00:00:00Z"
OURS = ("re-emitted-from", "re-emitted-at", "re-emit-id")


@pytest.fixture(scope="module")
def halves(
    proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Shop, int]]:
    """Return a deployment that has notified of a story and left, and when its second half began."""
    directory = tmp_path_factory.mktemp("notified") / "shop"
    with opened(proven_cluster, directory, RECIPE.partitions) as shop:
        story = [*generate(RECIPE, 5, now_ms=int(time.time() * 1000))]
        half = len(story) // 2
        shop.send(story[:half])
        workers = shop.start("run", "--from", "earliest")
        shop.drain()
        turn_ms = 1 + max(one.timestamp_ms for one in notifications(shop))
        shop.send(story[half:])
        shop.drain()
        assert shop.stop(workers) == 0, shop.log()
        yield shop, turn_ms


@pytest.fixture(scope="module")
def notified(halves: tuple[Shop, int]) -> Shop:
    return halves[0]


def reemit(shop: Shop, topic: str, name: str, *more: str, code: int = 0) -> Any:
    """Return what `re-emit --json` says."""
    asked = ("re-emit", "--to", topic, "--re-emit-id", name, *more, "--json")
    done = shop.command(*asked, code=code)
    return json.loads(done.stdout) if code == 0 else done.stderr


def topic_of(shop: Shop, name: str) -> str:
    return f"{shop.settings.topics.prefix}{name}"


def notifications(shop: Shop) -> list[Record]:
    return shop.read(shop.deployment.topics.notifications)


def plain(record: Record) -> tuple[Any, ...]:
    """Return what a subscriber reads of a record, without what says that it comes again."""
    headers = tuple(header for header in record.headers if header[0] not in OURS)
    return record.key, record.value, headers


def by_key(records: Sequence[Record]) -> dict[bytes | None, list[tuple[Any, ...]]]:
    """Return the records of each key in the order of their partition."""
    found: dict[bytes | None, list[tuple[Any, ...]]] = {}
    for record in records:
        found.setdefault(record.key, []).append(plain(record))
    return found


def holds(shop: Shop, topic: str, least: int) -> bool:
    return len(shop.read(topic)) >= least


def admin(shop: Shop) -> AdminClient:
    return AdminClient({"bootstrap.servers": shop.settings.kafka.bootstrap_servers})


def make(shop: Shop, topic: str, **config: str) -> None:
    """Make a subscriber's topic as somebody else would."""
    settings = {"max.message.bytes": "2000000", **config}
    client = admin(shop)  # once it is collected, what it was asked fails
    [made] = client.create_topics([NewTopic(topic, 2, 1, config=settings)]).values()
    made.result(30)


def test_a_subscriber_reads_the_same_again(notified: Shop) -> None:
    """Same keys, bytes and headers, in order for each key; nothing else on the broker moves."""
    topic, source = topic_of(notified, "again"), notified.deployment.topics.notifications
    group = f"{source}.another-subscriber"
    consumer = Consumer(
        {"bootstrap.servers": notified.settings.kafka.bootstrap_servers, "group.id": group}
    )
    consumer.commit(offsets=[TopicPartition(source, 0, 7)], asynchronous=False)
    reader = notified.deployment.reader
    before, committed = reader.bounds(source), reader.committed(group, source)
    wanted = notifications(notified)
    kinds = Counter((one.header("ce_type") or b"").decode().rpartition(".")[2] for one in wanted)
    assert len(kinds) > 1
    missing = reemit(notified, topic, "first", "--since", SINCE, "--dry-run", code=2)
    assert "--create makes it" in " ".join(missing.split())
    dry = reemit(notified, topic, "first", "--since", SINCE, "--create", "--dry-run")
    assert (dry["types"], dry["sent"], dry["gone"]) == (kinds, 0, [])
    done = reemit(notified, topic, "first", "--since", SINCE, "--create")
    assert (done["types"], done["sent"], done["sentBefore"]) == (kinds, len(wanted), 0)
    found = notified.read(topic)
    assert by_key(found) == by_key(wanted)
    places = {f"{source}/{one.partition}/{one.offset}": plain(one) for one in wanted}
    assert {(one.header(OURS[0]) or b"").decode(): plain(one) for one in found} == places
    assert {one.header(OURS[2]) for one in found} == {b"first"}
    assert reader.bounds(source) == before
    assert reader.committed(group, source) == committed == {0: 7}
    assert notified.audit().exact
    again = reemit(notified, topic, "first", "--since", SINCE)
    assert (again["sent"], again["sentBefore"]) == (0, len(wanted))
    assert len(notified.read(topic)) == len(wanted)
    consumer.close()


def test_types_and_a_range_choose(halves: tuple[Shop, int]) -> None:
    """By type, and by the time at which the broker's records were written."""
    notified, middle = halves
    topic = topic_of(notified, "chosen")
    make(notified, topic)
    early = reemit(notified, topic, "early", "--since", SINCE, "--until", str(middle))
    late = reemit(notified, topic, "late", "--since", str(middle), "--type", "transactionAdded")
    wanted = [one for one in notifications(notified) if one.timestamp_ms < middle]
    assert early["sent"] == len(wanted) > 0
    assert {*late["types"]} == {"transactionAdded"}
    kind = b"loyalty.notification.v1.transactionAdded"
    wanted += [
        one
        for one in notifications(notified)
        if one.timestamp_ms >= middle and one.header("ce_type") == kind
    ]
    assert Counter(map(plain, notified.read(topic))) == Counter(map(plain, wanted))


def test_a_customers_notifications_are_hers(notified: Shop) -> None:
    """By an identifier as `why` takes it: all that name her, and nobody else's."""
    topic = topic_of(notified, "hers")
    make(notified, topic)
    read = reader_of("notifications", notified.deployment.registry.writer_schema)

    def mobile(record: Record) -> str | None:
        customer = read(record.value).value["data"]["customerIdentifiers"] or {}
        found: str | None = (customer.get("instore") or {}).get("mobile")
        return found

    named = Counter(found for one in notifications(notified) if (found := mobile(one)))
    [(hers, count)] = named.most_common(1)
    who = ("--customer", f"mobile=+{hers}", "--org", str(ORG_ID))
    assert reemit(notified, topic, "case-17", *who)["sent"] == count > 1
    assert {mobile(one) for one in notified.read(topic)} == {hers}
    refused = reemit(notified, topic, "case-17", "--since", SINCE, code=2)
    assert "begun for other notifications" in " ".join(refused.split())


def test_killed_and_repeated_it_sends_each_once(notified: Shop) -> None:
    """Killed at work, then overtaken by another of its name: each is there once, in order."""
    topic = topic_of(notified, "killed")
    make(notified, topic)
    asked = ("re-emit", "--to", topic, "--re-emit-id", "killed", "--since", SINCE)
    killed = notified.start(*asked, "--rate", "40", log="re-emit")
    eventually(partial(holds, notified, topic, 20), "some are sent")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    overtaken = notified.start(*asked, "--rate", "40", log="re-emit")
    eventually(partial(holds, notified, topic, 60), "more are sent")
    done = reemit(notified, topic, "killed", "--since", SINCE)
    assert overtaken.wait(60) == 3, notified.log("re-emit")
    assert "the same command goes on" in notified.log("re-emit")
    wanted = notifications(notified)
    assert done["sentBefore"] >= 60
    assert done["sent"] + done["sentBefore"] == len(wanted)
    assert by_key(notified.read(topic)) == by_key(wanted)


@pytest.mark.parametrize("role", ["ingest", "emf", "ei", "notifications", "changelog"])
def test_a_topic_of_ours_is_refused(notified: Shop, role: str) -> None:
    """What others read is never written to by hand."""
    topic = getattr(notified.deployment.topics, role)
    before = notified.deployment.reader.bounds(topic)
    refused = reemit(notified, topic, "wrong", "--since", SINCE, "--create", code=2)
    assert "a topic that others read" in " ".join(refused.split())
    assert notified.deployment.reader.bounds(topic) == before


@pytest.mark.parametrize(
    "config", [{"cleanup.policy": "compact"}, {"max.message.bytes": "1000"}], ids=str
)
def test_a_topic_that_loses_records_is_refused(notified: Shop, config: dict[str, str]) -> None:
    """One that is compacted, or takes smaller records, would not hold all that was sent."""
    topic = topic_of(notified, f"bad-{next(iter(config))}")
    make(notified, topic, **config)
    refused = reemit(notified, topic, "wrong", "--since", SINCE, code=2)
    assert f"{next(iter(config))} is" in refused


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((), "--since TIME, or --customer"),
        (("--since", SINCE, "--until", SINCE), "--until has to lie behind"),
        (("--since", SINCE, "--type", "pointIssued"), "no such type"),
        (("--customer", "mobile=919812345678"), "needs --org"),
    ],
)
def test_what_cant_be_meant_is_refused(notified: Shop, asked: tuple[str, ...], told: str) -> None:
    """One line says what is missing, before anything is written."""
    refused = reemit(notified, topic_of(notified, "none"), "wrong", *asked, code=2)
    assert told in " ".join(refused.split())


def test_what_retention_removed_is_told(proven_cluster: Addresses, tmp_path: Any) -> None:
    """Each partition that lost records of the range is named, with when it begins."""
    with opened(proven_cluster, tmp_path / "shop", 1) as shop:
        source, topic = shop.deployment.topics.notifications, topic_of(shop, "late")
        make(shop, topic)
        sender = Sender(shop.settings.kafka, source)
        for number in range(10):
            sender.send(b"x", b"k", [("ce_type", b"n.tierRenewed"), ("n", b"%d" % number)])
        sender.flush()
        client = admin(shop)
        [cut] = client.delete_records([TopicPartition(source, 0, 4)]).values()
        cut.result(30)
        done = reemit(shop, topic, "late", "--since", SINCE)
        since_ms = shop.read(source)[0].timestamp_ms
        gone = {"partition": 0, "before": 4, "after": None, "sinceMs": since_ms}
        assert (done["sent"], done["gone"]) == (6, [gone])
        whole = reemit(shop, topic, "whole", "--since", str(since_ms + 1))
        assert whole["gone"] == []
        strict = LogReader(shop.settings.kafka, removed="error")
        with pytest.raises(BrokerError, match=f"reading {source}/0"):
            list(strict.records(source, 0, 2, 10))
        asked = ("re-emit", "--to", topic, "--re-emit-id", "told", "--since", SINCE)
        text = shop.command(*asked).stderr
        assert f"{source}/0: retention has removed everything before offset 4" in text
