"""Who needs which rights at the brokers: names of a deployment in, grants by role out. Pure.

Each grant was used, and no other missed, by the role's commands on a broker with an authorizer
(tests/security). What others imply is left out: READ, WRITE and ALTER imply DESCRIBE.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from loyaltystream.topology import Topics

READER_GROUP: Final = "loyaltystream.reader"
"""The name that a consumer outside any group gives; nothing is committed under it."""

INTERNAL: Final = ("__consumer_offsets", "__transaction_state")
"""Topics of the brokers' own, whose copies matter as much as ours."""

TOPIC_STAND_IN: Final = "SUBSCRIBERS-TOPIC"
GROUP_STAND_IN: Final = "SUBSCRIBERS-GROUP"
"""Shown where nobody has said the name."""

_ALL: Final = Topics.__struct_fields__
_AVRO: Final = ("emf", "ei", "notifications", "dead_letter")
_EVENTS: Final = ("ingest", "emf", "ei", "duplicates", "dead_letter")


class Role(StrEnum):
    """What a principal is there for."""

    INIT = "init"
    INGEST = "ingest"
    NOTIFY = "notify"
    GATEWAY = "gateway"
    DEFINITIONS = "definitions"
    PRODUCER = "producer"
    SUBSCRIBER = "subscriber"
    VIEWER = "viewer"
    REPAIR = "repair"
    BACKFILL = "backfill"
    RE_EMIT = "re-emit"
    RELAYOUT = "relayout"
    DOCTOR = "doctor"


PURPOSE: Final[Mapping[Role, str]] = {
    Role.INIT: "`init`: makes topics, and changes their settings",
    Role.INGEST: "`run --stage ingest`",
    Role.NOTIFY: "`run --stage notify`",
    Role.GATEWAY: "`serve gateway`, `send`: writes events, and tells what became of them",
    Role.DEFINITIONS: "`definitions apply` and `disable`, `serve definitions`",
    Role.PRODUCER: "tills, apps, partners: writes events",
    Role.SUBSCRIBER: "reads notifications in a group of its own",
    Role.VIEWER: "`audit`, `why`, `tail`, `dead-letters list`, `memory verify`: reads everything",
    Role.REPAIR: "`dead-letters repair`, `replay`, `release`, `discard`",
    Role.BACKFILL: "`backfill`",
    Role.RE_EMIT: "`re-emit`, to one topic of a subscriber",
    Role.RELAYOUT: "`memory relayout`",
    Role.DOCTOR: "`doctor`: looks at everything, and at what it may do",
}


class Resource(StrEnum):
    """What a grant is about, as Kafka's tools name it."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"
    CLUSTER = "cluster"


class Operation(StrEnum):
    """What may be done, as Kafka's tools name it."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    ALTER = "Alter"
    ALTER_CONFIGS = "AlterConfigs"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"


_IMPLIED: Final = {
    Operation.READ: Operation.DESCRIBE,
    Operation.WRITE: Operation.DESCRIBE,
    Operation.ALTER: Operation.DESCRIBE,
    Operation.ALTER_CONFIGS: Operation.DESCRIBE_CONFIGS,
}


class Grant(msgspec.Struct, frozen=True):
    """Operations on one resource, or on all whose names begin so."""

    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    prefixed: bool = False


class Names(msgspec.Struct, frozen=True):
    """What a deployment's resources are called.

    Attributes:
        group_prefix: worker.group_prefix.
        topic: a subscriber's own, which notifications are sent to again.
        group: a subscriber's.
    """

    topics: Topics
    group_prefix: str
    topic: str = TOPIC_STAND_IN
    group: str = GROUP_STAND_IN


def grants(role: Role, names: Names) -> list[Grant]:
    """Return the least that a role works with."""
    return _merged(_WANTED[role](names))


def worker_grants(names: Names) -> list[Grant]:
    """Return the least that workers of both stages work with under one name."""
    return _merged([*_ingest(names), *_notify(names)])


def _merged(wanted: Iterable[Grant]) -> list[Grant]:
    made: dict[tuple[Resource, str, bool], set[Operation]] = {}
    for one in wanted:
        made.setdefault((one.resource, one.name, one.prefixed), set()).update(one.operations)
    return [
        Grant(resource, name, _told(operations), prefixed)
        for (resource, name, prefixed), operations in made.items()
    ]


def _told(operations: set[Operation]) -> tuple[Operation, ...]:
    """Return operations without those that others of them imply."""
    implied = {_IMPLIED[one] for one in operations if one in _IMPLIED}
    return tuple(one for one in Operation if one in operations - implied)


def command(grant: Grant, principal: str) -> str:
    """Return the line for Kafka's own tool that allows it; a principal is `User:NAME`."""
    operations = " ".join(f"--operation {one.value}" for one in grant.operations)
    named = "" if grant.resource is Resource.CLUSTER else f" {grant.name}"
    pattern = " --resource-pattern-type prefixed" if grant.prefixed else ""
    return (
        f"kafka-acls.sh --bootstrap-server BROKER --add --allow-principal {principal} "
        f"{operations}{pattern} --{grant.resource.value}{named}"
    )


def _topics(names: Names, roles: Iterable[str], *operations: Operation) -> Iterator[Grant]:
    for role in roles:
        yield Grant(Resource.TOPIC, getattr(names.topics, role), operations)


