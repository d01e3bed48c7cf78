"""Order, turns and offsets of what a subscriber works on, whatever becomes of it in between."""

from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.events import Record
from loyaltystream.subscriber.lanes import FULL, Lanes
from loyaltystream.subscriber.outcomes import Delayed, Outcome, Settled, Work

HANDLED = Settled(Outcome.HANDLED)


def record(partition: int, offset: int) -> Record:
    """Return a record of that place."""
    return Record(partition, offset, 0, None, b"")


def lanes(**_: object) -> Lanes:
    """Return two partitions with three records each."""
    made = Lanes()
    made.take({number: [record(number, offset) for offset in range(3)] for number in (0, 1)})
    return made


def due(made: Lanes, now_s: float = 0) -> Work:
    """Return the work that is due."""
    work = made.next(now_s)
    assert work is not None
    return work


def test_partitions_take_turns() -> None:
    """With work in two partitions each is worked on in turn."""
    made, turns = lanes(), []
    while (work := made.next(0)) is not None:
        turns.append(work.record.partition)
        made.settle(work, HANDLED, 0)
    assert turns == [0, 1, 0, 1, 0, 1]
    assert made.unstored() == {0: 3, 1: 3}


def test_a_partition_that_waits_holds_up_no_other() -> None:
    """Behind a failure a partition has no work until its time has come; the other one has."""
    made = lanes()
    first = due(made)
    made.settle(first, Delayed(Work(first.record, attempts=1), 5, ""), 0)
    assert [due(made, 4).record.partition for _ in range(3)] == [1, 1, 1]
    assert made.ready(4) == 3
    assert {due(made, 5), due(made, 5)} >= {Work(first.record, attempts=1)}


def test_what_is_stored_is_not_stored_again() -> None:
    """An offset is due for a commit until that is noted, and then only when it moves."""
    made = lanes()
    made.settle(due(made), HANDLED, 0)
    assert made.unstored() == {0: 1}
    made.note_stored({0: 1})
    assert made.unstored() == {}


def test_a_partition_that_was_given_up_counts_no_more() -> None:
    """What work on a record comes to after its partition went is not noted, nor committed."""
    made = lanes()
    work = due(made)
    made.drop([0])
    assert not made.settle(work, HANDLED, 0)
    assert made.unstored() == {}
    made.take({0: [record(0, 0)]})  # it comes back, from what is committed
    assert not made.settle(work, HANDLED, 0)
    assert made.unstored() == {}


def test_a_partition_with_enough_records_needs_no_more() -> None:
    """A partition is full at so many records, and is fetched again once it has fewer."""
    made = Lanes()
    made.take({3: [record(3, offset) for offset in range(FULL)]})
    assert made.full() == {3}
    made.settle(due(made), HANDLED, 0)
    assert made.full() == set()


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["take", "work", "fail", "drop"]))))
def test_order_holds_whatever_happens(steps: list[tuple[int, str]]) -> None:
    """Each partition's records are settled in order without a gap, and only those are committed."""
    made, now_s = Lanes(), 0.0
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    settled: dict[int, list[int]] = {}
    for partition, step in steps:
        now_s += 1
        if step == "take":
            at = ends.setdefault(partition, begins.setdefault(partition, 0))
            made.take({partition: [record(partition, at)]})
            ends[partition] = at + 1
        elif step == "drop":
            made.drop([partition])
            begins[partition] = ends[partition] = (settled.get(partition) or [-1])[-1] + 1
        elif (work := made.next(now_s)) is not None:
            place = work.record
            if step == "fail":
                made.settle(work, Delayed(work, 2, ""), now_s)
            elif made.settle(work, HANDLED, now_s):
                settled.setdefault(place.partition, []).append(place.offset)
    for offsets in settled.values():
        assert offsets == list(range(len(offsets)))
    assert all(made.unstored()[number] == settled[number][-1] + 1 for number in made.unstored())
