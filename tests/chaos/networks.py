"""Faults of the way between worker and broker: slow, cut, reset, open in one direction only.

Does I/O: none itself; tells the proxy.
"""

import time
from collections.abc import Callable
from random import Random

from tests.chaos.deaths import Blow, some_member
from tests.chaos.field import STAGES, Field, Mark
from tests.chaos.proxy import ALL, Weather


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
        proxy.lie_in_wait(member.client, lambda: None, at_answer=at_answer, forwards=False)
        deadline = time.monotonic() + 20
        while proxy.waits and time.monotonic() < deadline:
            time.sleep(0.01)
        lost = not proxy.waits
        proxy.calm()
        return field.mark([member.stage]) if lost else None

    return blow


def silence_behind_a_commit(field: Field, random: Random) -> Mark | None:
    """Let a commit reach the broker, and no answer come back for longer than it may take."""
    member, proxy = some_member(field, random), field.ground.proxy
    silence = Weather(holds_answers=True)
    proxy.lie_in_wait(
        member.client,
        lambda: proxy.set(silence, member.client),
        at_answer=False,
        forwards=True,
    )
    deadline = time.monotonic() + 20
    while proxy.waits and time.monotonic() < deadline:
        time.sleep(0.01)
    heard = not proxy.waits
    time.sleep(random.uniform(4, 9))
    proxy.calm()
    return field.mark([member.stage]) if heard else None


def _whom(field: Field, random: Random, *, everybody: bool) -> tuple[str, tuple[str, ...]]:
    if everybody:
        return ALL, STAGES
    member = some_member(field, random)
    return member.client, (member.stage,)
