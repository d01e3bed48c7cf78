"""The record that each transaction writes for each input partition it moves. Pure.

Layout, little-endian (dedup.md section 2, item 5):

    format 1 | hash-key check 8 | key rule 2 | partitions 4 | from 8 | to 8 | clock 8
    | covers from 8 | sections 2
    | per section: kind 1, window in days 2, generation's code 1, entries 4, entries x 24
    | CRC-32 of all before 4

With [from, to) the changelog is also the index that tells where an id was first accepted. What a
relayout writes there has formats of its own (`relaid.py`).
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from loyaltystream.errors import StateError
from loyaltystream.memory.units import ENTRY, KeyKind, Section, Unit

FORMAT: Final = 1
_HEAD: Final = struct.Struct("<B8sHIqqqqH")
_SECTION: Final = struct.Struct("<BHBI")
_CRC: Final = struct.Struct("<I")
_KINDS: Final = {int(kind): kind for kind in KeyKind}


class Layout(msgspec.Struct, frozen=True):
    """What remembered ids depend on; under another layout they would mean something else."""

    hash_check: bytes
    key_rule: int
    partitions: int

    def makes_same_ids(self, other: "Layout") -> bool:
        """Say whether an id is the same under another layout, though its partition may differ."""
        return (self.hash_check, self.key_rule) == (other.hash_check, other.key_rule)


class Delta(msgspec.Struct, frozen=True):
    """What one transaction moved in one input partition.

    Attributes:
        from_offset: the first offset that it judged.
        to_offset: the offset after the last one; the next delta's `from_offset`.
        clock_ms: the partition's clock after it.
        covers_from_ms: events before this time are not known to be new; 0: all are.
        sections: the keys that it accepted.
    """

    layout: Layout
    from_offset: int
    to_offset: int
    clock_ms: int
    covers_from_ms: int
    sections: list[Section]


def encode(delta: Delta) -> bytes:
    """Return the changelog record of a delta."""
    layout = delta.layout
    head = _HEAD.pack(
        FORMAT,
        layout.hash_check,
        layout.key_rule,
        layout.partitions,
        delta.from_offset,
        delta.to_offset,
        delta.clock_ms,
        delta.covers_from_ms,
        len(delta.sections),
    )
    return seal(head, delta.sections)


def decode(record: bytes) -> Delta:
    """Return what `encode` wrote.

    Raises:
        StateError: if the record is damaged, or of a format that this version does not read.
    """
    if not record or record[0] != FORMAT:
        raise StateError(f"changelog record of format {record[0] if record else 'none'}, no delta")
    body = unseal(record, _HEAD.size)
    _, check, key_rule, partitions, start, end, clock, covers, count = _HEAD.unpack_from(body)
    sections = read_sections(body, _HEAD.size, count)
    return Delta(Layout(check, key_rule, partitions), start, end, clock, covers, sections)


def seal(head: bytes, sections: Sequence[Section] = ()) -> bytes:
    """Return a record: its head, its sections, and a checksum of both."""
    parts = [head]
    for unit, code, entries in sections:
        parts += [
            _SECTION.pack(unit.kind, unit.window_days, code, len(entries)),
            entries.tobytes(),
        ]
    body = b"".join(parts)
    return body + _CRC.pack(zlib.crc32(body))


def unseal(record: bytes, head_bytes: int) -> bytes:
    """Return a record without its checksum, which holds.

    Raises:
        StateError: if it does not, or the record is shorter than its head.
    """
    body, crc = record[: -_CRC.size], record[-_CRC.size :]
    if len(record) < head_bytes + _CRC.size or _CRC.pack(zlib.crc32(body)) != crc:
        raise StateError("changelog record is damaged: its checksum does not hold")
    return body


def explain_newer() -> str:
    """Return what to do about a record that is whole, and that this version does not understand."""
    return (
        "a newer version of loyaltystream wrote it. Start that version, or a later one; "
        "nothing was changed"
    )


def read_sections(body: bytes, place: int, count: int) -> list[Section]:
    """Return so many sections, of which the first stands at that place.

    Raises:
        StateError: if one holds keys of a kind that this version does not know.
    """
    sections = []
    for _ in range(count):
        kind, window_days, code, rows = _SECTION.unpack_from(body, place)
        place += _SECTION.size
        if kind not in _KINDS:
            raise StateError(f"changelog record with keys of kind {kind}: {explain_newer()}")
        entries = np.frombuffer(body, ENTRY, rows, place)
        place += entries.nbytes
        sections.append(Section(Unit(_KINDS[kind], window_days), code, entries))
    return sections
