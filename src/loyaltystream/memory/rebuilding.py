"""A partition's changelog in, record by record, the memory that it leads to out. Pure.

Where the topic was given more partitions, the log holds several memories one after the other: what
was learnt under the old layout, what a relayout has moved, and what was learnt since. The one that
counts is that of the layout in force, from the relayout on that brought it.
"""

from typing import Final, NamedTuple

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.partition import PartitionMemory, explain_layout
from loyaltystream.memory.relaid import Entry, Moved, Switched

UNFINISHED: Final = (
    "a relayout of the memory was begun and not finished; stop all workers and run "
    "`loyaltystream memory relayout` again: it goes on where it stopped"
)


class Beginning(NamedTuple):
    """Where the memory begins: an input offset, and the clock and reach there."""

    offset: int
    clock_ms: int
    covers_from_ms: int


class Rebuilding:
    """Follows a changelog from its first retained record on.

    Args:
        layout: what ids mean now.

    Attributes:
        memory: what the log has led to; None: it has told nothing yet.
        first: where that begins.
    """

    def __init__(self, layout: Layout) -> None:
        self.memory: PartitionMemory | None = None
        self.first: Beginning | None = None
        self._layout = layout
        self._other: Layout | None = None  # of the last record that is not ours
        self._copy = PartitionMemory(layout, 0)  # what a relayout has moved here so far
        self._ids = 0
        self._moving = False
        self._switched: Switched | None = None

    def enter(self, entry: Entry) -> None:
        """Take one record, in the log's order.

        Raises:
            StateError: if one is missing before it, or no relayout can lead from it to ours.
        """
        match entry:
            case Moved():
                if entry.layout == self._layout and self._switched is None:
                    self._moving = True
                    self._ids += sum(len(section.entries) for section in entry.sections)
                    self._copy.take(entry)
            case Switched():
                self._switch(entry)
            case Delta():
                self._follow(entry)

    def end(self) -> None:
        """Take note that there are no more records.

        Raises:
            StateError: if they lead to another layout, or lack some of what was moved.
        """
        if self.memory is None and self._moving:
            raise StateError(UNFINISHED)
        if self.memory is None and self._other is not None:
            raise StateError(explain_layout(self._other, self._layout))
        if self.memory is not None and self._switched is not None:
            self._demand_moved(self.memory, self._switched)

    def _follow(self, delta: Delta) -> None:
        if self.memory is None:
            if delta.layout != self._layout or self._other is not None:
                self._pass(delta.layout)
                return
            self.memory = PartitionMemory(self._layout, delta.from_offset)
            self.first = Beginning(delta.from_offset, delta.clock_ms, delta.covers_from_ms)
        self.memory.restore(delta)

    def _switch(self, switched: Switched) -> None:
        if switched.layout != self._layout:
            self.memory = None  # what there was is not in force any more
            self._pass(switched.layout)
            return
        self._switched = switched
        self.memory = self._copy
        self.memory.switch(switched)
        self.first = Beginning(switched.offset, switched.clock_ms, switched.covers_from_ms)

    def _pass(self, layout: Layout) -> None:
        """Pass over what was learnt under another layout: a relayout has to come behind it."""
        if not layout.makes_same_ids(self._layout):
            raise StateError(explain_layout(layout, self._layout))
        self._other = layout

    def _demand_moved(self, memory: PartitionMemory, switched: Switched) -> None:
        # Retention takes what was moved as well, but not while any of it can count.
        units = memory.tables.keys()
        counts = any(
            unit.knows(unit.generation(switched.clock_ms), memory.clock_ms) for unit in units
        )
        if self._ids != switched.ids and (counts or not units):
            raise StateError(
                f"the changelog was cut: a relayout moved {switched.ids} ids here, and "
                f"{self._ids} of them are there; restore the changelog topic"
            )
