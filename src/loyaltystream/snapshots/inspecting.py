"""What lies on a shelf: of each partition's newest snapshot, what it remembers. Does I/O."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

import msgspec

from loyaltystream.memory.digest import digest
from loyaltystream.memory.loading import load
from loyaltystream.memory.manifest import Manifest, UnfitSnapshotError, read_manifest
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.units import GENERATIONS, Unit
from loyaltystream.times import DAY_MS

Advance = Callable[[int, int], None]
"""Told how much was read so far, and how many ids that was."""


class Directory(Protocol):
    """A shelf of which it is known what it has."""

    def partitions(self) -> list[int]:
        """Return the partitions that there is something of."""

    def names(self, partition: int) -> list[str]:
        """Return the snapshots of a partition, the furthest first."""

    def open(self, partition: int, name: str) -> BinaryIO:
        """Return a snapshot's content."""


class UnitFacts(msgspec.Struct, frozen=True):
    """What is remembered of one kind of key and window.

    Attributes:
        ids: that still count at the snapshot's clock.
        bytes: what their table takes, free slots and expired ids included.
        generations: how many generations they are of.
        oldest_ms: when the oldest of these began.
        effective_window_seconds: how far back from the clock what was accepted is surely known.
    """

    kind: str
    window_days: int
    ids: int
    bytes: int
    generations: int
    oldest_ms: int | None
    effective_window_seconds: int


class SnapshotFacts(msgspec.Struct, frozen=True):
    """A partition's newest snapshot.

    Attributes:
        why: what is wrong with it; None: it is whole.
        start_offset: where copying began; the changelog is read from this input offset on.
        end_offset: where it ended.
        changelog_offset: what is needed of the changelog does not lie before it.
        older: how many older ones there are.
    """

    partition: int
    name: str
    why: str | None
    older: int
    start_offset: int | None = None
    end_offset: int | None = None
    changelog_offset: int | None = None
    clock_ms: int | None = None
    created_ms: int | None = None
    size_bytes: int = 0
    units: list[UnitFacts] = []


def inspect(directory: Directory, advance: Advance) -> Iterator[SnapshotFacts]:
    """Yield what the newest snapshot of each partition holds, read to its last byte.

    Raises:
        OSError: if the directory can't be looked up.
    """
    read_bytes = ids = 0
    for partition in directory.partitions():
        if names := directory.names(partition):
            facts = _inspect(directory, partition, names)
            read_bytes += facts.size_bytes
            ids += sum(unit.ids for unit in facts.units)
            advance(read_bytes, ids)
            yield facts


def _inspect(directory: Directory, partition: int, names: list[str]) -> SnapshotFacts:
    try:
        with directory.open(partition, names[0]) as file:
            manifest = read_manifest(file)
            memory = load(manifest, file)
    except (UnfitSnapshotError, OSError) as error:
        return SnapshotFacts(partition, names[0], str(error), len(names) - 1)
    extent = manifest.extent
    return SnapshotFacts(
        partition,
        names[0],
        None,
        len(names) - 1,
        extent.start_offset,
        extent.end_offset,
        manifest.changelog_offset,
        extent.clock_ms,
        manifest.created_ms,
        _size(manifest),
        list(_units(memory)),
    )


def _size(manifest: Manifest) -> int:
    return sum(block.size_bytes for block in manifest.blocks)


def _units(memory: PartitionMemory) -> Iterator[UnitFacts]:
    digests = digest(memory)
    for unit, table in memory.tables.items():
        found = digests.get(unit)
        generations = found.generations if found else ()
        yield UnitFacts(
            unit.kind.name.lower(),
            unit.window_days,
            found.ids if found else 0,
            table.used_bytes,
            len(generations),
            generations[0] * _generation_ms(unit) if generations else None,
            memory.window_ms(unit) // 1000,
        )


def _generation_ms(unit: Unit) -> int:
    return unit.window_days * DAY_MS // GENERATIONS
