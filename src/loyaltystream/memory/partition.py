"""The memory of one input partition: tables, and the open transaction's keys on top.

Does no I/O. Tables change only by `remember` (a commit is known) and `restore` (the log says so).
"""

from collections.abc import Mapping, Sequence
from typing import Final, Self

import msgspec
import numpy as np

from loyaltystream.errors import StateError
from loyaltystream.keys import tell_rule
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.column import Room
from loyaltystream.memory.identity import to_array
from loyaltystream.memory.manifest import Extent
from loyaltystream.memory.relaid import Moved, Switched
from loyaltystream.memory.table import IdTable
from loyaltystream.memory.units import GENERATIONS, Overlay, Section, Unit
from loyaltystream.times import DAY_MS

UNSEEN: Final = -1


class Pending(msgspec.Struct, frozen=True):
    """A transaction that is sent and whose outcome is not known yet."""

    overlay: Overlay
    delta: Delta


class PartitionMemory:
    """What is known of one input partition.

    Args:
        layout: what ids mean in this deployment.
        start: the offset at which judging begins where the log has no delta yet.
    """

    def __init__(self, layout: Layout, start: int) -> None:
        self.layout = layout
        self._next_offset = start
        self.untouched = True
        """Whether the log has told nothing of this partition yet."""
        self._clock_ms = 0
        self.covers_from_ms = 0
        self.learnt = 0
        """How many keys were entered so far, in this process."""
        self._tables: dict[Unit, IdTable] = {}
        self._pending: Pending | None = None

    @classmethod
    def loaded(cls, layout: Layout, extent: Extent, tables: Mapping[Unit, IdTable]) -> Self:
        """Return a memory as of a snapshot's end; `complete` has to follow."""
        memory = cls(layout, extent.end_offset)
        memory.untouched = False
        memory._clock_ms, memory.covers_from_ms = extent.clock_ms, extent.covers_from_ms
        memory._tables.update(tables)
        return memory

    @property
    def is_settled(self) -> bool:
        """Whether no commit is open, so that all that it tells of itself is committed."""
        return self._pending is None

    @property
    def tables(self) -> Mapping[Unit, IdTable]:
        """What is committed, expired entries that were not swept yet among it."""
        return self._tables

    @property
    def next_offset(self) -> int:
        """The first offset that is not judged yet, the open transaction's counted as judged."""
        return self._pending.delta.to_offset if self._pending else self._next_offset

    @property
    def clock_ms(self) -> int:
        """The clock after the last judged record: the running maximum of append times."""
        return self._pending.delta.clock_ms if self._pending else self._clock_ms

    def find(self, unit: Unit, ids: Sequence[bytes], clocks_ms: Sequence[int]) -> list[int]:
        """Return each id's fingerprint, or `UNSEEN`; an id is asked for at its event's clock."""
        if not ids:
            return []
        answers = self._find_in_table(unit, ids, clocks_ms)
        overlay = self._pending.overlay.get(unit) if self._pending else None
        if overlay:
            for row in [row for row, key in enumerate(ids) if key in overlay]:
                seen = overlay[ids[row]]
                if unit.knows(seen.generation, clocks_ms[row]):
                    answers[row] = seen.fingerprint
        return answers

    def _find_in_table(
        self, unit: Unit, ids: Sequence[bytes], clocks_ms: Sequence[int]
    ) -> list[int]:
        table = self._tables.get(unit)
        if table is None:
            return [UNSEEN] * len(ids)
        found, fingerprints, codes = table.find(to_array(ids))
        if not np.count_nonzero(found):
            return [UNSEEN] * len(ids)
        swept_at = unit.generation(self._clock_ms)
        first, last = unit.generation(clocks_ms[0]), unit.generation(clocks_ms[-1])
        now = first if first == last else np.array([unit.generation(clock) for clock in clocks_ms])
        found &= table.ages(codes) + (now - swept_at) <= GENERATIONS
        known: list[int] = np.where(found, fingerprints.astype(np.int64), UNSEEN).tolist()
        return known

    def expect(self, pending: Pending) -> None:
        """Judge on top of a transaction that was sent; `remember` or `forget` follows."""
        self._pending = pending

    def remember(self) -> None:
        """Enter the pending transaction into the tables: its commit is known."""
        if self._pending is not None:
            self._apply(self._pending.delta)
            self._pending = None

    def forget(self) -> None:
        """Drop the pending transaction: it did not commit."""
        self._pending = None

    def restore(self, delta: Delta) -> None:
        """Enter one delta of the changelog, in the log's order.

        Raises:
            StateError: if a delta is missing before it, or it was made under another layout.
        """
        self._demand_layout(delta)
        if not self.untouched:
            demand_next(delta, self._next_offset, self.covers_from_ms)
        self._apply(delta)

    def take(self, moved: Moved) -> None:
        """Enter keys that a relayout has moved here; `switch` follows."""
        self._sweep(moved.sections, moved.clock_ms)
        self._clock_ms = moved.clock_ms
        self._put(moved.sections, moved.clock_ms, moved.clock_ms)

    def switch(self, switched: Switched) -> None:
        """Begin where a relayout says, with what it has moved here."""
        self._sweep((), switched.clock_ms)
        self._stand(switched.offset, switched.clock_ms, switched.covers_from_ms)

    def complete(self, delta: Delta) -> None:
        """Enter again what was remembered before, where a snapshot may lack some of it.

        Raises:
            StateError: if it was made under another layout.
        """
        self._demand_layout(delta)
        self._put(delta.sections, delta.clock_ms, self._clock_ms)

    def _demand_layout(self, delta: Delta) -> None:
        if delta.layout != self.layout:
            raise StateError(explain_layout(delta.layout, self.layout))

    def _apply(self, delta: Delta) -> None:
        self._sweep(delta.sections, delta.clock_ms)
        self._put(delta.sections, delta.clock_ms, delta.clock_ms)
        self._stand(delta.to_offset, delta.clock_ms, delta.covers_from_ms)

    def _sweep(self, sections: Sequence[Section], clock_ms: int) -> None:
        """Drop what has expired by a clock, and have a table for each unit of some sections."""
        for unit in {section.unit for section in sections} - self._tables.keys():
            self._tables[unit] = IdTable()
        for unit, table in self._tables.items():
            table.sweep(unit.generation(clock_ms), GENERATIONS)

    def _stand(self, next_offset: int, clock_ms: int, covers_from_ms: int) -> None:
        self.untouched = False
        self._next_offset = next_offset
        self._clock_ms = clock_ms
        self.covers_from_ms = covers_from_ms

    def _put(self, sections: Sequence[Section], written_ms: int, clock_ms: int) -> None:
        """Enter what still counts at a clock, which is that of its writing or a later one."""
        for unit, code, entries in sections:
            if unit.knows(unit.generation_of(code, written_ms), clock_ms):
                ids = np.ascontiguousarray(entries["id"], np.uint64)
                codes = np.empty(len(entries), np.uint8)
                codes.fill(code)  # a third of what np.full takes
                fingerprints = np.ascontiguousarray(entries["fingerprint"])
                self._tables[unit].put(ids, fingerprints, codes)
                self.learnt += len(entries)

    def remembered(self) -> dict[Unit, int]:
        """Return how many ids each unit's table holds, the expired and not yet swept included."""
        return {unit: len(table) for unit, table in self._tables.items()}

    def window_ms(self, unit: Unit) -> int:
        """Return how far back from the clock what was accepted is surely known.

        Less than the unit's window where the memory was lost, or did not reach back so far.
        """
        window_ms = unit.window_days * DAY_MS
        if not self.covers_from_ms:
            return window_ms
        return max(min(window_ms, self.clock_ms - self.covers_from_ms), 0)

    @property
    def used_bytes(self) -> int:
        """Bytes that all tables take."""
        return sum(table.used_bytes for table in self._tables.values())

    @property
    def anonymous_bytes(self) -> int:
        """Those of them that lie in memory and nowhere else."""
        return sum(table.anonymous_bytes for table in self._tables.values())

    def move(self, room: Room) -> None:
        """Move all tables into files, where they answer the same.

        Raises:
            OSError: if there is no room; some may lie in files then.
        """
        for table in self._tables.values():
            table.move(room)


