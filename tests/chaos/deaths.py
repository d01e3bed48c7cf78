"""Faults that kill or hold workers: at a named point, at any moment, around a commit, for a while.

Does I/O: signals. Each fault returns the mark from which recovery counts, or None where it could
not be made: then it is not counted.
"""

import signal
import time
from collections.abc import Callable
from random import Random
from typing import Final

from tests.chaos.crew import Member
from tests.chaos.failpoints import Order, Point, Way
from tests.chaos.field import STAGES, Field, Mark

Blow = Callable[[Field, Random], Mark | None]

_REACHED_S: Final = 20.0


def some_member(field: Field, random: Random, stages: tuple[str, ...] = STAGES) -> Member:
    """Return one of the permanent workers."""
    return random.choice([member for member in field.crew.members if member.stage in stages])


def at_point(point: Point) -> Blow:
    """Return a fault: a worker kills itself at a point and is started again at once."""

    def blow(field: Field, random: Random) -> Mark | None:
        crew, member = field.crew, some_member(field, random, point.stages)
        provoke = point.way.value if point.way in {Way.ABORTING, Way.UNKNOWN} else ""
        order = Order(point.name, random.randint(1, point.most), provoke)
        if point.way is Way.STARTING:
            crew.kill(member)
            crew.start(member, order)
        else:
            crew.arm(member, order)
        if point.way is Way.REBALANCING:
            extra = crew.recruit(member.stage)
            field.later(lambda: crew.dismiss(extra))
        died = crew.died_at(member, point.name, _REACHED_S)
        mark = field.mark([member.stage])
        if crew.is_alive(member):
            crew.disarm(member)
        else:
            crew.start(member)
        return mark if died else None

    return blow


def at_any_moment(field: Field, random: Random) -> Mark:
    """Kill a worker wherever it is; start it again at once."""
    member = some_member(field, random)
    time.sleep(random.uniform(0, 0.3))
    field.crew.kill(member)
    mark = field.mark([member.stage])
    field.crew.start(member)
    return mark


def and_stay_away(field: Field, random: Random) -> Mark:
    """Kill a worker and leave it dead until its partitions are somebody else's."""
    member = random.choice([one for one in field.crew.members if _has_colleague(field, one)])
    field.crew.kill(member)
    since_s = time.monotonic()
    field.crew.forget(member)
    field.later(lambda: field.crew.start(member))
    return field.mark([member.stage], since_s)


def all_of_a_stage(field: Field, random: Random) -> Mark:
    """Kill every worker of a stage; start all again at once."""
    stage = random.choice(STAGES)
    members = [member for member in field.crew.members if member.stage == stage]
    for member in members:
        field.crew.kill(member)
    mark = field.mark([stage])
    for member in members:
        field.crew.start(member)
    return mark


def around_a_commit(*, at_answer: bool) -> Blow:
    """Return a fault: a worker is killed when its commit is sent, or when the answer comes."""

    def blow(field: Field, random: Random) -> Mark | None:
        member, proxy = some_member(field, random), field.ground.proxy
        proxy.lie_in_wait(
            member.client,
            lambda _: field.crew.signal(member, signal.SIGKILL),
            at_answer=at_answer,
            forwards=not at_answer,
        )
        died = field.crew.dies(member, _REACHED_S) and not proxy.waits
        proxy.calm()
        mark = field.mark([member.stage])
        if not field.crew.is_alive(member):
            field.crew.start(member)
        return mark if died else None

    return blow


def held_past_its_session(field: Field, random: Random) -> Mark:
    """Hold a worker until its partitions are somebody else's; then let it go on: a zombie."""
    member = random.choice([one for one in field.crew.members if _has_colleague(field, one)])
    field.crew.signal(member, signal.SIGSTOP)
    since_s = time.monotonic()
    field.later(lambda: field.crew.signal(member, signal.SIGCONT))
    return field.mark([member.stage], since_s)


def held_briefly(field: Field, random: Random) -> Mark:
    """Hold a worker for less than its session."""
    member = some_member(field, random)
    field.crew.signal(member, signal.SIGSTOP)
    time.sleep(random.uniform(0.5, 3.0))
    mark = field.mark([member.stage])
    field.crew.signal(member, signal.SIGCONT)
    return mark


def _has_colleague(field: Field, member: Member) -> bool:
    return sum(one.stage == member.stage for one in field.crew.members) > 1
