"""Faults planted on the real broker: `loyaltystream audit` exits with 4 and names each of them.

What a topic has lost or gained is planted in a copy of it, record by record in its partition; the
audit is then told to look at the copy. All other topics are the ones that a worker has written.
"""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from loyaltystream.events import Record
from loyaltystream.memory import changelog
from loyaltystream.story import Intent, Sent
from loyaltystream.topology import Topics
from tests.broker.golden import fresh, write_definitions
from tests.shop import Shop

pytestmark = pytest.mark.broker


def audited(shop: Shop, code: int, **copies: str) -> dict[str, Any]:
    """Return what `audit --json` says of the deployment, looking at copies of some topics."""
    prefix = shop.settings.topics.prefix
    settings = {f"topics.{role}": name.removeprefix(prefix) for role, name in copies.items()}
    with shop.changed(settings):
        findings: dict[str, Any] = json.loads(shop.command("audit", "--json", code=code).stdout)
    assert findings["exact"] is (code == 0)
    return findings


def copied(shop: Shop, role: str, records: Iterable[Record], mark: str) -> str:
    """Write records to a new topic, each into its partition; return the topic's name."""
    name = f"{shop.settings.topics.prefix}{role}-{mark}"
    with shop.changed({f"topics.{role}": f"{role}-{mark}"}):
        shop.command("init")
    producer = Producer({"bootstrap.servers": shop.settings.kafka.bootstrap_servers})
    for record in records:
        producer.produce(
            name,
            record.value,
            record.key,
            record.partition,
            timestamp=record.timestamp_ms,
            headers=list(record.headers),
        )
    assert producer.flush(30) == 0
    return name


def topic_of(shop: Shop, role: str) -> str:
    """Return the name of the topic of that role."""
    topics: Topics = shop.deployment.topics
    return str(getattr(topics, role))


def source(record: Record) -> tuple[str, int, int]:
    """Return the place in an output's `src` header."""
    topic, partition, offset, *_ = (record.header("src") or b"").decode().split("/")
    return topic, int(partition), int(offset)


def place(detail: dict[str, Any]) -> tuple[str, int, int]:
    """Return the place of the record that a finding is about."""
    found = detail["place"]
    return found["topic"], found["partition"], found["offset"]


def test_an_honest_log_is_exact(told: Shop) -> None:
    """Of a log that nobody touched the audit says so, and exits with 0."""
    findings = audited(told, 0)
    assert findings["faults"] == {}
    assert all(partition["adds_up"] for partition in findings["partitions"])


def test_an_honest_copy_is_exact(told: Shop) -> None:
    """A copied topic alone is no fault: what the other tests plant is what they find."""
    copy = copied(told, "ei", told.read(topic_of(told, "ei")), "honest")
    assert audited(told, 0, ei=copy)["faults"] == {}


@pytest.mark.parametrize("role", ["ei", "notifications"])
def test_a_deleted_output_is_found(told: Shop, role: str) -> None:
    """An output that a topic has lost is missing, with the record that caused it."""
    records = told.read(topic_of(told, role))
    lost = records.pop(7)
    findings = audited(told, 4, **{role: copied(told, role, records, "deleted")})
    assert findings["faults"] == {"MISSING": 1}
    assert [place(detail) for detail in findings["details"]] == [source(lost)]


@pytest.mark.parametrize("role", ["dead_letter", "notifications"])
def test_a_doubled_output_is_found(told: Shop, role: str) -> None:
    """An output that stands in its topic twice is repeated, with the record that caused it."""
    records = told.read(topic_of(told, role))
    findings = audited(told, 4, **{role: copied(told, role, [*records, records[7]], "doubled")})
    assert findings["faults"].get("REPEATED") == 1, findings["faults"]
    assert source(records[7]) in [place(detail) for detail in findings["details"]]


def test_a_moved_output_is_found(told: Shop) -> None:
    """A resend among the accepted events is misrouted, or judged wrongly."""
    resends, accepted = (told.read(topic_of(told, role)) for role in ("duplicates", "ei"))
    strayed = resends.pop(3)
    findings = audited(
        told,
        4,
        duplicates=copied(told, "duplicates", resends, "moved"),
        ei=copied(told, "ei", [*accepted, strayed], "moved"),
    )
    assert findings["faults"].keys() & {"MISROUTED", "WRONG_VERDICT"}
    assert source(strayed) in [place(detail) for detail in findings["details"]]


