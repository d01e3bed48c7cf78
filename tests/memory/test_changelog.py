"""The changelog's record: what is written is what is read, and damage shows."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import _CRC, _HEAD, Delta, Layout, decode, encode
from loyaltystream.memory.relaid import read
from loyaltystream.memory.units import ENTRY, KeyKind, Section, Unit
from tests.core import NOW_MS
from tests.laws.strategies import LAW
from tests.memory.making import DAY, MONTH, transaction

OFFSETS = st.integers(0, 2**63 - 1)
SECTIONS = st.lists(
    st.builds(
        lambda kind, days, code, rows, content: Section(
            Unit(kind, days), code, np.frombuffer(content[: rows * ENTRY.itemsize], ENTRY)
        ),
        st.sampled_from(KeyKind),
        st.sampled_from([1, 7, 30, 90, 400]),
        st.integers(0, 255),
        st.integers(0, 3),
        st.binary(min_size=3 * ENTRY.itemsize, max_size=3 * ENTRY.itemsize),
    ),
    max_size=3,
)
DELTAS = st.builds(
    Delta,
    st.builds(Layout, st.binary(min_size=8, max_size=8), st.integers(0, 9), st.integers(1, 4096)),
    OFFSETS,
    OFFSETS,
    OFFSETS,
    OFFSETS,
    SECTIONS,
)


@LAW
@given(DELTAS)
def test_what_is_written_is_read(delta: Delta) -> None:
    """A record says offsets, clock, layout and every key as they were."""
    read = decode(encode(delta))
    assert encode(read) == encode(delta)
    assert (read.layout, read.from_offset, read.to_offset) == (
        delta.layout,
        delta.from_offset,
        delta.to_offset,
    )
    assert (read.clock_ms, read.covers_from_ms) == (delta.clock_ms, delta.covers_from_ms)
    assert len(read.sections) == len(delta.sections)
    for ours, theirs in zip(read.sections, delta.sections, strict=True):
        assert (ours.unit, ours.code) == (theirs.unit, theirs.code)
        assert ours.entries.tobytes() == theirs.entries.tobytes()


def test_a_key_costs_24_bytes() -> None:
    """Beyond its head, a record has 24 bytes a key."""
    none = encode(transaction(0, NOW_MS, {MONTH: {1: 1}}).delta)
    many = encode(transaction(0, NOW_MS, {MONTH: dict.fromkeys(range(1000), 1)}).delta)
    assert len(many) - len(none) == 999 * 24


RECORD = encode(transaction(7, NOW_MS, {MONTH: {0: 5, 1: 6}, DAY: {3: 9}}).delta)


@pytest.mark.parametrize("place", range(len(RECORD)))
def test_damage_at_any_byte_shows(place: int) -> None:
    """A record of which any byte is another is refused, never half read."""
    for flipped in (1, 0x80, 0xFF):
        damaged = bytearray(RECORD)
        damaged[place] ^= flipped
        with pytest.raises(StateError):
            decode(bytes(damaged))


@pytest.mark.parametrize("length", range(len(RECORD)))
def test_a_record_that_was_cut_shows(length: int) -> None:
    """A record that ends anywhere before its end is refused."""
    with pytest.raises(StateError):
        decode(RECORD[:length])


def test_another_format_is_named() -> None:
    """A record of a later version says which format it has, and which one is known."""
    with pytest.raises(StateError, match=r"format 4, this version reads 1, 2, 3: a newer version"):
        read(b"\4" + RECORD[1:])
    with pytest.raises(StateError, match="format 2, no delta"):
        decode(b"\2" + RECORD[1:])
    for reading in (read, decode):
        with pytest.raises(StateError):
            reading(b"")


def test_another_kind_of_keys_is_named() -> None:
    """A whole record with keys of a kind that a later version brought is refused, not half read."""
    kind = _HEAD.size
    later = RECORD[:kind] + b"\x09" + RECORD[kind + 1 : -_CRC.size]
    with pytest.raises(StateError, match=r"keys of kind 9: a newer version.*nothing was changed"):
        read(later + _CRC.pack(zlib.crc32(later)))
