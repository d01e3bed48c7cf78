"""The table of ids, held against a dictionary."""

import mmap
import random
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from loyaltystream.memory.column import SHARD_SLOTS
from loyaltystream.memory.hashing import mix
from loyaltystream.memory.identity import Ids, to_array
from loyaltystream.memory.shards import MAX_LOAD
from loyaltystream.memory.table import IdTable
from tests.core import IDENTITY
from tests.memory.making import codes, find, put, some_id

KEEP = 10


class TableAgainstDictionary(RuleBasedStateMachine):
    """Enters, looks up and sweeps; what is not expired answers as in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.table = IdTable()
        self.model: dict[bytes, tuple[int, int]] = {}
        self.generation = 1000
        self.table.sweep(self.generation, KEEP)

    @rule(
        numbers=st.sets(st.integers(0, 40), max_size=12),
        fingerprint=st.integers(0, 2**32 - 1),
        age=st.integers(0, KEEP),
    )
    def enter(self, numbers: set[int], fingerprint: int, age: int) -> None:
        """Enter new ids and known ones, the id of zeros among them."""
        entries = {some_id(number): (fingerprint, self.generation - age) for number in numbers}
        if entries:
            put(self.table, entries)
            self.model |= entries

    @rule(elapsed=st.one_of(st.integers(0, 3), st.integers(0, 600)))
    def pass_time(self, elapsed: int) -> None:
        """Let generations pass, more than their codes can count at times."""
        self.generation += elapsed
        self.table.sweep(self.generation, KEEP)

    @invariant()
    def answers_alike(self) -> None:
        """What is young enough is found with its content, nothing else is young."""
        ids = [some_id(number) for number in range(45)]
        for key, answer in zip(ids, find(self.table, ids), strict=True):
            born = self.model.get(key, (0, -1))[1]
            if self.generation - born <= KEEP:
                assert answer == (self.model[key][0], born % 256)
            elif answer is not None:
                assert self.table.ages(codes([answer[1]]))[0] > KEEP

    @invariant()
    def counts_itself(self) -> None:
        """Its length is the number of entries that it yields, each once."""
        rows = [bytes(row) for ids, _, _ in self.table.entries() for row in ids]
        assert len(set(rows)) == len(rows) == len(self.table)


TestTableAgainstDictionary = TableAgainstDictionary.TestCase
TestTableAgainstDictionary.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[*HealthCheck]
)


def random_ids(count: int, seed: int = 1) -> Ids:
    """Return that many ids as a hash makes them."""
    return np.random.default_rng(seed).integers(0, 2**64, (count, 2), np.uint64)


def test_a_table_that_grew_over_many_shards_forgets_nothing() -> None:
    """Through enlarging and splitting, every id keeps its fingerprint and generation."""
    table = IdTable()
    ids = random_ids(200_000)
    numbers = np.arange(len(ids), dtype=np.uint32)
    for start in range(0, len(ids), 5_000):
        part = slice(start, start + 5_000)
        table.put(ids[part], numbers[part], (numbers[part] % 7).astype(np.uint8))
    found, prints, generations = table.find(ids)
    assert found.all()
    assert (prints == numbers).all()
    assert (generations == numbers % 7).all()
    assert len(table) == len(ids)
    assert not table.find(random_ids(50_000, seed=2))[0].any()


def test_one_batch_may_be_larger_than_the_table() -> None:
    """A batch that does not fit makes room first, over several shards if it has to."""
    table = IdTable()
    ids = random_ids(150_000)
    table.put(ids, np.zeros(len(ids), np.uint32), np.zeros(len(ids), np.uint8))
    assert table.find(ids)[0].all()
    assert len(table) == len(ids)


def test_a_million_ids_take_30_bytes_each_at_most() -> None:
    """An id costs 29 bytes, and never more than 30 once there are many."""
    table = IdTable()
    ids = random_ids(1_000_000)
    for start in range(0, len(ids), 50_000):
        part = ids[start : start + 50_000]
        table.put(part, np.zeros(len(part), np.uint32), np.zeros(len(part), np.uint8))
    assert len(table) == 1_000_000
    assert table.used_bytes / len(table) <= 30


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which pages are there")
def test_what_the_system_holds_is_what_the_slots_take() -> None:
    """A shard that split keeps no memory for slots that it no longer has."""
    table = IdTable()
    draw = np.random.default_rng(1)
    for _ in range(500):
        ids = draw.integers(1, 2**64, (1000, 2), np.uint64)
        table.put(ids, np.zeros(1000, np.uint32), np.zeros(1000, np.uint8))
    columns = (table._ids, table._fingerprints, table._generations)
    held = sum(resident_bytes(column.values) for column in columns)
    assert table.used_bytes <= held < 1.05 * table.used_bytes


def resident_bytes(values: np.ndarray[Any, Any]) -> int:
    """Return how much of an array's memory the system has given."""
    page = mmap.PAGESIZE
    first = values.ctypes.data // page
    count = -(-values.nbytes // page)
    with Path("/proc/self/pagemap").open("rb") as pages:
        pages.seek(first * 8)
        entries = np.frombuffer(pages.read(count * 8), np.uint64)
    return int((entries >> np.uint64(63)).sum()) * page


def test_the_id_of_zeros_is_an_id() -> None:
    """An id of sixteen zero bytes, which is what an empty slot looks like, is told from none."""
    table = IdTable()
    assert find(table, [some_id(0)]) == [None]
    put(table, {some_id(0): (7, 3), some_id(1): (8, 4)})
    assert find(table, [some_id(1), some_id(0)]) == [(8, 4), (7, 3)]
    assert len(table) == 2


def test_the_id_of_zeros_expires_like_any_other() -> None:
    """A sweep drops the id of zeros once it is older than what is kept."""
    table = IdTable()
    table.sweep(500, KEEP)
    put(table, {some_id(0): (7, 500)})
    table.sweep(510, KEEP)
    assert len(table) == 1
    table.sweep(511, KEEP)
    assert len(table) == 0


def one_of_version_1(number: int) -> str:
    """Return a UUID as clocks and network cards make them: its last half never changes."""
    return f"{number:08x}-8c51-11ee-b9d1-0242ac120002"


def one_that_counts(number: int) -> str:
    """Return a UUID as a database's sequence fills it: its first half never changes."""
    return f"00000000-0000-0000-0000-{number:012x}"


def one_of_version_7(number: int) -> str:
    """Return a UUID of one millisecond after the other, its random part the same."""
    return f"{number:012x}"[:8] + "-" + f"{number:012x}"[8:] + "-7000-8000-000000000000"


@pytest.mark.parametrize("write", [one_of_version_1, one_that_counts, one_of_version_7])
def test_ids_that_look_alike_lie_apart(write: Callable[[int], str]) -> None:
    """UUIDs that differ in few bits fill shards evenly, and are found in few steps."""
    table = IdTable()
    ids = to_array([IDENTITY.event_id(1800, write(number)) for number in range(100_000)])
    table.put(ids, np.zeros(len(ids), np.uint32), np.zeros(len(ids), np.uint8))
    assert len(table) == len(ids)
    assert table.used_bytes / len(table) < 60
    assert longest_way(table, ids) < 100


def longest_way(table: IdTable, ids: Ids) -> int:
    """Return how many slots the worst placed id lies behind the one that it hashes to."""
    places, found = table._probe(ids, mix(ids))
    assert found.all()
    empty = IdTable()
    empty._slots, empty._directory = table._slots, table._directory
    for column in (empty._ids, empty._fingerprints, empty._generations):
        column.grow(len(table._slots))
    first, _ = empty._probe(ids, mix(ids))
    slots = table._slots[places // SHARD_SLOTS].astype(np.int64)
    return int(((places - first) % slots).max())


def test_no_shard_is_fuller_than_three_quarters() -> None:
    """However ids arrive, every shard keeps a quarter of its slots free."""
    table = IdTable()
    draw = random.Random(5)
    for seed in range(30):
        part = random_ids(draw.randrange(1, 9_000), seed)
        table.put(part, np.zeros(len(part), np.uint32), np.zeros(len(part), np.uint8))
        assert (table._counts <= table._slots * MAX_LOAD).all()
        assert len(table) == int((table._ids.values != 0).any(axis=1).sum())


def test_every_shard_is_swept_however_rarely_it_happens() -> None:
    """At one call a generation, what expired is gone before its code comes round."""
    table = IdTable()
    table.sweep(1000, KEEP)
    ids = random_ids(500_000)
    table.put(ids, np.zeros(len(ids), np.uint32), codes([1000] * len(ids)))
    assert len(table._slots) > 15
    sizes = []
    for generation in range(1001, 1100):
        table.sweep(generation, KEEP)
        sizes.append(len(table))
    assert sizes[KEEP - 1] == len(ids)
    assert sizes[-1] == 0


def test_sweeping_goes_a_shard_at_a_time() -> None:
    """A change of the generation costs one shard a call, so that no call is long."""
    table = IdTable()
    table.sweep(1000, KEEP)
    ids = random_ids(300_000)
    table.put(ids, np.zeros(len(ids), np.uint32), codes([1000] * len(ids)))
    shards = len(table._slots)
    table.sweep(1011, KEEP)
    left = [len(table)]
    for _ in range(shards):
        table.sweep(1011, KEEP)
        left.append(len(table))
    drops = [before - after for before, after in pairwise(left)]
    assert max(drops) <= SHARD_SLOTS
    assert left[0] > 0
    assert left[-1] == 0


def test_growing_is_never_a_matter_of_all_shards_at_once() -> None:
    """Shards split one after the other: no batch of 5,000 has to make many new ones."""
    table = IdTable()
    ids = random_ids(600_000)
    most, shards = 0, 1
    for start in range(0, len(ids), 5_000):
        part = ids[start : start + 5_000]
        table.put(part, np.zeros(len(part), np.uint32), np.zeros(len(part), np.uint8))
        most, shards = max(most, len(table._slots) - shards), len(table._slots)
    assert shards > 15
    assert most <= 4


def test_an_id_that_is_there_is_overwritten() -> None:
    """An expired id that is accepted anew stands in the table once, with its new content."""
    table = IdTable()
    put(table, {some_id(5): (1, 1)})
    put(table, {some_id(5): (2, 9), some_id(6): (3, 9)})
    assert find(table, [some_id(5), some_id(6)]) == [(2, 9), (3, 9)]
    assert len(table) == 2
