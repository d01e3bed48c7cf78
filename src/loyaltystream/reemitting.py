"""Puts together what sends notifications again, once the target is one. Does I/O: makes clients."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

import msgspec

from loyaltystream.backfill.claim import IMPORT_ID
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.patience import repeat
from loyaltystream.kafka.reading import LogReader
from loyaltystream.kafka.topics import Change, TopicPlan, routed_topic
from loyaltystream.kafka.writing import TransactionalWriter
from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.notifications.near import hint
from loyaltystream.proofs import proof
from loyaltystream.reemit.choosing import Choice
from loyaltystream.reemit.course import Course, Gone, lay
from loyaltystream.reemit.journal import Entry, enter, read_entry
from loyaltystream.reemit.marking import Marker, Target
from loyaltystream.reemit.reading import reader
from loyaltystream.reemit.sending import Ledger, Reemitter, Told

TRANSACTIONS: Final = "re-emit"
_INTERNAL: Final = "__"
_MADE_S: Final = 15.0


class Wish(msgspec.Struct, frozen=True):
    """What somebody asks for.

    Attributes:
        reemit_id: the re-emission's name.
        topic: the subscriber's own.
        creates: whether it is made, if it is not there.
    """

    reemit_id: str
    topic: str
    choice: Choice
    creates: bool = False


class Work(msgspec.Struct):
    """What the command has in its hands."""

    reemitter: Reemitter
    ledger: Ledger
    entry: Entry
    course: Course
    told: Told


def check(wish: Wish, deployment: Deployment) -> None:
    """Refuse what can't be meant, before any broker is asked.

    Raises:
        ConfigurationError: saying what is wrong.
    """
    choice = wish.choice
    if IMPORT_ID.fullmatch(wish.reemit_id) is None:
        raise ConfigurationError(
            f"--re-emit-id {wish.reemit_id}: 64 letters, digits, dots, dashes and underscores at "
            f"most, such as crm-outage"
        )
    if choice.since_ms is None and choice.customer is None:
        raise ConfigurationError("say which notifications are meant: --since TIME, or --customer")
    if choice.since_ms is not None and (choice.until_ms or choice.since_ms + 1) <= choice.since_ms:
        raise ConfigurationError("--until has to lie behind --since")
    for name in sorted(choice.types - CATALOG.keys()):
        raise ConfigurationError(f"--type {name}: no such type{hint(name, CATALOG)}")
    ours: Sequence[str] = msgspec.structs.astuple(deployment.topics)
    if wish.topic in ours or wish.topic.startswith(_INTERNAL):
        raise ConfigurationError(
            f"--to {wish.topic}: that is a topic that others read; a re-emission goes to a topic "
            f"of one subscriber alone"
        )


@contextmanager
def opened(deployment: Deployment, wish: Wish, *, writes: bool) -> Iterator[Work]:
    """Yield a re-emission as far as it is, and let go of the broker.

    Args:
        deployment: whose notifications are sent.
        wish: what is asked for.
        writes: whether whoever is at it is fenced, and the target made; else all is only looked at.

    Raises:
        ConfigurationError: if it can't be done so.
        BrokerError: if the broker fails.
    """
    check(wish, deployment)
    settings, topics = deployment.settings, deployment.topics
    log = LogReader(settings.kafka, removed="error")
    target = _target(deployment, wish, makes=writes and wish.creates)
    name = f"{settings.worker.group_prefix}.{TRANSACTIONS}.{wish.reemit_id}"
    writer = TransactionalWriter(settings.kafka, settings.worker, transactional_id=name)
    with closing(writer):
        if writes:
            writer.open()
        kept = read_entry(log, topics.letter_state, wish.reemit_id)
        proven = proof(deployment.key_for(TRANSACTIONS), wish.choice.parts()).decode()
        entry, told = enter(wish.reemit_id, kept, proof=proven, target=target), Told()
        marker = Marker(topics.notifications, target, wish.reemit_id, int(time.time() * 1000))
        reemitter = Reemitter(
            log,
            wish.choice,
            read=reader(deployment.registry.writer_schema),
            marker=marker,
            told=told,
        )
        ledger = Ledger(writer, topics.letter_state, wish.reemit_id)
        course = _course(log, topics.notifications, wish.choice, entry)
        yield Work(reemitter, ledger, entry, course, told)


def _target(deployment: Deployment, wish: Wish, *, makes: bool) -> Target:
    """Return the subscriber's topic, made if that is wanted.

    Raises:
        ConfigurationError: if it is not there, or would not keep what it is sent.
    """
    change = _compare(deployment, wish.topic)
    if change.action == "alter":
        wrong = "; ".join(f"{name} {what}" for name, what in change.differences.items())
        raise ConfigurationError(f"--to {wish.topic}: {wrong}; else it would lose what it is sent")
    if change.action == "create":
        if not makes:
            what = "it is made without --dry-run" if wish.creates else "--create makes it"
            if not wish.creates:
                raise ConfigurationError(f"--to {wish.topic}: there is no such topic; {what}")
            return Target(wish.topic, "", change.plan.partitions)
        deployment.admin.apply([change])
    reader = deployment.reader
    # A topic that was just made is not known at once wherever one asks.
    topic_id = repeat(
        lambda _: reader.topic_id(wish.topic),
        f"looking for {wish.topic}",
        time.monotonic() + _MADE_S,
    )
    return Target(wish.topic, topic_id, reader.partitions(wish.topic))


def _compare(deployment: Deployment, topic: str) -> Change:
    names, source = deployment.settings.topics, deployment.topics.notifications
    largest = int(deployment.admin.settings([source])[source]["max.message.bytes"])
    planned: dict[str, Any] = routed_topic(topic, names.retention_days, max_bytes=largest)
    plan = TopicPlan(
        partitions=deployment.reader.partitions(source),
        replication_factor=names.replication_factor,
        alike=False,
        **planned,
    )
    [change] = deployment.admin.compare([plan])
    # How long a topic of theirs keeps what it is sent is the subscriber's own affair.
    left = {name: what for name, what in change.differences.items() if name != "retention.ms"}
    action = "keep" if change.action == "alter" and not left else change.action
    return Change(plan, action, left)


def _course(log: LogReader, topic: str, choice: Choice, entry: Entry) -> Course:
    bounds, since_ms = log.settled_bounds(topic), choice.since_ms
    starts = (
        {}
        if since_ms is None
        else {
            number: log.offset_at(topic, number, since_ms)
            for number in bounds
            if number not in entry.done
        }
    )
    course = lay(bounds, starts, entry.done)
    gone = [_dated(log, topic, one, bounds[one.partition][1]) for one in course.gone]
    return msgspec.structs.replace(course, gone=tuple(gone))


def _dated(log: LogReader, topic: str, gone: Gone, end: int) -> Gone:
    head = next(log.records(topic, gone.partition, gone.before, end), None)
    return msgspec.structs.replace(gone, since_ms=head.timestamp_ms if head else None)
