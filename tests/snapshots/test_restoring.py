"""A snapshot of many moments and the changelog's end are what the whole changelog is."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyaltystream.memory.digest import digest
from loyaltystream.memory.identity import to_array
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.units import GENERATIONS, Unit
from loyaltystream.snapshots.writing import Writing
from loyaltystream.testing import MemoryDisk, MemoryShelf
from loyaltystream.times import DAY_MS
from tests.core import NOW_MS
from tests.memory.making import DAY, MONTH, some_id, transaction
from tests.snapshots.making import ORIGIN, History, Told, accepted, keeper_of, snapshot

Drawn = tuple[int, int, int, Unit, int]
"""How many ids, which ones, the time that passes before, of which unit, and copying afterwards."""

TRANSACTIONS = st.lists(
    st.tuples(
        st.sampled_from([0, 3, 900, 9_000, 30_000]),
        st.integers(0, 4),
        st.sampled_from([0, 1, DAY_MS // 10, DAY_MS, 40 * DAY_MS]),
        st.sampled_from([MONTH, MONTH, DAY]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=14,
)


def fresh() -> int:
    """Return where a partition begins that nobody has read."""
    return 0


@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
@given(TRANSACTIONS, st.integers(0, 13))
def test_snapshot_and_changelog_are_the_whole_changelog(drawn: list[Drawn], begin: int) -> None:
    """Begun and ended anywhere, with shards that grow and split meanwhile, nothing is missing."""
    history, disk = History(), MemoryDisk()
    shelf = MemoryShelf(disk)
    writing: Writing | None = None
    clock_ms = NOW_MS
    for number, (count, seed, passed_ms, unit, shards) in enumerate(drawn):
        clock_ms += passed_ms
        history.commit(accepted(number, clock_ms, count, seed=seed, unit=unit, fingerprint=number))
        if number == begin:
            writing = Writing(history.memory, ORIGIN, shelf, bound=lambda: history.end(0))
            writing.prepare()
        if writing is not None and not writing.is_copied:
            copied, extent = writing.copy(shards, shards)
            writing.write(copied)
            if extent is not None:
                writing.seal(extent, NOW_MS)
    told = Told()
    memory = keeper_of(shelf, history, told=told).recover(0, committed=len(drawn), fresh=fresh)
    assert told.refusals == []
    assert told.restored_from == ([NOW_MS] if disk.sealed else [None])
    assert digest(memory) == digest(history.fold()) == digest(history.memory)
    assert (memory.next_offset, memory.clock_ms) == (len(drawn), clock_ms)
    assert_usable(memory, history)


def assert_usable(memory: PartitionMemory, history: History) -> None:
    """Hold that a restored memory learns and forgets as the one that lived on does."""
    clock_ms = history.memory.clock_ms
    for days in (0, 1, 2):
        start = history.memory.next_offset
        delta = accepted(start, clock_ms + days * DAY_MS, 20_000, seed=100 + days, unit=DAY)
        history.commit(delta)
        memory.restore(delta)
    assert digest(memory) == digest(history.memory)


def test_shards_that_split_while_they_are_copied_lose_nothing() -> None:
    """A shard that was copied and then split is copied again, for its ids now have two homes."""
    history, disk = History(), MemoryDisk()
    history.grow(20_000)
    writing = Writing(history.memory, ORIGIN, MemoryShelf(disk), bound=lambda: history.end(0))
    writing.prepare()
    copied, extent = writing.copy(1, 0)
    assert len(copied) == 1
    assert extent is None
    writing.write(copied)
    history.grow(*[20_000] * 8)
    again, extent = writing.copy(1, 100)
    assert len(again) > 2
    assert 0 in {copy.shard for copy in again}
    assert extent is not None
    writing.write(again)
    writing.seal(extent, NOW_MS)
    assert (extent.start_offset, extent.end_offset) == (1, 9)
    memory = keeper_of(MemoryShelf(disk), history).recover(0, committed=9, fresh=fresh)
    assert digest(memory) == digest(history.fold())


@pytest.mark.parametrize("generations", [5, 11, 255, 256, 257, 300, 512])
def test_a_silence_while_it_is_copied_makes_no_id_young(generations: int) -> None:
    """What was copied before a silence and sealed after it is as old as it is."""
    history, disk = History(), MemoryDisk()
    history.commit(accepted(0, NOW_MS, 5_000, unit=DAY))
    history.commit(accepted(1, NOW_MS, 5_000, unit=MONTH))
    writing = Writing(history.memory, ORIGIN, MemoryShelf(disk), bound=lambda: 0)
    writing.prepare()
    copied, extent = writing.copy(1, 0)
    assert extent is None
    writing.write(copied)
    history.commit(accepted(2, NOW_MS, 300, seed=3, unit=DAY))
    later_ms = NOW_MS + generations * DAY_MS // GENERATIONS
    history.commit(accepted(3, later_ms, 10, seed=2, unit=DAY))
    copied, extent = writing.copy(1, 1)
    assert extent is not None
    writing.write(copied)
    writing.seal(extent, NOW_MS)
    memory = keeper_of(MemoryShelf(disk), history).recover(0, committed=4, fresh=fresh)
    assert digest(memory) == digest(history.fold())
    assert digest(memory)[DAY].ids == (5_310 if generations <= GENERATIONS else 10)


def test_the_id_of_zeros_is_in_a_snapshot() -> None:
    """The one id that no slot can hold comes back with its content."""
    history, disk = History(), MemoryDisk()
    history.commit(transaction(0, NOW_MS, {MONTH: {0: 5, 1: 6}}).delta)
    snapshot(history, MemoryShelf(disk))
    memory = keeper_of(MemoryShelf(disk), history).recover(0, committed=1, fresh=fresh)
    assert memory.find(MONTH, [some_id(0), some_id(1)], [NOW_MS] * 2) == [5, 6]


def test_a_snapshot_is_loaded_as_it_stood() -> None:
    """Slots come back where they were: nothing is entered one by one."""
    history, disk = History(), MemoryDisk()
    history.grow(*[20_000] * 5)
    snapshot(history, MemoryShelf(disk))
    memory = keeper_of(MemoryShelf(disk), history).recover(0, committed=5, fresh=fresh)
    [ours], [theirs] = memory.tables.values(), history.memory.tables.values()
    assert memory.learnt == 0
    assert ours.shape == theirs.shape
    for shard in range(ours.shape.shards):
        for place in range(3):
            assert np.array_equal(ours.columns(shard)[place], theirs.columns(shard)[place])
    assert ours.find(to_array([some_id(3)]))[0].tolist() == [False]
