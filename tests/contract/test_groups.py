"""Who has which partition, and when the others hear of it."""

from contextlib import suppress

import pytest

from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.ports import Source
from tests.contract.ports import PARTITIONS, Backend, Told, joined, poll_records, poll_until

ALL = set(range(PARTITIONS))


def shared(first: Told, second: Told) -> bool:
    """Say whether two members have one partition each."""
    return len(first.owned) == len(second.owned) == 1 and first.owned | second.owned == ALL


def joined_both(backend: Backend, first: Told, second: Told) -> tuple[Source, Source]:
    """Return two members, one joined after the other, that have one partition each."""
    one = joined(backend, "one", first)
    two = backend.source("two")
    two.join(second)
    poll_until(lambda: shared(first, second), one, two)
    return one, two


def test_a_partition_is_given_away_before_it_is_taken(backend: Backend) -> None:
    """A second member gets its share only after the first has let go, which keeps the rest."""
    log: list[str] = []
    first, second = Told(log, "first"), Told(log, "second")
    joined_both(backend, first, second)
    moved = min(second.owned)
    assert log.index(f"first gives {moved}") < log.index(f"second takes {moved}")
    assert f"first gives {min(first.owned)}" not in log


def test_every_partition_has_one_owner_at_a_time(backend: Backend) -> None:
    """Over joins and leaves, nobody takes what another has not given away."""
    log: list[str] = []
    first, second = Told(log, "first"), Told(log, "second")
    one, two = joined_both(backend, first, second)
    one.close()
    backend.miss("one")
    poll_until(lambda: second.owned == ALL, two)
    owners: dict[str, str] = {}
    for name, does, number in map(str.split, log):
        assert owners.get(number) == (None if does == "takes" else name)
        owners[number] = name
        if does == "gives":
            del owners[number]


def test_what_was_fetched_of_a_lost_partition_is_not_told(backend: Backend) -> None:
    """After a partition is given away its records come to its new owner only."""
    first, second = Told(), Told()
    one, two = joined_both(backend, first, second)
    for number in ALL:
        backend.append(number, *(b"%d" % count for count in range(20)))
    for source, told in ((one, first), (two, second)):
        came = poll_records(source, 20)
        assert {record.partition for record in came} == told.owned


def test_a_rebalance_begins_a_generation(backend: Backend) -> None:
    """The number that outputs carry rises when somebody joins, and both members have it."""
    first, second = Told(), Told()
    one = joined(backend, "one", first)
    before = one.group().generation
    two = backend.source("two")
    two.join(second)
    poll_until(lambda: shared(first, second), one, two)
    poll_until(lambda: one.group().generation == two.group().generation, one, two)
    assert one.group().generation > before


def test_a_static_member_that_returns_has_its_partitions_again(backend: Backend) -> None:
    """Back before it was missed, it gets what it had, and nobody else is told anything."""
    log: list[str] = []
    first, second = Told(log, "first"), Told(log, "second")
    one, two = joined_both(backend, first, second)
    had, kept = set(first.owned), set(second.owned)
    one.close()
    del log[:]
    again = Told(log, "again")
    returned = backend.source("one")
    returned.join(again)
    poll_until(lambda: again.owned, returned, two)
    assert again.owned == had
    assert second.owned == kept
    assert not [line for line in log if line.startswith("second")]


def test_a_name_is_one_process_s(backend: Backend) -> None:
    """Whoever joins under a name that is taken ends the one that had it."""
    old = joined(backend)
    joined(backend)

    def ends() -> bool:
        with suppress(RetryableBrokerError):  # it takes a while to find out why it was refused
            old.poll()
        return False

    with pytest.raises(FatalBrokerError):
        poll_until(ends)


def test_closing_gives_everything_away(backend: Backend) -> None:
    """A member that leaves is told to finish with all that it has."""
    told = Told()
    source = joined(backend, told=told)
    source.close()
    assert told.owned == set()


def test_a_member_that_is_missed_leaves_its_partitions_to_others(backend: Backend) -> None:
    """Once a session has passed without it, the others share what it had."""
    first, second = Told(), Told()
    one, two = joined_both(backend, first, second)
    one.close()
    backend.miss("one")
    poll_until(lambda: second.owned == ALL, two)


def test_partitions_that_could_not_be_taken_come_again(backend: Backend) -> None:
    """If what is known of them can't be read for the moment, a later poll offers them anew."""
    told = Told(failures=1)
    source = backend.source("one")
    source.join(told)
    with pytest.raises(RetryableBrokerError):
        poll_until(lambda: told.owned, source)
    poll_until(lambda: told.owned == ALL, source)
    backend.append(0, b"a")
    backend.append(1, b"b")
    assert len(poll_records(source, PARTITIONS)) == PARTITIONS


def test_an_owner_is_called_while_nothing_comes(backend: Backend) -> None:
    """Each poll that has nothing to return lets the owner do what else is due."""
    told = Told()
    source = joined(backend, told=told)
    idle = told.times_idle
    assert source.poll() == {}
    assert told.times_idle > idle
