"""Copies a memory bit by bit while it is in use; what comes out can be loaded. Pure.

A snapshot need not be of one moment. A memory holds only what is committed, and entering the same
entry again changes nothing; so a shard may be copied at any moment between a start and an end, if
the changelog's records from the start on are entered again behind the snapshot (`recovery.py`).
Which ids belong to which shard must be of one moment, the end: shards that were split since they
were copied are copied again, the last of them in the turn in which the capture ends. How many slots
a shard has is its own business, and comes with its copy.
"""

import math
from typing import NamedTuple

import numpy as np

from loyaltystream.errors import StateError
from loyaltystream.memory.manifest import Extent, TablePart
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.shards import Indexes
from loyaltystream.memory.units import Unit


class Copied(NamedTuple):
    """A copy of a shard; `content` has its three columns, one after the other."""

    table: int
    shard: int
    slots: int
    entries: int
    generation: int
    content: bytes


class Capture:
    """One way through a partition's memory.

    Args:
        memory: no commit of it may be open whenever this is asked for something.

    Raises:
        StateError: if one is.
    """

    def __init__(self, memory: PartitionMemory) -> None:
        self._memory = memory
        self._marks: dict[Unit, Indexes] = {}
        self._left = math.inf
        _demand_settled(memory)
        self._start_offset = memory.next_offset

    def copy(self, most: int, last: int) -> tuple[list[Copied], Extent | None]:
        """Copy up to `most` shards; or all that are left, if these are up to `last`, and end.

        Those that were split since the last call come on top: however fast the memory grows, there
        is less to do after each call.

        Returns:
            The copies, and at the end what the snapshot covers.

        Raises:
            StateError: if a commit is open.
        """
        _demand_settled(self._memory)
        due = [
            (number, unit, shard)
            for number, unit in enumerate(self._memory.tables)
            for shard in self._due(unit).tolist()
        ]
        split = int(max(len(due) - self._left, 0))
        ends = len(due) <= last + split
        taken = due if ends else due[: most + split]
        self._left = len(due) - len(taken)
        return [self._copy(*place) for place in taken], self._extent() if ends else None

    def _due(self, unit: Unit) -> Indexes:
        """Return the shards that were not copied since they have the ids that they have."""
        marks = self._memory.tables[unit].marks()
        known = self._marks.get(unit, marks[:0])
        if new := len(marks) - len(known):
            self._marks[unit] = known = np.concatenate([known, np.zeros(new, np.int64)])
        due: Indexes = (known != marks).nonzero()[0]
        return due

    def _copy(self, number: int, unit: Unit, shard: int) -> Copied:
        table = self._memory.tables[unit]
        self._marks[unit][shard] = table.marks()[shard]
        columns = table.columns(shard)
        return Copied(
            number,
            shard,
            len(columns[0]),
            table.count(shard),
            table.generation,
            b"".join([column.data.cast("B") for column in columns]),
        )

    def _extent(self) -> Extent:
        memory = self._memory
        parts = [
            TablePart(unit.kind, unit.window_days, table.shape)
            for unit, table in memory.tables.items()
        ]
        return Extent(
            self._start_offset, memory.next_offset, memory.clock_ms, memory.covers_from_ms, parts
        )


def _demand_settled(memory: PartitionMemory) -> None:
    if not memory.is_settled:
        raise StateError("a snapshot was asked for while a commit is open: its ids may yet die")
