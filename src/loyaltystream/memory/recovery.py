"""The changelog of one partition in, its memory out, or a refusal. Pure.

A memory is never started empty in silence (dedup.md section 2, item 7).
"""

from collections.abc import Callable, Iterable

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import Layout, decode
from loyaltystream.memory.partition import PartitionMemory


class LostMemoryError(StateError):
    """The log of what was seen does not reach the committed offset."""


def restore(
    deltas: Iterable[bytes], layout: Layout, *, committed: int | None, fresh: Callable[[], int]
) -> PartitionMemory:
    """Return the memory as of the committed offset.

    Args:
        deltas: the partition's changelog records, oldest first.
        layout: what ids mean now.
        committed: the group's stable committed offset; None: it has none, and the changelog tells.
        fresh: says where to begin if there is neither an offset nor a changelog.

    Raises:
        StateError: if the log has a gap, is damaged, or was made under another layout.
        LostMemoryError: if it ends before the committed offset.
    """
    memory = None
    for record in deltas:
        delta = decode(record)
        if memory is None:
            memory = PartitionMemory(layout, delta.from_offset)
        memory.restore(delta)
    if memory is None:
        return _begin(layout, committed, fresh)
    if committed is None or memory.next_offset == committed:
        return memory
    if memory.next_offset > committed:
        raise StateError(
            f"the group's committed offset is {committed}, but events up to {memory.next_offset} "
            f"are judged already: its offsets were set back. Set them to {memory.next_offset} "
            f"(kafka-consumer-groups --reset-offsets --to-offset); nothing is judged twice"
        )
    raise LostMemoryError(_explain(f"ends at {memory.next_offset}", committed))


def _begin(layout: Layout, committed: int | None, fresh: Callable[[], int]) -> PartitionMemory:
    if committed is None:
        return PartitionMemory(layout, fresh())
    raise LostMemoryError(_explain("is empty", committed))


def _explain(what: str, committed: int) -> str:
    return (
        f"the changelog {what}, the group's committed offset is {committed}: what was seen before "
        f"is not known. Restore the changelog topic, or accept that resends of older events are "
        f"held as late: run --accept-memory-loss"
    )
