"""An event's notifications are made by the version that it was judged by."""

from typing import Any

from loyaltystream.definitions.history import History
from loyaltystream.definitions.source import Followed
from loyaltystream.pipeline import Plan
from loyaltystream.stage import NotifyStage
from loyaltystream.testing.definitions import MemoryLog
from loyaltystream.verdicts import NotifyOutcome, Reason
from tests.core import EVENT_SCHEMA_ID, TOPICS, outputs
from tests.definitions.topic import TOPIC, Topic
from tests.notifications.shop import accept, body, happened, notify, read_notification, transaction

SMALL = body(transaction(amount="fields.amount", billNumber={"const": "small"}))
LARGE = body(transaction(amount="fields.amount", billNumber={"const": "large"}))


def bills(plan: Plan) -> list[Any]:
    """Return the bill numbers of the notifications in a plan."""
    return [
        read_notification(output)["data"]["billNumber"]
        for output in outputs(plan, TOPICS.notifications)
    ]


def test_older_events_keep_their_notifications() -> None:
    """What was accepted by version 1 is mapped by it, in the same batch as events of version 2."""
    topic = Topic()
    topic.create(SMALL)
    [first] = accept(happened(amount=1), definitions=topic.history().view())
    topic.replace(LARGE)
    _, second = accept(
        happened(amount=1),
        happened(amount=2) | {"eventId": "2"},
        definitions=topic.history().view(),
    )
    plan = notify().plan([first, second], definitions=topic.history().view(), generation=3)
    assert bills(plan) == ["small", "large"]


def test_a_disabled_event_is_still_notified_of() -> None:
    """What was accepted before it was disabled causes what it would have."""
    topic = Topic()
    topic.create(SMALL)
    accepted = accept(happened(amount=1), definitions=topic.history().view())
    topic.disable("thingHappened")
    plan = notify().plan(accepted, definitions=topic.history().view(), generation=3)
    assert bills(plan) == ["small"]


def test_a_version_that_was_not_heard_of_is_looked_for() -> None:
    """A worker that is behind asks the topic before it gives an event up."""
    topic = Topic()
    topic.create(SMALL)
    source = Followed(History(TOPIC, EVENT_SCHEMA_ID), MemoryLog(topic))
    source.begin()
    stage = NotifyStage(notify(), definitions=source, fresh=lambda _partition: 0)
    topic.replace(LARGE)
    accepted = accept(happened(amount=1), definitions=topic.history().view())
    assert bills(stage.plan(0, accepted, 3)) == ["large"]


def test_a_version_that_nobody_knows_is_a_dead_letter() -> None:
    """An event of a version that its topic never held can't be mapped."""
    topic = Topic()
    topic.create(SMALL)
    early = topic.history()
    topic.replace(LARGE)
    accepted = accept(happened(amount=1), definitions=topic.history().view())
    plan = notify().plan(accepted, definitions=early.view(), generation=3)
    assert +plan.tally.outcomes == {NotifyOutcome.UNMAPPED: 1}
    assert +plan.tally.reasons == {Reason.UNKNOWN_EVENT: 1}
