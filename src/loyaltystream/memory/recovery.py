"""The changelog of one partition in, its memory out, or a refusal. Pure.

With a snapshot only the changelog's end is needed, from where the snapshot's copying began. A
memory is never started empty in silence (dedup.md section 2, item 7).
"""

from collections.abc import Callable, Iterable

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.manifest import Extent, UnfitSnapshotError
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.rebuilding import Beginning, Rebuilding
from loyaltystream.memory.relaid import read


class LostMemoryError(StateError):
    """The log of what was seen does not reach the committed offset."""


class OutrunError(UnfitSnapshotError):
    """The changelog goes on behind a snapshot's start: what lies between is not known by itself.

    Attributes:
        extent: what the snapshot covers.
    """

    def __init__(self, extent: Extent, from_offset: int) -> None:
        super().__init__(
            f"the changelog goes on at {from_offset} only, the snapshot needs it from "
            f"{extent.start_offset} on"
        )
        self.extent = extent


def resume(
    memory: PartitionMemory, extent: Extent, deltas: Iterable[bytes], *, committed: int
) -> PartitionMemory:
    """Return a loaded memory as of the committed offset.

    Args:
        memory: as it came from the snapshot.
        extent: what the snapshot covers, not beyond the committed offset.
        deltas: the partition's changelog records from any before the snapshot's start on.
        committed: the group's stable committed offset.

    Raises:
        OutrunError: if the records begin too late.
        UnfitSnapshotError: if it is not a snapshot of this log.
        StateError: as `restore`.
    """
    reached = extent.start_offset
    for record in deltas:
        delta = read(record)
        # A snapshot is of one layout: what a relayout wrote lies before it.
        if not isinstance(delta, Delta) or delta.to_offset <= extent.start_offset:
            continue
        if reached == extent.start_offset and delta.from_offset > reached:
            raise OutrunError(extent, delta.from_offset)
        if reached == extent.start_offset or reached < extent.end_offset:
            _demand_fit(extent, delta, reached)
        if reached < extent.end_offset:
            memory.complete(delta)
        else:
            memory.restore(delta)
        reached = delta.to_offset
    if reached < max(extent.end_offset, committed):
        # Perhaps only its bound is wrong: a worker that the group went on without asks too late.
        raise UnfitSnapshotError(f"from its bound on, the changelog leads to {reached} only")
    return _demand_end(memory, committed)


def _demand_fit(extent: Extent, delta: Delta, reached: int) -> None:
    is_last = delta.to_offset == extent.end_offset
    agrees = (delta.clock_ms, delta.covers_from_ms) == (extent.clock_ms, extent.covers_from_ms)
    goes_on = delta.from_offset == reached
    crosses = delta.from_offset < extent.end_offset < delta.to_offset
    if not goes_on or crosses or (is_last and not agrees):
        raise UnfitSnapshotError(
            f"the changelog's record from {delta.from_offset} to {delta.to_offset} does not fit"
        )


def restore(
    deltas: Iterable[bytes],
    layout: Layout,
    *,
    committed: int | None,
    fresh: Callable[[], int],
    since: Extent | None = None,
) -> PartitionMemory:
    """Return the memory as of the committed offset.

    Args:
        deltas: the partition's changelog records, oldest first.
        layout: what ids mean now.
        committed: the group's stable committed offset; None: it has none, and the changelog tells.
        fresh: says where to begin if there is neither an offset nor a changelog.
        since: what a snapshot covers that proves what the log once had; None: there is none.

    Raises:
        StateError: if the log has a gap, is damaged, or was made under another layout.
        LostMemoryError: if it ends before the committed offset.
    """
    rebuilding = Rebuilding(layout)
    for record in deltas:
        rebuilding.enter(read(record))
    rebuilding.end()
    memory, first = rebuilding.memory, rebuilding.first
    if memory is None or first is None:
        return _begin(layout, committed, fresh)
    if since is not None:
        _demand_expired(memory, first, since)
    return _demand_end(memory, committed)


def _demand_expired(memory: PartitionMemory, first: Beginning, since: Extent) -> None:
    """Refuse a log that was cut where something is missing that would still count.

    Whatever is missing was accepted at the first record's clock or before.
    """
    # Behind an operator's word that the memory was lost, it is known that something is missing.
    declared = first.covers_from_ms > since.covers_from_ms
    units = {part.unit for part in since.tables} | memory.tables.keys()
    counts = any(unit.knows(unit.generation(first.clock_ms), memory.clock_ms) for unit in units)
    if first.offset > since.start_offset and counts and not declared:
        raise StateError(
            f"the changelog was cut: it begins at {first.offset}, the newest snapshot ends at "
            f"{since.end_offset}, and what was seen in between would still count. Restore the "
            f"changelog topic, or a snapshot from {first.offset} or later; its retention "
            f"has to be the one that `loyaltystream init` gives it"
        )


def _demand_end(memory: PartitionMemory, committed: int | None) -> PartitionMemory:
    demand_end(memory.next_offset, committed)
    return memory


def demand_end(reached: int | None, committed: int | None) -> None:
    """Refuse a log that does not end at the group's committed offset.

    Args:
        reached: the offset after the last one that it has; None: it is empty.
        committed: the group's stable committed offset, if it has one.

    Raises:
        StateError: if it goes on behind it.
        LostMemoryError: if it ends before it.
    """
    if committed is None or reached == committed:
        return
    if reached is None:
        raise LostMemoryError(_explain("is empty", committed))
    if reached > committed:
        raise StateError(
            f"the group's committed offset is {committed}, but events up to {reached} are judged "
            f"already: its offsets were set back. Set them to {reached} "
            f"(kafka-consumer-groups --reset-offsets --to-offset); nothing is judged twice"
        )
    raise LostMemoryError(_explain(f"ends at {reached}", committed))


def _begin(layout: Layout, committed: int | None, fresh: Callable[[], int]) -> PartitionMemory:
    demand_end(None, committed)
    return PartitionMemory(layout, fresh())


def _explain(what: str, committed: int) -> str:
    return (
        f"the changelog {what}, the group's committed offset is {committed}: what was seen before "
        f"is not known. Restore the changelog topic, or accept that resends of older events are "
        f"held as late: run --accept-memory-loss"
    )
