"""Whoever opens a transactional id fences whoever had it, and the fenced hear of it in the end."""

import pytest

from loyaltystream.errors import FatalBrokerError
from loyaltystream.ports import Fate
from tests.contract.ports import Backend, joined, opened, output, settled, values


def test_a_fenced_sink_does_not_know_what_became_of_its_commit(backend: Backend) -> None:
    """Whoever opens the id again aborts what was open, and the old sink says UNKNOWN."""
    source, old = joined(backend), opened(backend)
    old.send([output(backend, b"of the old")])
    backend.arrive(backend.output, 0, 1)
    new = opened(backend)
    assert backend.ends(backend.output, 0) == (2, 2)
    old.submit({0: 9}, source.group())
    assert old.outcome().fate is Fate.UNKNOWN
    assert backend.committed() == {}
    new.send([output(backend, b"of the new")])
    new.submit({0: 1}, source.group())
    assert new.outcome().fate is Fate.COMMITTED
    assert values(settled(backend)) == [b"of the new"]


def test_a_fenced_sink_begins_no_more(backend: Backend) -> None:
    """Once it has heard that it is fenced, sending is refused for good."""
    source, old = joined(backend), opened(backend)
    old.send([output(backend, b"first")])
    opened(backend)
    old.submit({0: 1}, source.group())
    assert old.outcome().fate is Fate.UNKNOWN
    with pytest.raises(FatalBrokerError):
        old.send([output(backend, b"second")])


def test_a_fenced_sink_cannot_abort(backend: Backend) -> None:
    """Its transaction was settled by its successor, so an abort is refused."""
    old = opened(backend)
    old.send([output(backend, b"old")])
    backend.arrive(backend.output, 0, 1)
    opened(backend)
    with pytest.raises(FatalBrokerError):
        old.abort()


def test_what_a_fenced_sink_writes_never_appears(backend: Backend) -> None:
    """A transaction that it begins without knowing that it is fenced comes to nothing."""
    source, old = joined(backend), opened(backend)
    new = opened(backend)
    try:
        old.send([output(backend, b"of the old")])
        old.submit({0: 9}, source.group())
    except FatalBrokerError:
        pass  # it heard in time
    else:
        assert old.outcome().fate is Fate.UNKNOWN
    new.send([output(backend, b"of the new")])
    new.submit({1: 1}, source.group())
    assert new.outcome().fate is Fate.COMMITTED
    assert values(settled(backend)) == [b"of the new"]
    assert backend.committed() == {1: 1}


def test_a_fenced_sink_can_open_again(backend: Backend) -> None:
    """Opening takes the id back from whoever fenced it, as often as that happens."""
    source, old = joined(backend), opened(backend)
    old.send([output(backend, b"lost")])
    new = opened(backend)
    old.submit({0: 1}, source.group())
    assert old.outcome().fate is Fate.UNKNOWN
    old.open()
    old.send([output(backend, b"kept")])
    old.submit({0: 2}, source.group())
    assert old.outcome().fate is Fate.COMMITTED
    new.send([output(backend, b"of the fenced")])
    new.submit({0: 9}, source.group())
    assert new.outcome().fate is Fate.UNKNOWN
    assert values(settled(backend)) == [b"kept"]


def test_a_fenced_sink_can_be_closed(backend: Backend) -> None:
    """It has nothing left to settle, and says nothing."""
    source, old = joined(backend), opened(backend)
    old.send([output(backend, b"lost")])
    opened(backend)
    old.submit({0: 1}, source.group())
    assert old.outcome().fate is Fate.UNKNOWN
    old.close()
