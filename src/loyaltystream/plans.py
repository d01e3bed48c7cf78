"""What a deployment's topics and their schemas have to be (design.md section 2). Pure."""

import math
from collections.abc import Sequence
from typing import Any, Final

from loyaltystream.avro import schemas
from loyaltystream.avro.dead_letter import ALLOWANCE_BYTES
from loyaltystream.avro.schemas import Schema
from loyaltystream.kafka.topics import (
    Change,
    TopicPlan,
    changelog_topic,
    definitions_topic,
    ingest_topic,
    letter_state_topic,
    letter_topic,
    routed_topic,
)
from loyaltystream.notifications.catalog import SCHEMAS
from loyaltystream.settings import Settings
from loyaltystream.topology import Topics

MAX_RECORD_BYTES: Final = 1_048_576
"""What `init` lets the ingest topic take, keys and headers included."""

_MARGIN_DAYS: Final = 1


def published_plans(settings: Settings, topics: Topics) -> dict[str, TopicPlan]:
    """Return the topics that producers write and subscribers read, by role."""
    names = settings.topics
    days = names.retention_days
    kept = min(days, settings.memory.window_days)
    larger = MAX_RECORD_BYTES + ALLOWANCE_BYTES
    made = {
        "ingest": ingest_topic(topics.ingest, days, max_bytes=MAX_RECORD_BYTES),
        "emf": routed_topic(topics.emf, days, max_bytes=larger),
        "ei": routed_topic(topics.ei, days, max_bytes=larger),
        # Keyed by themselves: where it has fewer partitions, a customer's stay where they are.
        "notifications": routed_topic(topics.notifications, days, max_bytes=larger)
        | {"alike": False},
        "duplicates": letter_topic(topics.duplicates, kept, max_bytes=larger),
        "dead-letter": letter_topic(topics.dead_letter, kept, max_bytes=larger),
    }
    return {role: _plan(settings, names.partitions, plan) for role, plan in made.items()}


def topic_plans(settings: Settings, topics: Topics, windows: Sequence[int]) -> list[TopicPlan]:
    """Return all topics, where unique keys are remembered for so many days."""
    names = settings.topics
    longest = max([settings.memory.window_days, *windows])
    changelog = changelog_topic(topics.changelog, _changelog_days(longest, names.retention_days))
    return [
        *published_plans(settings, topics).values(),
        _plan(settings, names.partitions, changelog),
        # One partition: what people say has one order, and a relayout need not move it.
        _plan(settings, 1, definitions_topic(topics.definitions)),
        _plan(settings, 1, letter_state_topic(topics.letter_state)),
    ]


def published_schemas(topics: Topics) -> list[tuple[str, Schema]]:
    """Return each topic of Avro with the schemas that it is written with."""
    event = schemas.load(schemas.BEHAVIORAL_EVENT)
    return [
        (topics.emf, event),
        (topics.ei, event),
        (topics.dead_letter, schemas.load(schemas.DEAD_LETTER)),
        *((topics.notifications, schemas.load(name)) for name in SCHEMAS),
    ]


def describe(change: Change) -> list[str]:
    """Return what is to be done to a topic, a line each."""
    if change.action == "create":
        return [f"{change.plan.name} is missing, or our rights do not show it"]
    return [f"{change.plan.name}: {name} {what}" for name, what in change.differences.items()]


def _plan(settings: Settings, partitions: int, plan: dict[str, Any]) -> TopicPlan:
    copies = settings.topics.replication_factor
    return TopicPlan(partitions=partitions, replication_factor=copies, **plan)


def _changelog_days(window_days: int, ingest_days: int) -> int:
    """Return how long the memory's log is kept.

    An id counts for up to a tenth longer than its window, and an audit judges again whatever the
    ingest topic still holds.
    """
    return math.ceil(window_days * 1.1) + ingest_days + _MARGIN_DAYS
