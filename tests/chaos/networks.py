"""Faults of the way between worker and broker: slow, cut, reset, open in one direction only.

Does I/O: none itself; tells the proxy.
"""

import time
from collections.abc import Callable
from random import Random

from tests.chaos.crew import READY_S
from tests.chaos.deaths import Blow, some_member
from tests.chaos.field import STAGES, Field, Mark
from tests.chaos.proxy import ALL, JOIN_GROUP, Proxy, Weather


def bad_weather(
    make: Callable[[Random], Weather], *, least_s: float, most_s: float, everybody: bool
) -> Blow:
    """Return a fault: the network is bad for a while, for one worker or for all."""

    def blow(field: Field, random: Random) -> Mark:
        client, stages = _whom(field, random, everybody=everybody)
        proxy, weather = field.ground.proxy, make(random)
        proxy.set(weather, client)
        if weather.refuses:
            proxy.reset(client)
        time.sleep(random.uniform(least_s, most_s))
        proxy.calm()
        return field.mark(stages)

    return blow


def reset_once(field: Field, random: Random) -> Mark:
    """Reset the connections of one worker, or of all."""
    client, stages = _whom(field, random, everybody=random.random() < 0.5)
    field.ground.proxy.reset(client)
    return field.mark(stages)


def lost_around_a_commit(*, at_answer: bool) -> Blow:
    """Return a fault: the connection breaks under a commit, before the broker has it or after."""

    def blow(field: Field, random: Random) -> Mark | None:
        member, proxy = some_member(field, random), field.ground.proxy
        proxy.lie_in_wait(member.client, lambda _: None, at_answer=at_answer, forwards=False)
        lost = _is_met(proxy)
        proxy.calm()
        return field.mark([member.stage]) if lost else None

    return blow


def join_answer_lost(field: Field, random: Random) -> Mark | None:
    """Break the connection of a worker that has joined, before it hears of that."""
    member, proxy, crew = some_member(field, random), field.ground.proxy, field.crew
    crew.kill(member)
    proxy.lie_in_wait(
        member.client, lambda _: None, at_answer=True, forwards=False, api_key=JOIN_GROUP
    )
    crew.start(member)
    lost = _is_met(proxy)
    proxy.calm()
    return field.mark([member.stage]) if lost else None


def join_heard_late(field: Field, random: Random) -> Mark | None:
    """Let the broker hear a worker's join once more, when the worker is at work already."""
    member, proxy, crew = some_member(field, random), field.ground.proxy, field.crew
    crew.kill(member)
    joins: list[bytes] = []
    proxy.lie_in_wait(
        member.client, joins.append, at_answer=False, forwards=True, api_key=JOIN_GROUP
    )
    crew.start(member)
    if not _is_met(proxy):
        proxy.calm()
        return None
    deadline = time.monotonic() + READY_S
    while not crew.is_at_work(member) and time.monotonic() < deadline:
        time.sleep(0.05)
    proxy.resend(joins[0])
    return field.mark([member.stage])


def silence_behind_a_commit(field: Field, random: Random) -> Mark | None:
    """Let a commit reach the broker, and no answer come back for longer than it may take."""
    member, proxy = some_member(field, random), field.ground.proxy
    silence = Weather(holds_answers=True)
    proxy.lie_in_wait(
        member.client,
        lambda _: proxy.set(silence, member.client),
        at_answer=False,
        forwards=True,
    )
    heard = _is_met(proxy)
    time.sleep(random.uniform(4, 9))
    proxy.calm()
    return field.mark([member.stage]) if heard else None


def _is_met(proxy: Proxy) -> bool:
    """Wait until somebody walks into the ambush, for some time; say whether anybody did."""
    deadline = time.monotonic() + 20
    while proxy.waits and time.monotonic() < deadline:
        time.sleep(0.01)
    return not proxy.waits


def _whom(field: Field, random: Random, *, everybody: bool) -> tuple[str, tuple[str, ...]]:
    if everybody:
        return ALL, STAGES
    member = some_member(field, random)
    return member.client, (member.stage,)