def _reads(names: Names, roles: Iterable[str]) -> Iterator[Grant]:
    yield from _topics(names, roles, Operation.READ)
    yield Grant(Resource.GROUP, READER_GROUP, (Operation.DESCRIBE,))


def _checks(names: Names) -> Iterator[Grant]:
    """Yield what it takes to see that all topics are as they have to be."""
    yield from _topics(names, _ALL, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)


def _transactions(names: Names, name: str) -> Grant:
    prefix = f"{names.group_prefix}.{name}"
    return Grant(Resource.TRANSACTIONAL_ID, prefix, (Operation.WRITE,), prefixed=True)


def _group(names: Names, stage: str, operation: Operation) -> Grant:
    return Grant(Resource.GROUP, f"{names.group_prefix}.{stage}", (operation,))


def _init(names: Names) -> Iterator[Grant]:
    own = (Operation.CREATE, Operation.DESCRIBE, Operation.ALTER_CONFIGS)
    yield from _topics(names, _ALL, *own)


def _ingest(names: Names) -> Iterator[Grant]:
    yield from _checks(names)
    yield from _reads(names, ["ingest", "changelog", "definitions", "letter_state", *_AVRO])
    yield from _topics(names, [*_EVENTS, "changelog"], Operation.WRITE)
    yield _group(names, "ingest", Operation.READ)
    yield _transactions(names, "ingest.")


def _notify(names: Names) -> Iterator[Grant]:
    yield from _checks(names)
    yield from _reads(names, ["definitions", *_AVRO])
    yield from _topics(names, ["notifications", "dead_letter"], Operation.WRITE)
    yield _group(names, "notify", Operation.READ)
    yield _transactions(names, "notify.")


def _gateway(names: Names) -> Iterator[Grant]:
    yield from _reads(names, _ALL)  # what became of an event
    yield _group(names, "notify", Operation.DESCRIBE)
    yield from _topics(names, ["ingest"], Operation.WRITE)


def _definitions(names: Names) -> Iterator[Grant]:
    yield from _reads(names, ["definitions", "ingest", "dead_letter"])  # what-if
    yield from _topics(names, ["definitions"], Operation.WRITE)
    desk = f"{names.topics.definitions}.desk"
    yield Grant(Resource.TRANSACTIONAL_ID, desk, (Operation.WRITE,))


def _producer(names: Names) -> Iterator[Grant]:
    yield from _topics(names, ["ingest"], Operation.WRITE)


def _subscriber(names: Names) -> Iterator[Grant]:
    yield from _topics(names, ["notifications"], Operation.READ)
    yield Grant(Resource.GROUP, names.group, (Operation.READ,))


def _viewer(names: Names) -> Iterator[Grant]:
    yield from _reads(names, _ALL)
    for stage in ("ingest", "notify"):
        yield _group(names, stage, Operation.DESCRIBE)


def _repair(names: Names) -> Iterator[Grant]:
    yield from _reads(names, ["changelog", "dead_letter", "definitions", "letter_state"])
    yield from _topics(names, ["ingest", "emf", "letter_state"], Operation.WRITE)
    yield _transactions(names, "dead-letters")


def _backfill(names: Names) -> Iterator[Grant]:
    yield from _reads(names, ["changelog", "definitions", "letter_state"])
    yield from _topics(names, ["ingest", "letter_state"], Operation.WRITE)
    yield _group(names, "ingest", Operation.DESCRIBE)


def _re_emit(names: Names) -> Iterator[Grant]:
    yield from _reads(names, ["notifications", "letter_state"])
    yield from _topics(names, ["letter_state"], Operation.WRITE)
    yield from _topics(names, ["notifications"], Operation.DESCRIBE_CONFIGS)  # the target's are its
    own = (Operation.WRITE, Operation.CREATE, Operation.DESCRIBE_CONFIGS)
    yield Grant(Resource.TOPIC, names.topic, own)
    yield _transactions(names, "re-emit.")


def _relayout(names: Names) -> Iterator[Grant]:
    yield from _topics(names, [*_EVENTS, "changelog"], Operation.ALTER)
    yield from _reads(names, ["ingest", "emf", "changelog"])
    yield from _topics(names, ["changelog"], Operation.WRITE)
    for stage in ("ingest", "notify"):
        yield _group(names, stage, Operation.READ)
    yield _transactions(names, "relayout")


def _doctor(names: Names) -> Iterator[Grant]:
    yield from worker_grants(names)
    yield Grant(Resource.CLUSTER, "kafka-cluster", (Operation.DESCRIBE_CONFIGS,))
    for name in INTERNAL:
        yield Grant(Resource.TOPIC, name, (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS))
    yield _transactions(names, "doctor.")


_WANTED: Final = {
    Role.INIT: _init,
    Role.INGEST: _ingest,
    Role.NOTIFY: _notify,
    Role.GATEWAY: _gateway,
    Role.DEFINITIONS: _definitions,
    Role.PRODUCER: _producer,
    Role.SUBSCRIBER: _subscriber,
    Role.VIEWER: _viewer,
    Role.REPAIR: _repair,
    Role.BACKFILL: _backfill,
    Role.RE_EMIT: _re_emit,
    Role.RELAYOUT: _relayout,
    Role.DOCTOR: _doctor,
}
