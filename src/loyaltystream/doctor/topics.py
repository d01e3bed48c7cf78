"""Whether topics are as `init` makes them, who may use them, and how many copies there are. Pure.

Which settings a topic has to have is not said here: the plans say it, which `init` and `run` use.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from loyaltystream.access import Grant, Operation, Resource, command
from loyaltystream.doctor.findings import SOMEBODY, Finding, Kind
from loyaltystream.topology import INSYNC, SAFE_COPIES, SAFE_INSYNC

INIT: Final = "loyaltystream init"
ALL: Final = tuple(one.name for one in Operation)
"""What a broker without access rules allows."""

_KINDS: Final = {
    "cleanup.policy": Kind.CLEANUP_POLICY,
    "max.message.bytes": Kind.MESSAGE_BYTES,
    "message.timestamp.type": Kind.TIMESTAMP_TYPE,
    "retention.ms": Kind.RETENTION,
}
_LEADS_TO: Final = {
    Kind.CLEANUP_POLICY: "records vanish that are still needed, or never go",
    Kind.MESSAGE_BYTES: "the largest records are refused, and their transactions with them",
    Kind.TIMESTAMP_TYPE: "one producer's wrong clock moves that of the whole partition",
    Kind.RETENTION: "what still counts is removed too early, or what people may not keep too late",
}


class TopicFacts(msgspec.Struct, frozen=True):
    """One topic as it is.

    Attributes:
        planned: how many partitions it has to have; None: any number.
        refused: why the broker does not tell of it; None: it does.
        may: what we may do with it, as Kafka's protocol names operations.
        needs: what workers have to be allowed.
        copies: how many each partition has, of the one that has the fewest.
        insync: how many of these are in sync, likewise.
        settings: that it has; None: they were not seen.
        differences: each setting that is not as planned, as `is X, needs Y`.
    """

    name: str
    planned: int | None = None
    refused: str | None = None
    exists: bool = True
    partitions: int = 0
    may: frozenset[str] = frozenset(ALL)
    needs: tuple[Operation, ...] = ()
    copies: int = 1
    insync: int = 1
    settings: Mapping[str, str | None] | None = None
    differences: Mapping[str, str] = {}


def of_topic(topic: TopicFacts) -> Iterator[Finding]:
    """Yield what is wrong with a topic's partitions and settings, and with our rights to it."""
    if topic.refused is not None:
        yield _denied(topic.name, topic.refused, topic.needs)
    elif not topic.exists:
        yield Finding(Kind.TOPIC_MISSING, topic.name, "there is no such topic", INIT)
    else:
        if topic.planned not in {None, topic.partitions}:
            yield _miscounted(topic)
        if missing := tuple(one for one in topic.needs if one.name not in topic.may):
            what = ", ".join(one.name for one in missing)
            yield _denied(topic.name, f"we may not {what}", missing)
        for name, what in topic.differences.items():
            kind = _KINDS.get(name, Kind.TOPIC_SETTING)
            leads_to = f": {_LEADS_TO[kind]}" if kind in _LEADS_TO else ""
            yield Finding(kind, topic.name, f"{name} {what}{leads_to}", INIT)


def of_copies(topic: TopicFacts, *, wanted: int, brokers: int) -> Iterator[Finding]:
    """Yield what is wrong with a topic's copies.

    Args:
        topic: that is there.
        wanted: topics.replication_factor.
        brokers: how many there are.
    """
    if topic.copies < wanted or (topic.copies == 1 and brokers >= SAFE_COPIES):
        yield Finding(
            Kind.FEW_COPIES,
            topic.name,
            f"{topic.copies} copies on {brokers} brokers, topics.replication_factor is {wanted}: "
            f"what lies on a broken disk is gone",
            f"kafka-reassign-partitions.sh --bootstrap-server BROKER --execute "
            f"--reassignment-json-file {topic.name}.json, with {SAFE_COPIES} replicas a partition; "
            f"and LOYALTYSTREAM_TOPICS__REPLICATION_FACTOR={SAFE_COPIES}",
        )
    if topic.insync < topic.copies:
        yield Finding(
            Kind.OUT_OF_SYNC,
            topic.name,
            f"only {topic.insync} of {topic.copies} copies of a partition are in sync: a broker is "
            f"away or behind",
            f"kafka-topics.sh --bootstrap-server BROKER --describe --under-replicated-partitions "
            f"--topic {topic.name}",
        )
    yield from _of_insync(topic)


def _of_insync(topic: TopicFacts) -> Iterator[Finding]:
    told = (topic.settings or {}).get(INSYNC)
    if told is None:
        return
    needed = int(told)
    if topic.copies >= SAFE_COPIES and needed < SAFE_INSYNC:
        yield Finding(
            Kind.MIN_INSYNC,
            topic.name,
            f"{INSYNC} is {needed} with {topic.copies} copies: a record counts as "
            f"written while one broker has it, and is lost with that one",
            _alter(topic.name, SAFE_INSYNC),
        )
    elif needed > topic.copies:
        yield Finding(
            Kind.UNWRITABLE,
            topic.name,
            f"{INSYNC} is {needed} with {topic.copies} copies: nothing can be written",
            _alter(topic.name, max(topic.copies - 1, 1)),
        )
    elif needed == topic.copies > 1:
        yield Finding(
            Kind.NO_SPARE,
            topic.name,
            f"{INSYNC} is {needed} with {topic.copies} copies: one broker that restarts "
            f"stops all writing",
            _alter(topic.name, topic.copies - 1),
        )


def _alter(topic: str, insync: int) -> str:
    return (
        f"kafka-configs.sh --bootstrap-server BROKER --alter --entity-type topics "
        f"--entity-name {topic} --add-config {INSYNC}={insync}"
    )


def _denied(topic: str, what: str, operations: tuple[Operation, ...]) -> Finding:
    fix = command(Grant(Resource.TOPIC, topic, operations), SOMEBODY)
    return Finding(Kind.ACCESS, topic, what, fix)


def _miscounted(topic: TopicFacts) -> Finding:
    more = topic.partitions > (topic.planned or 0)
    return Finding(
        Kind.PARTITIONS,
        topic.name,
        f"{topic.partitions} partitions, topics.partitions is {topic.planned}: event by event all "
        f"topics use the same partition, and no worker starts",
        # Kafka takes no partitions away.
        f"export LOYALTYSTREAM_TOPICS__PARTITIONS={topic.partitions}, then "
        f"loyaltystream memory relayout"
        if more
        else "stop all workers, then loyaltystream memory relayout",
    )
