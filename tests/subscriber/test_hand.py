"""The thread beside the poll: what is worked on is waited for, a bounded time, and told once."""

import threading
from collections.abc import Iterator

import pytest

from loyaltystream.errors import ReactionError
from loyaltystream.events import Record
from loyaltystream.subscriber.hand import Hand
from loyaltystream.subscriber.outcomes import Delayed, Outcome, Settled, Work
from tests.shop import eventually

PATIENCE_S = 20
HANDLED = Settled(Outcome.HANDLED)


def record(partition: int, offset: int) -> Record:
    """Return a record of that place."""
    return Record(partition, offset, 0, None, b"")


class Gate:
    """Work that begins when it is given, and ends when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()
        self.treated: list[tuple[int, int]] = []

    def treat(self, work: Work) -> Settled | Delayed:
        self.begun.set()
        assert self.open.wait(PATIENCE_S)
        self.treated.append((work.record.partition, work.record.offset))
        return HANDLED


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Return work that is let go at the end, whatever the test has come to."""
    made = Gate()
    yield made
    made.open.set()


def at_work(gate: Gate) -> Hand:
    """Return a hand that is at work on the first record of partition 0."""
    hand = Hand(gate.treat)
    hand.start()
    hand.take({0: [record(0, 0), record(0, 1)]})
    assert gate.begun.wait(PATIENCE_S)
    return hand


def test_who_gives_a_partition_up_waits_for_the_work_on_it(gate: Gate) -> None:
    """A partition goes once its record at work has ended, with the offset behind that one."""
    hand = at_work(gate)
    threading.Timer(0.05, gate.open.set).start()
    assert hand.drop([0], PATIENCE_S) == {0: 1}
    assert hand.stop(PATIENCE_S)
    assert gate.treated == [(0, 0)]
    assert hand.tally[Outcome.HANDLED] == 1


def test_a_partition_without_work_goes_at_once(gate: Gate) -> None:
    """What is being worked on holds up only its own partition."""
    hand = at_work(gate)
    hand.take({1: [record(1, 7)]})
    assert hand.drop([1], PATIENCE_S) == {}
    gate.open.set()
    eventually(lambda: hand.unstored() == {0: 2}, "partition 0 is done")
    assert gate.treated == [(0, 0), (0, 1)]


def test_work_that_outlasts_its_partition_counts_no_more(gate: Gate) -> None:
    """Behind the time that is given to it a partition goes without its record at work."""
    hand = at_work(gate)
    assert hand.drop([0], 0.01) == {}
    gate.open.set()
    assert hand.stop(PATIENCE_S)
    assert gate.treated == [(0, 0)]
    assert hand.tally[Outcome.HANDLED] == 0
    assert hand.unstored() == {}


def test_work_that_hangs_is_left_alone(gate: Gate) -> None:
    """Who stops is told whether what was being worked on has ended, and for how long it goes on."""
    hand = at_work(gate)
    assert not hand.stop(0.01)
    assert hand.busy_s() > 0
    gate.open.set()
    assert hand.stop(PATIENCE_S)
    assert gate.treated == [(0, 0)]  # nothing more is begun


def test_what_can_not_go_on_is_told(gate: Gate) -> None:
    """What ends the thread is raised where the records come from, and nothing is committed."""

    def refuse(_: Work) -> Settled:
        raise ReactionError("for good")

    hand = Hand(refuse)
    hand.start()
    hand.take({0: [record(0, 0)]})
    hand.await_room(0, PATIENCE_S)
    with pytest.raises(ReactionError, match="for good"):
        hand.check()
    assert hand.unstored() == {}
    assert hand.stop(PATIENCE_S)
    assert not gate.begun.is_set()
