"""A recollection answers as the whole memory does, and lookups find what is there."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import Delta, decode, encode
from loyaltystream.memory.lookup import Wanted, holds_customer
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.recollection import Recollection
from loyaltystream.memory.units import KeyKind, Overlay, Seen, Unit, to_sections
from loyaltystream.times import DAY_MS
from tests.core import NOW_MS, layout

UNITS = (Unit(KeyKind.EVENT_ID, 7), Unit(KeyKind.UNIQUE_KEY, 1))
IDS = [bytes([number]) * 16 for number in range(1, 9)]
ACCEPTED = st.lists(
    st.tuples(
        st.integers(0, 3 * DAY_MS),
        st.dictionaries(
            st.tuples(st.sampled_from(UNITS), st.sampled_from(IDS)), st.integers(0, 99), max_size=6
        ),
    ),
    max_size=8,
)


def deltas(accepted: list[tuple[int, dict[tuple[Unit, bytes], int]]]) -> list[Delta]:
    """Return the changelog of transactions that each come so long after the last."""
    clock_ms, offset, made = NOW_MS, 0, []
    for pause_ms, keys in accepted:
        clock_ms += pause_ms
        overlay: Overlay = {}
        for (unit, id_), fingerprint in keys.items():
            seen = Seen(fingerprint, unit.generation(clock_ms), fingerprint + 1000)
            overlay.setdefault(unit, {})[id_] = seen
        sections = to_sections(overlay, clock_ms)
        delta = Delta(layout(), offset, offset + 10, clock_ms, 0, sections)
        made.append(decode(encode(delta)))
        offset += 10
    return made


@settings(deadline=None)
@given(ACCEPTED, st.integers(0, 10 * DAY_MS))
def test_a_recollection_answers_as_the_memory(
    accepted: list[tuple[int, dict[tuple[Unit, bytes], int]]], later_ms: int
) -> None:
    """Of the ids that it was asked for it knows what the whole memory knows, and forgets alike."""
    memory, recollection = PartitionMemory(layout(), 0), Recollection(layout())
    clocks = [NOW_MS] * len(IDS)
    for unit in UNITS:
        assert recollection.find(unit, IDS, clocks) == [-1] * len(IDS)
    for delta in deltas(accepted):
        memory.restore(delta)
        recollection.learn(delta)
    asked = [max(memory.clock_ms, NOW_MS) + later_ms] * len(IDS)
    for unit in UNITS:
        assert recollection.find(unit, IDS, asked) == memory.find(unit, IDS, asked)
    assert recollection.clock_ms == memory.clock_ms
    assert recollection.next_offset == memory.next_offset


def test_a_recollection_learns_nothing_of_another_secret() -> None:
    """Ids that were made with another hash key would be answered for in vain, so that is told."""
    other = msgspec.structs.replace(layout(), hash_check=b"another!")
    with pytest.raises(StateError, match="hash_key"):
        Recollection(layout()).learn(Delta(other, 0, 10, NOW_MS, 0, []))


@settings(deadline=None)
@given(ACCEPTED)
def test_a_lookup_finds_the_ids_of_its_kind(
    accepted: list[tuple[int, dict[tuple[Unit, bytes], int]]],
) -> None:
    """Of each record exactly the ids and customers are found that it has accepted."""
    for (_, keys), delta in zip(accepted, deltas(accepted), strict=True):
        for unit in UNITS:
            found = Wanted(unit.kind, IDS).within(delta)
            assert sorted(found) == sorted(id_ for one, id_ in keys if one == unit)
        hashes = {fingerprint + 1000 for fingerprint in keys.values()}
        assert {one for one in range(1000, 1100) if holds_customer(delta, one)} == hashes
    assert Wanted(KeyKind.EVENT_ID, []).within(Delta(layout(), 0, 1, 0, 0, [])) == []
