"""The records that a relayout writes: what is written is what is read, and damage shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.errors import StateError
from loyaltystream.keys import place
from loyaltystream.memory import changelog
from loyaltystream.memory.moving import Chunk, count_homes
from loyaltystream.memory.relaid import Moved, Switched, encode, read, sources
from loyaltystream.memory.units import GENERATION_CODES, Section
from tests.core import NOW_MS, layout
from tests.laws.strategies import LAW
from tests.memory.making import DAY, MONTH, transaction
from tests.memory.test_changelog import DELTAS, OFFSETS, SECTIONS

LAYOUTS = st.builds(layout, st.integers(1, 4096))
PARTITIONS = st.integers(0, 2**32 - 1)
MOVED = st.builds(Moved, LAYOUTS, PARTITIONS, OFFSETS, OFFSETS, OFFSETS, SECTIONS)
SWITCHED = st.builds(Switched, LAYOUTS, PARTITIONS, OFFSETS, OFFSETS, OFFSETS, OFFSETS)
HASHES = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40)


@LAW
@given(MOVED)
def test_what_was_moved_is_read(moved: Moved) -> None:
    """A record of moved keys says where they come from and every key as it was."""
    found = read(encode(moved))
    assert isinstance(found, Moved)
    assert encode(found) == encode(moved)
    assert (found.layout, found.source) == (moved.layout, moved.source)
    assert (found.from_offset, found.to_offset) == (moved.from_offset, moved.to_offset)
    assert found.clock_ms == moved.clock_ms
    for ours, theirs in zip(found.sections, moved.sections, strict=True):
        assert (ours.unit, ours.code) == (theirs.unit, theirs.code)
        assert ours.entries.tobytes() == theirs.entries.tobytes()


@LAW
@given(SWITCHED)
def test_a_switch_is_read(switched: Switched) -> None:
    """The record of a switch says all of it."""
    assert read(encode(switched)) == switched


@LAW
@given(DELTAS)
def test_deltas_are_read_beside_them(delta: changelog.Delta) -> None:
    """What a worker wrote is read as what it is."""
    found = read(changelog.encode(delta))
    assert isinstance(found, changelog.Delta)
    assert changelog.encode(found) == changelog.encode(delta)


RECORDS = [
    encode(
        Moved(layout(4), 1, 5, 9, NOW_MS, transaction(0, NOW_MS, {MONTH: {1: 1}}).delta.sections)
    ),
    encode(Switched(layout(4), 2, 5, NOW_MS, 0, 7)),
]


@pytest.mark.parametrize("record", RECORDS, ids=["moved", "switched"])
def test_damage_shows(record: bytes) -> None:
    """A record of which any byte is another, or that was cut, is refused."""
    for at in range(len(record)):
        damaged = bytearray(record)
        damaged[at] ^= 0x40
        for broken in (bytes(damaged), record[:at]):
            with pytest.raises(StateError):
                read(broken)


@LAW
@given(st.integers(1, 40), st.integers(1, 40), HASHES)
def test_keys_come_from_few_partitions(before: int, after: int, hashes: list[int]) -> None:
    """Where a key was before is among the sources of where it is afterwards."""
    array = np.array(hashes, np.uint32)
    olds, news = place(array, before).tolist(), place(array, after).tolist()
    assert all(old in sources(new, before, after) for old, new in zip(olds, news, strict=True))


@LAW
@given(HASHES, st.integers(1, 9), st.sampled_from([MONTH, DAY]), st.integers(0, 12))
def test_a_chunk_moves_each_key_that_counts_once(
    hashes: list[int], partitions: int, unit: object, age: int
) -> None:
    """Every key lies where its hash says, in its order, unless it has expired by then."""
    assert unit in (MONTH, DAY)
    kind = MONTH if unit == MONTH else DAY
    keys = dict.fromkeys(range(1, len(hashes) + 1), 3)
    [section] = transaction(0, NOW_MS, {kind: keys}).delta.sections
    entries = section.entries.copy()
    entries["key_hash"] = hashes
    chunk = Chunk(2)
    chunk.add([Section(kind, section.code, entries)], NOW_MS, 17)
    later_ms = NOW_MS + age * kind.window_days * 86_400_000 // 10
    moved = chunk.moved(layout(partitions), dict.fromkeys(range(partitions), later_ms))
    if not kind.knows(kind.generation(NOW_MS), later_ms):
        assert moved == {}
        return
    homes = place(np.array(hashes, np.uint32), partitions)
    assert sorted(moved) == sorted(set(homes.tolist()))
    for home, found in moved.items():
        [part] = found.sections
        assert (found.source, found.from_offset, found.to_offset) == (2, 17, 18)
        assert part.entries.tobytes() == entries[homes == home].tobytes()
        assert part.code == kind.generation(NOW_MS) % GENERATION_CODES
        assert kind.generation_of(part.code, found.clock_ms) == kind.generation(NOW_MS)
    counts = count_homes([Section(kind, section.code, entries)], NOW_MS, partitions)
    assert counts.total() == len(hashes)
    assert {home for home, _, _ in counts} == moved.keys()
