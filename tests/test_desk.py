"""Changes of the topic: decided by what is there, repeated when somebody came in between."""

from collections.abc import Mapping, Sequence

import pytest

from loyaltystream.definitions.changing import Mark, create
from loyaltystream.definitions.history import History, Name
from loyaltystream.definitions.problem import Problem
from loyaltystream.definitions.stored import StoredEvent
from loyaltystream.desk import ATTEMPTS, Change, Desk
from loyaltystream.errors import BrokerError, FatalBrokerError, RetryableBrokerError
from loyaltystream.ports import Writer
from loyaltystream.testing.definitions import MemoryLog, MemoryTopic, MemoryWriter
from loyaltystream.topology import Output
from tests.core import EVENT_SCHEMA_ID, NOW_MS, ORDERED, define


class Late:
    """A writer whose answer is lost: what it wrote is there, or not."""

    def __init__(self, writer: MemoryWriter, *, written: bool) -> None:
        self._writer = writer
        self._written = written
        self.tries = 0

    def open(self) -> None:
        self._writer.open()

    def write(self, outputs: Sequence[Output]) -> None:
        self.tries += 1
        if self._written:
            self._writer.write(outputs)
        raise RetryableBrokerError("no answer")


def desk(topic: MemoryTopic, writer: Writer | None = None) -> Desk:
    """Return a desk that never waits."""
    return Desk(
        History("definitions", EVENT_SCHEMA_ID),
        MemoryLog(topic),
        writer or MemoryWriter(topic),
        clock_ms=lambda: NOW_MS,
        pause=lambda _seconds: None,
    )


def creating(name: str) -> Change:
    """Return the change that creates an order event of that name."""
    body = ORDERED | {"eventName": name}

    def change(
        events: Mapping[Name, StoredEvent], mark: Mark
    ) -> Sequence[StoredEvent] | list[Problem]:
        made = create(events.get((1800, name)), define(body), body, mark=mark)
        return made if isinstance(made, list) else [made]

    return change


def test_a_change_can_be_read_when_it_is_told() -> None:
    """Who is told that an event is defined may send it."""
    topic = MemoryTopic()
    [made] = desk(topic).change("somebody", creating("orderPlaced"))
    assert isinstance(made, StoredEvent)
    assert made.versions[0].published_by == "somebody"
    assert made.versions[0].published_at_ms == NOW_MS
    assert desk(topic).read().events == {(1800, "orderPlaced"): made}


def test_a_refused_change_writes_nothing() -> None:
    """Problems are told as they are."""
    topic = MemoryTopic()
    desk(topic).change("a", creating("orderPlaced"))
    assert desk(topic).change("b", creating("orderPlaced")) == [
        Problem(1806, "orderPlaced event already exists")
    ]
    assert len(topic.records) == 1


def test_a_change_is_decided_anew_when_somebody_came_first() -> None:
    """Of two who create the same event at once one is told that it exists."""
    topic = MemoryTopic()
    asked = 0

    def change(
        events: Mapping[Name, StoredEvent], mark: Mark
    ) -> Sequence[StoredEvent] | list[Problem]:
        nonlocal asked
        asked += 1
        if asked == 1:  # between reading and writing
            desk(topic).change("another", creating("orderPlaced"))
        return creating("orderPlaced")(events, mark)

    assert desk(topic).change("one", change) == [Problem(1806, "orderPlaced event already exists")]
    assert asked == 2
    assert len(topic.records) == 1


def test_a_write_without_an_answer_is_looked_for() -> None:
    """What was written although nobody said so is not written again."""
    topic = MemoryTopic()
    writer = Late(MemoryWriter(topic), written=True)
    [made] = desk(topic, writer).change("one", creating("orderPlaced"))
    assert isinstance(made, StoredEvent)
    assert (writer.tries, len(topic.records)) == (1, 1)


def test_a_write_that_never_succeeds_is_told_in_the_end() -> None:
    """After some attempts the broker's own words are passed on."""
    topic = MemoryTopic()
    writer = Late(MemoryWriter(topic), written=False)
    with pytest.raises(RetryableBrokerError, match="no answer"):
        desk(topic, writer).change("one", creating("orderPlaced"))
    assert writer.tries == ATTEMPTS
    assert topic.records == []


def test_a_topic_that_cannot_be_read_is_not_changed() -> None:
    """No decision is made by an older state."""
    topic = MemoryTopic()
    log = MemoryLog(topic)
    log.away = FatalBrokerError("gone")
    made = Desk(History("definitions", EVENT_SCHEMA_ID), log, MemoryWriter(topic))
    with pytest.raises(BrokerError, match="gone"):
        made.change("one", creating("orderPlaced"))
    assert topic.records == []
