"""What a source reads, from where, and in which order."""

import pytest

from loyaltystream.errors import FatalBrokerError
from loyaltystream.ports import Fate
from tests.contract.ports import (
    PARTITIONS,
    Backend,
    Told,
    joined,
    output,
    poll_records,
    poll_until,
    values,
)

LETTERS = [b"a", b"b", b"c", b"d", b"e", b"f"]


def test_records_come_in_the_order_of_their_offsets(backend: Backend) -> None:
    """Each partition's records are told once, from the first on."""
    source = joined(backend)
    backend.append(0, *LETTERS)
    backend.append(1, *LETTERS)
    came = poll_records(source, 2 * len(LETTERS))
    for number in range(PARTITIONS):
        assert values([found for found in came if found.partition == number]) == LETTERS


def test_a_poll_returns_no_more_than_a_batch(backend: Backend) -> None:
    """However much there is to read, a batch has an upper bound."""
    backend.append(0, *LETTERS)
    told = Told()
    source = backend.source("one", batch_records=4)
    source.join(told)
    poll_until(lambda: told.owned, source)
    source.seek({0: 0})
    sizes: list[int] = []
    while sum(sizes) < len(LETTERS):
        sizes.append(sum(map(len, source.poll().values())))
    assert max(sizes) <= 4


def test_reading_begins_where_the_owner_says(backend: Backend) -> None:
    """The offset that an owner returns for a partition is the first one that it is told."""
    backend.append(0, *LETTERS)
    source = backend.source("one")
    source.join(Told(starts={0: 4}))
    came = poll_records(source, 2)
    assert [(record.offset, record.value) for record in came] == [(4, b"e"), (5, b"f")]


def test_an_owner_is_told_the_committed_offset(backend: Backend) -> None:
    """A member that takes a partition hears where the group is in it, or that it is nowhere."""
    backend.append(1, *LETTERS)
    first = joined(backend, "one")
    sink = backend.sink("sink")
    sink.open()
    sink.send([])
    sink.submit({1: 4}, first.group())
    assert sink.outcome().fate is Fate.COMMITTED
    first.close()
    told = Told()
    joined(backend, "one", told)
    assert told.committed == {0: None, 1: 4}


def test_seeking_back_reads_again(backend: Backend) -> None:
    """After a seek the next record is the one asked for, whatever was fetched already."""
    backend.append(0, *LETTERS)
    source = backend.source("one", batch_records=2)
    source.join(Told())
    assert values(poll_records(source, 2)) == LETTERS[:2]
    source.seek({0: 1})
    assert values(poll_records(source, 5)) == LETTERS[1:]


def test_seeking_forward_leaves_out(backend: Backend) -> None:
    """What lies before the offset asked for is dropped, though it was fetched."""
    backend.append(0, *LETTERS)
    source = backend.source("one", batch_records=1)
    source.join(Told())
    assert values(poll_records(source, 1)) == LETTERS[:1]
    source.seek({0: 5})
    assert values(poll_records(source, 1)) == LETTERS[5:]


def test_seeking_where_we_own_nothing_is_refused(backend: Backend) -> None:
    """Only a partition's owner goes back in it."""
    source = backend.source("one")
    source.join(Told())
    with pytest.raises(FatalBrokerError):
        source.seek({0: 0})


def test_markers_take_offsets(backend: Backend) -> None:
    """Behind each transaction on the input there is a gap, and reading goes on past it."""
    source = joined(backend)
    sink = backend.sink("sink")
    sink.open()
    for value in (b"a", b"b"):
        sink.send([output(backend, value, topic=backend.input)])
        sink.submit({1: 1}, source.group())
        assert sink.outcome().fate is Fate.COMMITTED
    backend.settle(backend.input, 0)  # a commit is told before its marker lies there
    backend.append(0, b"c")
    came = poll_records(source, 3)
    assert [(record.offset, record.value) for record in came] == [(0, b"a"), (2, b"b"), (4, b"c")]


def test_open_and_aborted_records_are_not_read(backend: Backend) -> None:
    """A source passes over what was aborted, and waits before what is open."""
    source = joined(backend)
    sink = backend.sink("sink")
    sink.open()
    sink.send([output(backend, b"aborted", topic=backend.input)])
    backend.arrive(backend.input, 0, 1)
    backend.append(0, b"behind")
    backend.append(1, b"beside")
    assert values(poll_records(source, 1)) == [b"beside"]
    sink.abort()
    assert values(poll_records(source, 1)) == [b"behind"]
