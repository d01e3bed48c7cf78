"""A snapshot's file in, the memory that it is of out. Pure, but for the file that it is given."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from loyaltystream.memory.manifest import Block, Manifest, TablePart, UnfitSnapshotError
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.table import IdTable
from loyaltystream.memory.units import GENERATIONS


def load(manifest: Manifest, file: BinaryIO) -> PartitionMemory:
    """Return the memory of a snapshot, slots as they were: nothing is entered one by one.

    Raises:
        UnfitSnapshotError: if a block is damaged or missing.
    """
    parts = manifest.extent.tables
    last = {(block.table, block.shard): block for block in manifest.blocks}
    tables = [_shaped(part, number, last) for number, part in enumerate(parts)]
    file.seek(0)
    for block in manifest.blocks:
        if last[block.table, block.shard] is block:
            _fill(tables[block.table].columns(block.shard), block, file)
        else:
            _fill([np.empty(block.size_bytes, np.uint8)], block, file)
    for block in last.values():
        tables[block.table].admit(block.shard, block.entries, block.generation, keep=GENERATIONS)
    units = [part.unit for part in parts]
    return PartitionMemory.loaded(
        manifest.origin.layout, manifest.extent, dict(zip(units, tables, strict=True))
    )


def _shaped(part: TablePart, number: int, blocks: Mapping[tuple[int, int], Block]) -> IdTable:
    try:
        slots = [blocks[number, shard].slots for shard in range(part.shape.shards)]
    except KeyError as error:
        raise UnfitSnapshotError(f"it lacks a shard: {error}") from error
    return IdTable.shaped(part.shape, slots)


def _fill(columns: Sequence[npt.NDArray[Any]], block: Block, file: BinaryIO) -> None:
    crc = 0
    for column in columns:
        view = column.data.cast("B")
        if file.readinto(view) != len(view):  # type: ignore[attr-defined]  # BinaryIO has no word for it
            raise UnfitSnapshotError("it was cut while it was read")
        crc = zlib.crc32(view, crc)
    if crc != block.crc:
        raise UnfitSnapshotError(f"its shard {block.shard} is damaged: the checksum does not hold")