def test_a_swapped_verdict_is_found(told: Shop) -> None:
    """A rejected event that its letter calls late is judged wrongly."""
    records = told.read(topic_of(told, "dead_letter"))
    at = next(
        number
        for number, record in enumerate(records)
        if record.header("verdict") == b"rejected" and source(record)[0] == topic_of(told, "ingest")
    )
    swapped = records[at]
    headers = [(name, b"late" if name == "verdict" else value) for name, value in swapped.headers]
    records[at] = msgspec.structs.replace(swapped, headers=headers)
    findings = audited(told, 4, dead_letter=copied(told, "dead_letter", records, "swapped"))
    assert findings["faults"] == {"WRONG_VERDICT": 1}
    assert [place(detail) for detail in findings["details"]] == [source(swapped)]


def small_shop(make_shop: Callable[..., Shop]) -> tuple[Shop, list[bytes]]:
    """Return a deployment that has judged ten events, and these."""
    shop = make_shop(partitions=1)
    definitions = write_definitions(shop.directory / "definitions")
    shop.environment["LOYALTYSTREAM_RULES__DEFINITIONS"] = str(definitions)
    events = [fresh(f"event {number}") for number in range(10)]
    judge(shop, events)
    return shop, events


def judge(shop: Shop, events: Iterable[bytes]) -> None:
    """Let a worker judge events, and leave."""
    shop.send(Sent(None, event, (), Intent.NEW) for event in events)
    worker = shop.start("run", "--stage", "ingest", "--from", "earliest")
    shop.drain(["ingest"])
    assert shop.stop(worker) == 0, shop.log()


def test_a_skipped_offset_is_found(make_shop: Callable[..., Shop]) -> None:
    """A record that the group has passed over without a verdict is named."""
    shop, events = small_shop(make_shop)
    shop.send([Sent(None, fresh("passed over"), (), Intent.NEW)])
    deployment = shop.deployment
    skipped = TopicPartition(deployment.topics.ingest, 0, len(events) + 1)
    # Whoever sets an offset by hand works beside the group, in one that has no member.
    beside = f"{shop.settings.worker.group_prefix}-beside"
    group = Consumer(
        {
            "bootstrap.servers": deployment.settings.kafka.bootstrap_servers,
            "group.id": f"{beside}.ingest",
        }
    )
    group.commit(offsets=[skipped], asynchronous=False)
    group.close()
    assert audited(shop, 0)["faults"] == {}
    with shop.changed({"worker.group_prefix": beside}):
        findings = audited(shop, 4)
    assert findings["faults"]["OFFSET_SKIPPED"] == 1
    assert (skipped.topic, 0, len(events)) in [place(detail) for detail in findings["details"]]


def test_an_id_that_is_accepted_twice_is_found(make_shop: Callable[..., Shop]) -> None:
    """Deduplication switched off, by a changelog without ids, a resend's acceptance is named."""
    shop, events = small_shop(make_shop)
    deltas = shop.read(topic_of(shop, "changelog"))
    blind = copied(shop, "changelog", [_without_ids(record) for record in deltas], "blind")
    with shop.changed({"topics.changelog": blind.removeprefix(shop.settings.topics.prefix)}):
        judge(shop, [events[4]])
    findings = audited(shop, 4, changelog=blind)
    assert findings["faults"]["ACCEPTED_TWICE"] == 1
    (twice,) = [one for one in findings["details"] if one["kind"] == "ACCEPTED_TWICE"]
    assert place(twice) == (topic_of(shop, "ingest"), 0, len(events))
    assert twice["event_id"] == "event 4"


def _without_ids(record: Record) -> Record:
    delta = changelog.decode(record.value or b"")
    blind = msgspec.structs.replace(delta, sections=[])
    now_ms = int(time.time() * 1000)
    return msgspec.structs.replace(record, value=changelog.encode(blind), timestamp_ms=now_ms)
