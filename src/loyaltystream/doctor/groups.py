"""Whether somebody works, on every partition, and nothing holds readers up. Pure."""

from collections.abc import Iterator

import msgspec

from loyaltystream.access import Grant, Operation, Resource, command
from loyaltystream.doctor.findings import SOMEBODY, Finding, Kind


class GroupFacts(msgspec.Struct, frozen=True):
    """A stage's consumer group.

    Attributes:
        topic: what it reads.
        settled: whether it is not sharing out partitions just now.
        members: who is in it.
        unowned: the partitions that none of them has.
        waiting: how many offsets wait to be read.
        may_read: whether we may read as a member of it.
    """

    name: str
    stage: str
    topic: str
    settled: bool
    members: int
    unowned: list[int]
    waiting: int
    may_read: bool = True


class Held(msgspec.Struct, frozen=True):
    """A partition whose last stable offset stands still before its end."""

    topic: str
    partition: int
    stable: int
    end: int
    for_s: float


def of_group(group: GroupFacts) -> Iterator[Finding]:
    """Yield what is wrong with a group."""
    if not group.may_read:
        yield Finding(
            Kind.ACCESS,
            group.name,
            "we may not READ in this group: no worker joins it",
            command(Grant(Resource.GROUP, group.name, (Operation.READ,)), SOMEBODY),
        )
    if group.members == 0 and group.waiting > 0:
        yield Finding(
            Kind.NOBODY_READS,
            group.name,
            f"{group.waiting} offsets of {group.topic} wait, and no worker is there",
            f"loyaltystream run --stage {group.stage} --from earliest",
        )
    elif group.members and group.settled and group.unowned:
        yield Finding(
            Kind.UNOWNED,
            group.name,
            f"nobody has the partitions {', '.join(map(str, group.unowned))} of {group.topic}: "
            f"their events wait. Workers look for that after a join, and mend it in a session",
            f"restart one worker: loyaltystream run --stage {group.stage}",
        )


def of_held(held: list[Held]) -> Iterator[Finding]:
    """Yield the transactions that nobody ends."""
    for one in held:
        yield Finding(
            Kind.HANGING_TRANSACTION,
            f"{one.topic}/{one.partition}",
            f"a transaction has been open at {one.stable} for more than {one.for_s:.0f} s, longer "
            f"than ours last; {one.end - one.stable} offsets wait behind it",
            f"kafka-transactions.sh --bootstrap-server BROKER describe-producers "
            f"--topic {one.topic} --partition {one.partition}; then abort --topic {one.topic} "
            f"--partition {one.partition} --start-offset {one.stable}",
        )
