"""What a snapshot's file consists of, and where it belongs. Pure, but for the file it is given.

A file has the blocks that were copied from a memory, one after the other; behind them, as JSON, the
manifest; behind that its length, its CRC-32, the format and a mark. The manifest has a checksum of
each block, so that no byte of the file is without one. A shard that was copied again has several
blocks, of which the last one counts.
"""

import io
import struct
import zlib
from typing import BinaryIO, Final

import msgspec

from loyaltystream.errors import StateError
from loyaltystream.keys import tell_rule
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.shards import SLOT_BYTES, TableShape
from loyaltystream.memory.units import KeyKind, Unit

FORMAT: Final = 1
_MARK: Final = b"memory"
_TAIL: Final = struct.Struct("<QIH6s")


class UnfitSnapshotError(StateError):
    """A snapshot is damaged, or of something else; what it holds has to be read elsewhere."""


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose memory it is: only there do its ids and offsets mean anything.

    Attributes:
        ingest_id: the ingest topic's own id; a topic that was made anew has another.
        changelog_id: the same of the changelog.
    """

    group: str
    partition: int
    layout: Layout
    ingest_id: str
    changelog_id: str


class TablePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table: its kind of keys, and all of it but the slots."""

    kind: KeyKind
    window_days: int
    shape: TableShape

    @property
    def unit(self) -> Unit:
        """What its ids are."""
        return Unit(self.kind, self.window_days)


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A copy of one shard.

    Attributes:
        table: its table's place in the manifest.
        entries: how many of its slots are full.
        generation: the table's when it was copied.
    """

    table: int
    shard: int
    slots: int
    entries: int
    generation: int
    crc: int

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        return self.slots * SLOT_BYTES


class Extent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a snapshot covers.

    Attributes:
        start_offset: the input offset at which copying began; what was accepted before it is there.
        end_offset: where copying ended; what was accepted in between is partly there.
        clock_ms: the partition's clock at the end.
        covers_from_ms: the same of a changelog record.
        tables: the tables as of the end.
    """

    start_offset: int
    end_offset: int
    clock_ms: int
    covers_from_ms: int
    tables: list[TablePart]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that there is to know of a snapshot but the ids.

    Attributes:
        changelog_offset: no changelog record that is needed beside the snapshot lies before it.
    """

    origin: Origin
    extent: Extent
    changelog_offset: int
    created_ms: int
    blocks: list[Block]


_READER: Final = msgspec.json.Decoder(Manifest)


def ending(manifest: Manifest) -> bytes:
    """Return what a snapshot's file ends with."""
    text = msgspec.json.encode(manifest)
    return text + _TAIL.pack(len(text), zlib.crc32(text), FORMAT, _MARK)


def read_manifest(file: BinaryIO) -> Manifest:
    """Return the manifest at the end of a file.

    Raises:
        UnfitSnapshotError: if the file was cut, damaged, or written by another version.
    """
    size = file.seek(0, io.SEEK_END)
    if size < _TAIL.size:
        raise UnfitSnapshotError("it was cut: it has no end")
    file.seek(size - _TAIL.size)
    length, crc, version, mark = _TAIL.unpack(file.read(_TAIL.size))
    if mark != _MARK:
        raise UnfitSnapshotError("it was cut, or is no snapshot: its end is missing")
    if version != FORMAT:
        raise UnfitSnapshotError(f"it is of format {version}, this version reads {FORMAT}")
    if length > size - _TAIL.size:
        raise UnfitSnapshotError("its end is damaged")
    file.seek(size - _TAIL.size - length)
    text = file.read(length)
    if zlib.crc32(text) != crc:
        raise UnfitSnapshotError("its manifest is damaged: its checksum does not hold")
    try:
        manifest = _READER.decode(text)
    except msgspec.MsgspecError as error:
        raise UnfitSnapshotError(f"its manifest is not to be understood: {error}") from error
    held = sum(block.size_bytes for block in manifest.blocks)
    if held != size - _TAIL.size - length:
        raise UnfitSnapshotError("it was cut: blocks of it are missing")
    return manifest


def demand_origin(found: Origin, needed: Origin) -> None:
    """Refuse a snapshot of something else.

    Raises:
        UnfitSnapshotError: saying what differs.
    """
    if found == needed:
        return
    ours, theirs = needed.layout, found.layout
    differences = {
        "it was made with another memory.hash_key": theirs.hash_check != ours.hash_check,
        f"it is for {theirs.partitions} partitions, the ingest topic has {ours.partitions}": (
            theirs.partitions != ours.partitions
        ),
        f"its keys follow rule {tell_rule(theirs.key_rule)}, they would be made by rule "
        f"{tell_rule(ours.key_rule)} now": theirs.key_rule != ours.key_rule,
        f"it is of partition {found.partition}": found.partition != needed.partition,
        f"it is of group {found.group}": found.group != needed.group,
        "the ingest topic was made anew since then": found.ingest_id != needed.ingest_id,
        "the changelog was made anew since then": found.changelog_id != needed.changelog_id,
    }
    raise UnfitSnapshotError("; ".join(what for what, differs in differences.items() if differs))
