"""Where stages get their definitions from: the topic is followed, and a batch has one view."""

from typing import Any, cast

import pytest

from loyaltystream.definitions.history import History
from loyaltystream.definitions.source import Fixed, Followed
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import REVISION_HEADER
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.pipeline import Plan
from loyaltystream.stage import IngestStage, Keeper
from loyaltystream.testing.definitions import MemoryLog
from tests.core import (
    DEFINITIONS,
    EVENT_SCHEMA_ID,
    ORDERED,
    TOPICS,
    VIEWED,
    event,
    field,
    ingest,
    layout,
    outputs,
    raw,
    record,
    verdicts,
)
from tests.definitions.topic import TOPIC, Topic

STRICT = VIEWED | {
    "fields": [*VIEWED["fields"], field("shelf", "enum", possibleValues=["upper", "lower"])]
}


class FreshKeeper:
    """Keeps nothing: every memory begins empty."""

    def recover(self, partition: int, **_: object) -> PartitionMemory:
        del partition
        return PartitionMemory(layout(), 0)

    def opened(self, partition: int, memory: PartitionMemory) -> None:
        del partition, memory

    def tend(self, memories: object) -> None:
        del memories

    def release(self, partition: int, memory: PartitionMemory) -> None:
        del partition, memory


def followed(topic: Topic) -> tuple[Followed, MemoryLog]:
    """Return a source that has read the topic to its end."""
    log = MemoryLog(topic)
    source = Followed(History(TOPIC, EVENT_SCHEMA_ID), log)
    source.begin()
    return source, log


def stage(source: Followed) -> IngestStage:
    """Return stage ingest with one open partition."""
    made = IngestStage(
        ingest(),
        definitions=source,
        layout=layout(),
        keeper=cast("Keeper", FreshKeeper()),
        fresh=lambda _partition: 0,
    )
    made.open(0, None)
    return made


def revision(plan: Plan) -> bytes | None:
    """Return the revision that a plan's changelog record tells."""
    [written] = outputs(plan, TOPICS.changelog)
    return dict(written.headers).get(REVISION_HEADER)


def on_shelf(shelf: str, number: int = 0) -> Any:
    """Return a good event with a field that only the second version knows."""
    return event(eventId=f"e-{number}", fields={"sku": "S", "shelf": shelf})


def test_nothing_begins_before_something_is_defined() -> None:
    """A worker that finds an empty topic waits, instead of rejecting every event."""
    topic = Topic()
    log = MemoryLog(topic)
    source = Followed(History(TOPIC, EVENT_SCHEMA_ID), log)
    with pytest.raises(RetryableBrokerError, match="no published definition"):
        source.begin()
    topic.create(VIEWED, draft=True)
    with pytest.raises(RetryableBrokerError, match="definitions apply"):
        source.begin()
    topic.create(ORDERED)
    source.begin()
    assert len(source.view()) == 1


def test_nothing_begins_while_the_topic_cannot_be_read_to_its_end() -> None:
    """Whatever was read before the broker went away is no view to judge by."""
    topic = Topic()
    topic.create(VIEWED)
    log = MemoryLog(topic)
    log.away = RetryableBrokerError("no broker")
    source = Followed(History(TOPIC, EVENT_SCHEMA_ID), log)
    with pytest.raises(RetryableBrokerError, match="no broker"):
        source.begin()


def test_a_new_version_judges_from_the_next_batch_on() -> None:
    """Hearing of a version between two batches is enough; the changelog tells by which each was."""
    topic = Topic()
    topic.create(VIEWED)
    source, log = followed(topic)
    worker = stage(source)
    topic.replace(STRICT)
    before = worker.plan(0, [record(raw(on_shelf("floor")))], 1)
    assert (verdicts(before), revision(before)) == ({"accepted": 1}, b"1")
    log.fetch()
    worker.tend()
    after = worker.plan(0, [record(raw(on_shelf("floor")))], 1)
    assert (verdicts(after), revision(after)) == ({"rejected": 1}, b"2")


def test_an_event_is_not_unknown_before_the_topic_was_asked() -> None:
    """Who defines an event and sends one at once finds it judged, also by a worker that is late."""
    topic = Topic()
    topic.create(ORDERED)
    source, _ = followed(topic)
    worker = stage(source)
    topic.create(VIEWED)
    plan = worker.plan(0, [record(raw(event()))], 1)
    assert (verdicts(plan), revision(plan)) == ({"accepted": 1}, b"2")


def test_an_event_that_nobody_defined_is_rejected() -> None:
    """Once the topic has nothing newer to say, an unknown event is a dead letter."""
    topic = Topic()
    topic.create(ORDERED)
    source, _ = followed(topic)
    assert verdicts(stage(source).plan(0, [record(raw(event()))], 1)) == {"rejected": 1}


def test_while_the_topic_is_away_an_unknown_event_waits() -> None:
    """No batch is judged by definitions that may be behind, if that makes a difference."""
    topic = Topic()
    topic.create(ORDERED)
    source, log = followed(topic)
    worker = stage(source)
    log.away = RetryableBrokerError("no broker")
    with pytest.raises(RetryableBrokerError, match="no broker"):
        worker.plan(0, [record(raw(event()))], 1)
    known = event(eventName="orderPlaced", fields={"orderId": "A", "amount": 1})
    assert verdicts(worker.plan(0, [record(raw(known))], 1)) == {"accepted": 1}


def test_a_batch_has_one_view() -> None:
    """All events of a batch are judged again by the newer view, if one of them needs it."""
    topic = Topic()
    topic.create(VIEWED)
    source, _ = followed(topic)
    worker = stage(source)
    topic.replace(STRICT)
    topic.create(ORDERED)
    ordered = event(eventName="orderPlaced", fields={"orderId": "A", "amount": 1})
    plan = worker.plan(0, [record(raw(on_shelf("floor"))), record(raw(ordered), 1)], 1)
    assert (verdicts(plan), revision(plan)) == ({"rejected": 1, "accepted": 1}, b"3")


def test_every_new_view_is_told() -> None:
    """Whoever watches a worker sees by which revision it judges."""
    topic = Topic()
    topic.create(VIEWED)
    told: list[tuple[int, int]] = []
    log = MemoryLog(topic)
    source = Followed(
        History(TOPIC, EVENT_SCHEMA_ID),
        log,
        lambda revision, events: told.append((revision, events)),
    )
    source.begin()
    topic.create(ORDERED)
    topic.disable("productViewed")
    log.fetch()
    source.refresh()
    source.refresh()
    assert told == [(1, 1), (3, 1)]


def test_definitions_of_files_have_no_revision() -> None:
    """Files leave no mark in the changelog."""
    source = Fixed(DEFINITIONS)
    source.refresh()
    assert not source.catch_up()
    assert source.at(7) is source.view() is DEFINITIONS
    plan = ingest().judge(
        [record(raw(event()))],
        memory=PartitionMemory(layout(), 0),
        definitions=source.view(),
        generation=1,
    )
    assert revision(plan) is None
