"""What a what-if reads: the last hours' events, and those in older letters, within bounds."""

from collections.abc import Mapping
from typing import Any

import pytest

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.foresight import HOUR_MS, Bounds
from loyaltystream.sealing.ring import NO_KEYS
from loyaltystream.whatif import Effect, Outlook
from tests.audit.world import PARTITIONS, World, viewed
from tests.core import NOW_MS, VIEWED, define, event, field
from tests.judged import JudgedLog, foresight_of
from tests.sealing.rings import OLD

STRICT = VIEWED | {"fields": [*VIEWED["fields"], field("shelf", "enum", possibleValues=["upper"])]}
LOOSE = VIEWED | {
    "fields": [field("sku", "string") if one["name"] == "sku" else one for one in VIEWED["fields"]]
}
ALL = Bounds(1000)


def bare(number: int, customer: int = 0) -> dict[str, Any]:
    """Return an event that lacks what its definition requires."""
    return viewed(number, customer, fields={"price": 1})


def looked(
    world: World,
    other: Mapping[str, Any],
    *,
    since_ms: int = 0,
    bounds: Bounds = ALL,
    seconds_each: float = 0.0,
) -> tuple[Outlook, Outlook]:
    """Return what a definition would have done, where each look at the clock takes so long."""
    moments = iter(range(10_000))
    foresight = foresight_of(world, clock=lambda: next(moments) * seconds_each)
    return foresight.look(define(other), define(VIEWED), since_ms=since_ms, bounds=bounds)


def test_each_event_is_looked_at_once() -> None:
    """A rejected event of the last hours is told of its topic, and not of its letter again."""
    world = World()
    for number in range(5):
        world.place(bare(number))
    world.run()
    events, letters = looked(world, LOOSE)
    assert events.effects == {Effect.FIXES: 5}
    assert (letters.records, events.complete, letters.complete) == (0, True, True)


def test_an_event_that_was_put_back_counts_once() -> None:
    """What first lay in a wrong partition lies there twice, and is one event."""
    world = World()
    for number in range(5):
        world.place(bare(number), astray=1)
    world.run()
    assert len(world.log.all("behavioral-events")) == 5
    for number in range(5):
        world.place(viewed(number, fields={"sku": "S", "shelf": "floor"}), astray=1)
    world.run()
    assert len(world.log.all("behavioral-events")) == 15
    events, _ = looked(world, STRICT)
    assert (events.records, events.effects[Effect.REJECTS]) == (10, 5)


def test_older_events_are_found_in_their_letters() -> None:
    """What was rejected before the hours that are looked at would be mended as well."""
    world = World()
    for number in range(5):
        world.place(bare(number))
        world.place(viewed(number + 100))
    world.run()
    world.now_ms += HOUR_MS
    since_ms = world.now_ms
    for number in range(3):
        world.place(bare(number + 10))
    world.run()
    events, letters = looked(world, LOOSE, since_ms=since_ms)
    assert (events.effects, events.records) == ({Effect.FIXES: 3}, 3)
    assert (letters.effects, letters.records) == ({Effect.FIXES: 5}, 5)


def test_letters_that_cannot_be_opened_are_counted() -> None:
    """A sealed letter of the event is looked at where its key is, and without it told of."""
    world = World()
    world.seal(OLD)
    for number in range(3):
        world.place(bare(number))
    world.place(event(eventName="orderPlaced", fields={}))
    world.run()
    for ring, records, unopened in ((OLD, 4, 0), (NO_KEYS, 0, 3)):
        _, letters = foresight_of(world, ring=ring).look(
            define(LOOSE), define(VIEWED), since_ms=world.now_ms + 1, bounds=ALL
        )
        assert (letters.records, letters.unopened.total()) == (records, unopened)
        assert letters.of_the_event()["unopened"] == unopened


def test_beyond_the_bound_the_newest_count() -> None:
    """Of each partition the same share is left out, of its oldest records, and that is told."""
    world = World()
    for number in range(30):
        world.place(viewed(number, number % 12, fields={"sku": "S", "shelf": "floor"}))
    events, letters = looked(world, STRICT, bounds=Bounds(1000, records=15))
    assert 15 - PARTITIONS <= events.records <= 15
    assert events.effects == {Effect.REJECTS: events.records}
    assert (events.complete, letters.complete) == (False, True)
    offsets: dict[int, int] = {}
    for case in events.cases:
        _, partition, offset = case.place.split("/")
        offsets.setdefault(int(partition), int(offset))
    for number, first in offsets.items():
        _, end = world.log.settled_bounds("behavioral-events")[number]
        assert first == end - end * 15 // 30


def test_when_the_time_is_up_what_was_seen_is_told() -> None:
    """A look ends after so many seconds, whatever there is left."""
    world = World()
    for number in range(30):
        world.place(bare(number))
    world.run()
    events, letters = looked(world, LOOSE, bounds=Bounds(1000, seconds=10), seconds_each=1)
    assert 0 < events.records < 10
    assert (events.complete, letters.complete, letters.records) == (False, False, 0)


def test_a_look_has_its_pace() -> None:
    """No more records a second are read than was asked for."""
    world = World()
    for number in range(20):
        world.place(viewed(number))
    waited: list[float] = []
    foresight = foresight_of(world)
    foresight._pause = waited.append
    foresight.look(define(STRICT), None, since_ms=NOW_MS, bounds=Bounds(10))
    assert len(waited) > 10


def test_a_broker_that_is_away_is_told() -> None:
    """Nothing is told of what could not be read."""
    world = World()
    log = JudgedLog(world.log)
    log.away = RetryableBrokerError("no broker")
    with pytest.raises(RetryableBrokerError):
        foresight_of(world, log=log).look(define(STRICT), None, since_ms=0, bounds=ALL)
