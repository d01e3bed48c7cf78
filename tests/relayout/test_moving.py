"""Partitions are added, and whatever was accepted before stays known."""

from itertools import pairwise

import pytest

from loyaltystream.errors import StateError
from loyaltystream.memory.recovery import restore
from loyaltystream.memory.relaid import Moved, Switched
from loyaltystream.times import DAY_MS
from tests.audit.world import CUSTOMERS, ordered, viewed
from tests.core import NOW_MS, TOPICS, layout
from tests.relayout.world import GrowingWorld, judged

COUNTS = [4, 5, 6, 9, 31]


def verdicts(world: GrowingWorld) -> dict[str, int]:
    """Return how many records are proven to be what."""
    sums: dict[str, int] = {}
    for found in world.exact().partitions:
        for verdict, count in found.judged.items():
            sums[verdict] = sums.get(verdict, 0) + count
    return sums


@pytest.mark.parametrize("partitions", COUNTS)
def test_resends_of_customers_that_moved_are_duplicates(partitions: int) -> None:
    """Every event that was accepted before is known wherever its customer lies now."""
    world = judged()
    before = world.ids()
    homes = {mobile: world.home_of(mobile) for mobile in CUSTOMERS}
    world.relayout(partitions)
    assert world.ids() == before
    assert any(world.home_of(mobile) != home for mobile, home in homes.items())
    for number in range(60):
        world.place(viewed(number, number % 12, occurredAt=NOW_MS + number * 1000))
    world.place(viewed(1000, 1, occurredAt=world.now_ms))
    world.run()
    assert verdicts(world) == {"accepted": 61, "duplicate": 60}


def test_unique_keys_move_with_their_customer() -> None:
    """A unique key that was accepted before is known under another eventId."""
    world = GrowingWorld()
    for number in range(12):
        world.place(ordered(number, f"order {number}", number))
    world.run()
    world.relayout(7)
    for number in range(12):
        world.place(ordered(100 + number, f"order {number}", number))
    world.run()
    assert verdicts(world) == {"accepted": 12, "duplicate": 12}


def test_events_that_wait_are_put_where_they_belong() -> None:
    """What was not judged under the old count goes to its new partition, and is judged there."""
    world = judged()
    for number in range(60, 90):
        world.place(viewed(number, number % 12, occurredAt=world.now_ms))
    world.relayout(8)
    world.run()
    found = verdicts(world)
    assert found["accepted"] == 90
    assert found["rekeyed"] > 0


def test_a_second_relayout_moves_what_the_first_one_moved() -> None:
    """Twice given more partitions, a deployment still knows its first event."""
    world = judged()
    before = world.ids()
    world.relayout(5)
    for number in range(60, 80):
        world.place(viewed(number, number % 12, occurredAt=world.now_ms))
    world.run()
    world.relayout(8)
    assert sum(ids for ids, _ in world.ids().values()) == 80
    assert before.keys() == world.ids().keys()
    for number in range(80):
        world.place(viewed(number, number % 12, occurredAt=NOW_MS))
    world.run()
    assert verdicts(world) == {"accepted": 80, "duplicate": 80}


@pytest.mark.parametrize("kills", range(16))
def test_a_relayout_goes_on_where_it_was_killed(kills: int) -> None:
    """Killed behind any of its transactions, it moves each id once, and none twice."""
    world, other = judged(), judged()
    other.relayout(6)
    world.grow(6)
    assert world.move(6, most=kills) == kills
    world.grow(6)
    world.move(6)
    assert world.move(6) == 0
    world.switch(6)
    assert world.ids() == other.ids()
    moved = [entry for entry in world.entries() if isinstance(entry, Moved)]
    assert sum(len(part.entries) for one in moved for part in one.sections) == 60
    world.exact()


def test_a_relayout_that_was_given_up_leaves_nothing() -> None:
    """What was copied on the way to another count counts for nothing."""
    world = judged()
    before = world.ids()
    world.grow(5)
    world.move(5, most=6)
    world.relayout(8)
    assert world.ids() == before
    for number in range(60):
        world.place(viewed(number, number % 12, occurredAt=NOW_MS))
    world.run()
    assert verdicts(world) == {"accepted": 60, "duplicate": 60}