def demand_next(delta: Delta, reached: int, covers_from_ms: int) -> None:
    """Refuse a delta that does not follow what was reached.

    Raises:
        StateError: if something is missing between.
    """
    # Where an operator accepted that the memory was lost, the log says so by a later start.
    declared = delta.covers_from_ms > covers_from_ms and delta.from_offset > reached
    if delta.from_offset != reached and not declared:
        raise StateError(
            f"the changelog has a gap: a record from {delta.from_offset} on follows one up to "
            f"{reached}; it was cut, or written by something else"
        )


def explain_layout(found: Layout, needed: Layout) -> str:
    """Return what differs between two layouts, and what to do about it."""
    if found.hash_check != needed.hash_check:
        what = "its ids were made with another memory.hash_key; start with what it was made with"
    elif found.key_rule != needed.key_rule:
        what = (
            f"its keys follow rule {tell_rule(found.key_rule)}, they would be made by rule "
            f"{tell_rule(needed.key_rule)} now; start with what it was made with "
            f"(rules.partition_by, or the version). `loyaltystream memory relayout` tells what "
            f"else there is"
        )
    else:
        what = (
            f"it is for {found.partitions} partitions, the ingest topic has {needed.partitions}; "
            f"stop all workers and run `loyaltystream memory relayout`"
        )
    return f"the memory does not fit: {what}"
