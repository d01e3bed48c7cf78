"""What a sink's transactions do, and what readers see of them."""

import pytest

from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.ports import Fate
from tests.contract.ports import Backend, Told, joined, opened, output, poll_until, settled, values


def test_outputs_and_offsets_appear_together(backend: Backend) -> None:
    """Neither a record nor an offset is there before the commit, and both are after it."""
    source, sink = joined(backend), opened(backend)
    sink.send([output(backend, b"a"), output(backend, b"b", partition=1)])
    backend.arrive(backend.output, 0, 1)
    assert backend.records(backend.output, 0) == []
    assert backend.committed() == {}
    sink.submit({0: 7, 1: 3}, source.group())
    assert sink.outcome().fate is Fate.COMMITTED
    assert values(settled(backend)) == [b"a"]
    assert values(settled(backend, 1)) == [b"b"]
    assert backend.committed() == source.committed([0, 1]) == {0: 7, 1: 3}


@pytest.mark.parametrize("hurry", [True, False])
def test_a_submitted_transaction_ends_although_nobody_asks(
    backend: Backend, *, hurry: bool
) -> None:
    """Tended while nothing comes it commits, in a hurry or not; its outcome is told later."""
    source, sink = joined(backend), opened(backend)
    sink.send([output(backend, b"a")])
    sink.submit({0: 1}, source.group())
    sink.tend(hurry=hurry)

    def committed() -> bool:
        sink.tend()
        return backend.committed() == {0: 1}

    poll_until(committed, source)
    assert sink.outcome().fate is Fate.COMMITTED


def test_aborted_records_are_invisible(backend: Backend) -> None:
    """A reader sees nothing of an aborted transaction but the offsets that it took."""
    source, sink = joined(backend), opened(backend)
    sink.send([output(backend, b"lost")])
    backend.arrive(backend.output, 0, 1)
    sink.abort()
    sink.send([output(backend, b"kept")])
    sink.submit({0: 1}, source.group())
    assert sink.outcome().fate is Fate.COMMITTED
    found = settled(backend)
    # The aborted record and the marker of its abort took two.
    assert [(record.offset, record.value) for record in found] == [(2, b"kept")]


def test_a_transaction_that_was_aborted_moves_no_offset(backend: Backend) -> None:
    """The group's offsets stay where they were."""
    source = joined(backend)
    held = backend.hold("held", {0: 5}, source.group())
    held.abort()
    assert source.committed([0, 1]) == {}


def test_an_open_transaction_hides_what_lies_behind_it(backend: Backend) -> None:
    """Committed records are not read past the last stable offset, and appear once it moves."""
    source = joined(backend)
    early, late = opened(backend, "early"), opened(backend, "late")
    early.send([output(backend, b"open")])
    backend.arrive(backend.output, 0, 1)
    late.send([output(backend, b"committed")])
    late.submit({0: 1}, source.group())
    assert late.outcome().fate is Fate.COMMITTED
    backend.arrive(backend.output, 0, 3)
    assert backend.ends(backend.output, 0) == (0, 3)
    assert backend.records(backend.output, 0) == []
    early.abort()
    backend.settle(backend.output, 0)
    assert backend.ends(backend.output, 0) == (4, 4)
    assert values(settled(backend)) == [b"committed"]


@pytest.mark.parametrize("ending", ["commit", "abort"])
def test_an_offset_in_an_open_transaction_is_waited_for(backend: Backend, ending: str) -> None:
    """Neither the old nor the new offset is told while the transaction may still end either way."""
    source, sink = joined(backend), opened(backend)
    sink.send([])
    sink.submit({0: 2}, source.group())
    assert sink.outcome().fate is Fate.COMMITTED
    held = backend.hold("held", {0: 5}, source.group())
    asked = backend.ask(lambda: source.committed([0]))
    assert asked.is_open()
    getattr(held, ending)()
    assert asked.answer() == {0: 5 if ending == "commit" else 2}


