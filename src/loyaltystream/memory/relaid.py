"""The records that a relayout writes into the changelog, and what to read there in all. Pure.

A relayout moves what is remembered into other partitions, since its topic has more of them now.
First it copies all keys that still count, chunk by chunk, into the partitions that they belong to
(`Moved`). Then one transaction says in every partition at once that judging goes on with the copies
(`Switched`): without that, they are as good as not there, and the memory is still the old one.

Layouts, little-endian, each with a CRC-32 of all before behind it:

    moved:    format 2 | hash-key check 8 | key rule 2 | partitions 4 | source partition 4
              | of its changelog from 8 | to 8 | clock 8 | sections 2 | sections as in a delta
    switched: format 3 | hash-key check 8 | key rule 2 | partitions 4 | partitions before 4
              | from 8 | clock 8 | covers from 8 | keys moved 8
"""

import struct
from math import gcd
from typing import Final

import msgspec

from loyaltystream.errors import StateError
from loyaltystream.memory import changelog
from loyaltystream.memory.changelog import (
    Delta,
    Layout,
    explain_newer,
    read_sections,
    seal,
    unseal,
)
from loyaltystream.memory.units import Section

FORMATS: Final = (2, 3)
_MOVED: Final = struct.Struct("<B8sHIIqqqH")
_SWITCHED: Final = struct.Struct("<B8sHIIqqqq")


class Moved(msgspec.Struct, frozen=True):
    """Keys of one partition as it was, copied into one as it will be.

    Attributes:
        layout: what their ids mean there.
        source: the partition that they come from.
        from_offset: of its changelog, the first record that they come from.
        to_offset: the offset behind the last one.
        clock_ms: the clock by which their generations' codes are read.
        sections: the keys.
    """

    layout: Layout
    source: int
    from_offset: int
    to_offset: int
    clock_ms: int
    sections: list[Section]


class Switched(msgspec.Struct, frozen=True):
    """The moment from which on a partition's memory is what was moved there.

    Attributes:
        layout: what ids mean from here on.
        partitions_before: how many there were.
        offset: the first offset of the input that is judged under it.
        clock_ms: the partition's clock there.
        covers_from_ms: the same of a delta.
        ids: how many keys were moved into this partition.
    """

    layout: Layout
    partitions_before: int
    offset: int
    clock_ms: int
    covers_from_ms: int
    ids: int


Entry = Delta | Moved | Switched


def encode(entry: Moved | Switched) -> bytes:
    """Return the changelog record."""
    layout = entry.layout
    head = layout.hash_check, layout.key_rule, layout.partitions
    if isinstance(entry, Moved):
        where = entry.source, entry.from_offset, entry.to_offset, entry.clock_ms
        return seal(_MOVED.pack(FORMATS[0], *head, *where, len(entry.sections)), entry.sections)
    since = entry.partitions_before, entry.offset, entry.clock_ms, entry.covers_from_ms
    return seal(_SWITCHED.pack(FORMATS[1], *head, *since, entry.ids))


def read(record: bytes) -> Entry:
    """Return what a changelog record says, whoever wrote it.

    Raises:
        StateError: if it is damaged, or of a format that this version does not read.
    """
    match record[:1]:
        case b"\2":
            body = unseal(record, _MOVED.size)
            _, check, rule, partitions, source, start, end, clock, count = _MOVED.unpack_from(body)
            sections = read_sections(body, _MOVED.size, count)
            return Moved(Layout(check, rule, partitions), source, start, end, clock, sections)
        case b"\3":
            _, check, rule, partitions, *since = _SWITCHED.unpack(unseal(record, _SWITCHED.size))
            return Switched(Layout(check, rule, partitions), *since)
        case b"\1":
            return changelog.decode(record)
        case b"":
            raise StateError("changelog record without a value")
        case _:
            known = ", ".join(map(str, (changelog.FORMAT, *FORMATS)))
            raise StateError(
                f"changelog record of format {record[0]}, this version reads {known}: "
                f"{explain_newer()}"
            )


def sources(partition: int, before: int, after: int) -> range:
    """Return which of the `before` partitions keys come from that lie in this one of `after`.

    A key lies in its hash modulo the count, so both partitions are alike modulo what the counts
    have in common.
    """
    common = gcd(before, after)
    return range(partition % common, before, common)
