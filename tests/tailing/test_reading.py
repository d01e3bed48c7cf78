"""Which records of a topic are shown, over logs with holes."""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.events import Record
from loyaltystream.tailing.reading import MERGED_PARTITIONS, Tail
from tests.laws.strategies import LAW


class Holed:
    """A topic whose offsets have holes where transactions ended."""

    def __init__(self, partitions: int = 1) -> None:
        self.parts: list[list[Record]] = [[] for _ in range(partitions)]
        self.ends = [0] * partitions
        self.firsts = [0] * partitions
        self.reads = 0

    def put(self, partition: int, timestamp_ms: int, *, markers: int = 0) -> Record:
        """Append a record, and so many markers behind it."""
        record = Record(partition, self.ends[partition], timestamp_ms, None, b"{}")
        self.parts[partition].append(record)
        self.ends[partition] += 1 + markers
        return record

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return first and last offsets."""
        del topic
        return {
            number: (first, end)
            for number, (first, end) in enumerate(zip(self.firsts, self.ends, strict=True))
        }

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield what lies between."""
        del topic
        self.reads += 1
        yield from (one for one in self.parts[partition] if start <= one.offset < end)


@LAW
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 200)), max_size=30), st.integers(0, 40))
def test_the_last_records_are_found_behind_any_number_of_markers(
    puts: list[tuple[int, int]], count: int
) -> None:
    """Of all partitions together the last ones come, in the order of time."""
    log = Holed(3)
    put = [log.put(part, at_ms, markers=markers) for at_ms, (part, markers) in enumerate(puts)]
    assert Tail(log, "t").last(count) == put[len(put) - min(count, len(put)) :]


def test_what_comes_is_shown_once() -> None:
    """Between the last records and those that follow nothing is lost or shown twice."""
    log = Holed(2)
    first = [log.put(0, 1), log.put(1, 2, markers=3)]
    tail = Tail(log, "t")
    assert tail.last(10) == first
    assert list(tail.new()) == []
    later = [log.put(1, 3), log.put(0, 4), log.put(1, 5)]
    assert list(tail.new()) == later
    assert list(tail.new()) == []


def test_no_last_records_still_follow_from_the_end() -> None:
    """With -n 0 only what comes is shown, and the topic is not read for it."""
    log = Holed()
    log.put(0, 1)
    tail = Tail(log, "t")
    assert tail.last(0) == []
    later = log.put(0, 2)
    assert list(tail.new()) == [later]


@pytest.mark.parametrize("partitions", [3, MERGED_PARTITIONS + 1])
def test_everything_is_shown_from_the_start(partitions: int) -> None:
    """All records come: in the order of time, or partition by partition if there are many."""
    log = Holed(partitions)
    put = [log.put(number % partitions, number) for number in range(4 * partitions)]
    tail = Tail(log, "t")
    shown = list(tail.every())
    assert sorted(shown, key=lambda record: record.timestamp_ms) == put
    assert (shown == put) == (partitions <= MERGED_PARTITIONS)
    assert list(tail.new()) == []


def test_what_retention_took_meanwhile_is_passed_over() -> None:
    """A follower that fell behind retention goes on with what is left."""
    log = Holed()
    log.put(0, 1)
    tail = Tail(log, "t")
    tail.last(1)
    log.put(0, 2)
    left = log.put(0, 3)
    log.firsts[0] = left.offset
    assert list(tail.new()) == [left]


def test_a_topic_made_anew_is_read_from_its_beginning() -> None:
    """An end before the place that was reached means that the old log is gone."""
    log = Holed()
    for number in range(5):
        log.put(0, number)
    tail = Tail(log, "t")
    tail.last(1)
    log.parts, log.ends = [[]], [0]
    new = log.put(0, 9)
    assert list(tail.new()) == [new]
