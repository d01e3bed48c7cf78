"""Histories, and memories that live through them, for tests of snapshots."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from loyaltystream.memory.changelog import Delta, decode, encode
from loyaltystream.memory.manifest import Extent, Origin
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.units import ENTRY, GENERATION_CODES, Section, Unit
from loyaltystream.snapshots.cap import Cap
from loyaltystream.snapshots.hand import Hand
from loyaltystream.snapshots.keeper import Clocks, Keeper, Policy
from loyaltystream.snapshots.scratch import Scratch
from loyaltystream.snapshots.shelf import Shelf
from loyaltystream.snapshots.writing import Writing
from loyaltystream.testing import CALM, ImmediateHand, MemoryDisk, MemoryShelf
from tests.core import NOW_MS, layout
from tests.memory.making import MONTH

ORIGIN = Origin("ingest", 0, layout(), "ingest's id", "changelog's id")


def accepted(
    start: int,
    clock_ms: int,
    count: int,
    *,
    seed: int = 0,
    unit: Unit = MONTH,
    fingerprint: int = 7,
    covers_from_ms: int = 0,
) -> Delta:
    """Return a transaction over one offset that accepted so many ids; a seed has the same ones."""
    entries = np.zeros(count, ENTRY)
    entries["id"] = np.random.default_rng(seed).integers(0, 2**64, (count, 2), np.uint64)
    entries["fingerprint"] = fingerprint
    code = unit.generation(clock_ms) % GENERATION_CODES
    sections = [Section(unit, code, entries)] if count else []
    return Delta(layout(), start, start + 1, clock_ms, covers_from_ms, sections)


class History:
    """A changelog as it grows, and the memory that lives along with it."""

    def __init__(self, deltas: Sequence[Delta] = ()) -> None:
        self.log: list[bytes] = []
        self.memory = PartitionMemory(layout(), 0)
        self.first = 0
        """The first offset of the log that retention has left."""
        for delta in deltas:
            self.commit(delta)

    def commit(self, delta: Delta) -> None:
        """Let a transaction commit."""
        self.log.append(encode(delta))
        self.memory.restore(decode(self.log[-1]))

    def grow(self, *counts: int, clock_ms: int = NOW_MS) -> None:
        """Let transactions commit that accept so many ids each, all of them new."""
        for count in counts:
            start = self.memory.next_offset
            self.commit(accepted(start, clock_ms, count, seed=start + 1))

    def fold(self) -> PartitionMemory:
        """Return what the whole log leads to."""
        memory = PartitionMemory(layout(), 0)
        for record in self.log:
            memory.restore(decode(record))
        return memory

    def deltas(self, partition: int, start: int = 0) -> Iterator[bytes]:
        """Yield the log's records."""
        del partition
        yield from self.log[max(start, self.first) :]

    settled = deltas

    def end(self, partition: int) -> int:
        """Return the log's end."""
        del partition
        return len(self.log)


class Told:
    """Keeps what it is told of snapshots."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        self.failures: list[str] = []
        self.sizes: list[int] = []
        self.mapped_bytes: list[int] = []
        self.restored_from: list[int | None] = []

    def restored(self, partition: int, created_ms: int | None, seconds: float) -> None:
        del partition, seconds
        self.restored_from.append(created_ms)

    def opened(self, partition: int, created_ms: int | None) -> None:
        del partition, created_ms

    def refused(self, partition: int, name: str, why: str) -> None:
        del partition, name
        self.refusals.append(why)

    def written(self, partition: int, size_bytes: int) -> None:
        del partition
        self.sizes.append(size_bytes)

    def failed(self, partition: int, why: str) -> None:
        del partition
        self.failures.append(why)

    def released(self, partition: int) -> None:
        del partition

    def mapped(self, size_bytes: int) -> None:
        self.mapped_bytes.append(size_bytes)

    def not_mapped(self, partition: int, why: str) -> None:
        self.failures.append(f"{partition}: {why}")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0


def keeper_of(
    shelf: Shelf,
    history: History,
    *,
    policy: Policy | None = None,
    told: Told | None = None,
    hand: Hand | None = None,
    clock: Clock | None = None,
    origin: Origin = ORIGIN,
) -> Keeper:
    """Return a keeper of one partition."""
    clock, told = clock or Clock(), told or Told()
    return Keeper(
        shelf,
        hand or ImmediateHand(),
        changelog=history,
        bounds=history,
        origin=lambda partition: msgspec.structs.replace(origin, partition=partition),
        policy=policy or Policy(1_000, 600),
        cap=Cap(0, Scratch(Path()), told, lambda: clock.now_s),
        watch=told,
        clocks=Clocks(lambda: clock.now_s, lambda: NOW_MS),
    )


def snapshot(history: History, shelf: Shelf, *, origin: Origin = ORIGIN) -> Extent:
    """Write a snapshot of a history's memory at once; return what it covers."""
    writing = Writing(history.memory, origin, shelf, bound=lambda: history.end(0))
    writing.prepare()
    copied, extent = writing.copy(0, 10_000)
    assert extent is not None
    writing.write(copied)
    writing.seal(extent, NOW_MS)
    assert writing.failure is None
    return extent


def content_of(history: History) -> bytes:
    """Return the file of a snapshot of a history's memory."""
    disk = MemoryDisk()
    snapshot(history, MemoryShelf(disk, CALM))
    [content] = disk.sealed[0].values()
    return content


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