def test_a_reopened_sink_settles_its_own_transaction(backend: Backend) -> None:
    """Opening again aborts what the same sink had open, and it works on."""
    source, sink = joined(backend), opened(backend)
    sink.send([output(backend, b"lost")])
    backend.arrive(backend.output, 0, 1)
    sink.open()
    sink.send([output(backend, b"kept")])
    sink.submit({0: 1}, source.group())
    assert sink.outcome().fate is Fate.COMMITTED
    assert values(settled(backend)) == [b"kept"]


def test_nothing_of_a_closed_sink_appears(backend: Backend) -> None:
    """What was sent and not submitted is settled by closing, or else by whoever opens the id."""
    sink = opened(backend)
    sink.send([output(backend, b"left")])
    backend.arrive(backend.output, 0, 1)
    sink.close()
    opened(backend)
    assert backend.ends(backend.output, 0) == (2, 2)
    assert backend.records(backend.output, 0) == []


def test_a_sink_that_is_not_open_refuses(backend: Backend) -> None:
    """Nothing is sent under an id that was not taken over."""
    with pytest.raises(FatalBrokerError):
        backend.sink("sink").send([output(backend, b"a")])


def test_nothing_submitted_is_nothing_committed(backend: Backend) -> None:
    """An outcome that is asked for without a submit is ABORTED."""
    assert opened(backend).outcome().fate is Fate.ABORTED


@pytest.mark.parametrize("successor", ["another member", "another process of its name"])
def test_a_member_that_was_replaced_commits_no_offsets(backend: Backend, successor: str) -> None:
    """The group refuses them, the transaction is aborted, and that is known for sure."""
    told, sink = Told(), opened(backend)
    source = joined(backend, "one", told)
    gone = source.group()
    if successor == "another member":
        other = backend.source("two")
        other.join(Told())
        poll_until(lambda: len(told.owned) == 1, source, other)
    else:
        joined(backend, "one")
    sink.send([output(backend, b"of a zombie")])
    sink.submit({0: 9}, gone)
    outcome = sink.outcome()
    assert outcome.fate is Fate.ABORTED
    assert outcome.why
    assert backend.committed() == {}
    assert settled(backend) == []
    sink.send([output(backend, b"afterwards")])  # the sink itself is as good as before


def test_the_changelog_is_told_up_to_its_end_or_not_at_all(backend: Backend) -> None:
    """While a transaction is open there, what it hides may be committed: a restore has to wait."""
    source, sink = joined(backend), opened(backend)
    sink.send([output(backend, b"known")])
    sink.submit({0: 1}, source.group())
    assert sink.outcome().fate is Fate.COMMITTED
    backend.settle(backend.output, 0)
    assert list(backend.deltas(0)) == [b"known"]
    sink.send([output(backend, b"open")])
    backend.arrive(backend.output, 0, 3)
    with pytest.raises(RetryableBrokerError):
        list(backend.deltas(0))
    sink.abort()
    backend.settle(backend.output, 0)
    assert list(backend.deltas(0)) == [b"known"]


def test_the_changelog_goes_on_from_any_end_that_it_once_had(backend: Backend) -> None:
    """What is written behind a moment is all read from the end that was told at that moment."""
    source, sink = joined(backend), opened(backend)
    ends = []
    for number in range(3):
        ends.append(backend.changelog_end(0))
        sink.send([output(backend, b"delta %d" % number)])
        sink.submit({0: number + 1}, source.group())
        assert sink.outcome().fate is Fate.COMMITTED
        backend.settle(backend.output, 0)
    deltas = [b"delta 0", b"delta 1", b"delta 2"]
    assert [list(backend.deltas(0, end)) for end in ends] == [deltas, deltas[1:], deltas[2:]]
    assert list(backend.deltas(0, backend.changelog_end(0))) == []
    assert list(backend.deltas(0, backend.changelog_end(0) + 100)) == []