def test_chunks_follow_each_other() -> None:
    """What is moved says from which records it came, each record once."""
    world = judged()
    world.grow(6)
    world.move(6, most=3)
    world.move(6)
    spans: dict[int, set[tuple[int, int]]] = {}
    for entry in world.entries():
        if isinstance(entry, Moved):
            spans.setdefault(entry.source, set()).add((entry.from_offset, entry.to_offset))
    assert sorted(spans) == [0, 1, 2]
    for found in spans.values():
        assert len(found) > 1
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(found)))


@pytest.mark.parametrize("most", [0, 1, 5, 10_000])
def test_nothing_starts_before_the_switch(most: int) -> None:
    """Until all of it is moved, no partition is opened under the new count, old ones and new."""
    world = judged()
    world.grow(6)
    world.move(6, most=most)
    for number in range(6):
        with pytest.raises(StateError, match="loyaltystream memory relayout"):
            world.restored(number, 6)
    for number, memory in world.memories.items():
        assert world.restored(number, 3).next_offset == memory.next_offset


def test_copies_without_a_switch_are_no_memory() -> None:
    """A new partition that holds copies is told from one that holds nothing yet."""
    world = judged()
    world.grow(6)
    world.move(6)
    new = [records for records in world.log.topics[TOPICS.changelog][3:] if records]
    assert new
    for records in new:
        with pytest.raises(StateError, match="begun and not finished"):
            restore(
                [record.value or b"" for record in records],
                layout(6),
                committed=None,
                fresh=lambda: 0,
            )


def test_the_old_count_is_refused_behind_the_switch() -> None:
    """A worker that still has the old count does not go on beside the new memory."""
    world = judged()
    world.relayout(6)
    for number in range(6):
        with pytest.raises(StateError, match="it is for 6 partitions, the ingest topic has 3"):
            world.restored(number, 3)


def test_what_has_expired_stays_behind() -> None:
    """Ids that count no more are not moved."""
    world = judged()
    world.now_ms += 40 * DAY_MS
    for number in range(100, 112):
        world.place(viewed(number, number % 12, occurredAt=world.now_ms))
    world.run()
    world.relayout(5)
    switched = [entry for entry in world.entries() if isinstance(entry, Switched)]
    assert len(switched) == 5
    assert sum(entry.ids for entry in switched) == 12
    world.exact()


def test_partitions_take_the_clock_of_those_that_they_come_from() -> None:
    """No id that was moved is of a later generation than its partition's clock."""
    world = judged()
    clocks = {number: memory.clock_ms for number, memory in world.memories.items()}
    world.relayout(6)
    for number, memory in world.memories.items():
        assert memory.clock_ms == clocks[number % 3]
        assert memory.covers_from_ms == 0


def test_a_switch_without_all_ids_is_refused() -> None:
    """Before anything is switched, what was moved is held against what had to be."""
    world = judged()
    world.grow(6)
    world.move(6, most=4)
    with pytest.raises(StateError, match="60 ids had to be moved"):
        world.switch(6)


def test_a_log_that_lost_what_was_moved_is_refused() -> None:
    """A partition knows how many ids were moved there, and misses each of them."""
    world = judged()
    world.relayout(6)
    lost = next(
        record
        for record, entry in zip(world.log.all(TOPICS.changelog), world.entries(), strict=True)
        if isinstance(entry, Moved)
    )
    world.log.delete(TOPICS.changelog, lost)
    with pytest.raises(StateError, match="a relayout moved"):
        world.restored(lost.partition)


def test_nothing_is_to_be_done_twice() -> None:
    """Behind a relayout there is nothing to move."""
    world = judged()
    world.relayout(6)
    survey = world.survey(6)
    assert survey.is_done
    assert survey.before == layout(6)
    assert world.move(6) == 0
