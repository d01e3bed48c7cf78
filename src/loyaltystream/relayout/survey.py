"""The whole changelog in, what a relayout has to move and has moved out. Does I/O through its log.

Nothing is kept beside the log: how far a relayout has come is told by what it has written there.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from loyaltystream.errors import StateError
from loyaltystream.keys import tell_rule
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.moving import Home, count_homes
from loyaltystream.memory.partition import demand_next, explain_layout
from loyaltystream.memory.recovery import demand_end
from loyaltystream.memory.relaid import Entry, Moved, Switched, read, sources
from loyaltystream.relayout import guard

Advance = Callable[[int, int], None]
"""Told how far something is: of what there is to read, and in ids."""


class Log(guard.Log, Protocol):
    """Topics, and the offsets of who reads them."""

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        """Return a group's stable committed offsets; a partition without one is left out."""


class Standing(msgspec.Struct, frozen=True):
    """One partition of the memory.

    Attributes:
        next_offset: the first offset of the input that is not judged; None: it was never read.
        moved_to: of its changelog, everything before this offset has been moved.
    """

    next_offset: int | None
    clock_ms: int = 0
    covers_from_ms: int = 0
    moved_to: int = 0


class Survey(msgspec.Struct, frozen=True):
    """What the changelog holds.

    Attributes:
        before: the layout in force; None: nothing is remembered.
        after: the layout to come.
        standings: of each partition that the changelog has.
        kept: keys of the layout in force, by where they belong under the one to come.
        moved: those that were moved already, by where they lie.
        ends: where each partition of the changelog ends.
    """

    before: Layout | None
    after: Layout
    standings: Mapping[int, Standing]
    kept: Mapping[Home, int]
    moved: Mapping[Home, int]
    ends: Mapping[int, int]

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to move: it is so already, or nothing is remembered."""
        return self.before is None or self.before == self.after

    @property
    def clocks_ms(self) -> dict[int, int]:
        """The clock of each partition to come: none of its keys was accepted later."""
        return {
            number: max(standing.clock_ms for standing in self._sources(number))
            for number in range(self.after.partitions)
        }

    @property
    def covers_from_ms(self) -> dict[int, int]:
        """From when on each partition to come knows everything."""
        return {
            number: max(standing.covers_from_ms for standing in self._sources(number))
            for number in range(self.after.partitions)
        }

    @property
    def due(self) -> dict[Home, int]:
        """What has to be moved in all: keys that still count where they belong."""
        clocks_ms = self.clocks_ms
        return {
            (number, unit, generation): count
            for (number, unit, generation), count in self.kept.items()
            if unit.knows(generation, clocks_ms[number])
        }

    def _sources(self, partition: int) -> list[Standing]:
        before = self.before.partitions if self.before else 1
        never = Standing(None)
        return [
            self.standings.get(number, never)
            for number in sources(partition, before, self.after.partitions)
        ]


class Surveyor:
    """Reads all of a changelog.

    Args:
        log: the topics.
        topic: the changelog's name.
        after: the layout to come.
    """

    def __init__(self, log: Log, topic: str, after: Layout) -> None:
        self._log = log
        self._topic = topic
        self._after = after

    def survey(self, committed: Mapping[int, int], advance: Advance) -> Survey:
        """Return what it holds, for a group that has committed these offsets.

        Raises:
            StateError: if the log has a gap, is damaged, does not lead to the committed offsets, or
                can't be moved.
            BrokerError: if it can't be read.
        """
        bounds = self._log.settled_bounds(self._topic)
        readings = {}
        read_so_far = ids = 0
        for number, (first, end) in sorted(bounds.items()):
            reading = readings[number] = _Reading(number, self._after)
            for record in self._log.records(self._topic, number, first, end):
                try:
                    ids += reading.enter(read(record.value or b""))
                except StateError as error:
                    place = f"{self._topic}/{number}/{record.offset}"
                    raise StateError(f"{place}: {error}") from error
                advance(read_so_far + record.offset - first, ids)
            read_so_far += end - first
        before = self._layout_of(readings)
        return self._put_together(readings, before, bounds, committed)

    def _put_together(
        self,
        readings: Mapping[int, "_Reading"],
        before: Layout | None,
        bounds: Mapping[int, tuple[int, int]],
        committed: Mapping[int, int],
    ) -> Survey:
        for number, reading in readings.items():
            try:
                demand_end(reading.reached, committed.get(number))
            except StateError as error:
                raise StateError(f"partition {number}: {error}") from error
        kept: Counter[Home] = Counter()
        moved: Counter[Home] = Counter()
        progress: dict[int, int] = {}
        for reading in readings.values():
            if before is not None:
                kept.update(reading.keys.get(before, {}))
            if before != self._after:
                moved.update(reading.keys.get(self._after, {}))
            for source, offset in reading.progress.items():
                progress[source] = max(progress.get(source, 0), offset)
        standings = {
            number: Standing(
                reading.reached, reading.clock_ms, reading.covers_from_ms, progress.get(number, 0)
            )
            for number, reading in readings.items()
        }
        ends = {number: end for number, (_, end) in bounds.items()}
        return Survey(before, self._after, standings, kept, moved, ends)

    def _layout_of(self, readings: Mapping[int, "_Reading"]) -> Layout | None:
        found = {reading.layout for reading in readings.values()} - {None}
        if len(found) > 1:
            counts = ", ".join(str(layout.partitions) for layout in found if layout)
            raise StateError(f"{self._topic} is for different layouts ({counts} partitions)")
        layout = next(iter(found), None)
        if layout is not None:
            demand_movable(layout, self._after)
        return layout


def demand_movable(before: Layout, after: Layout) -> None:
    """Refuse what no relayout can do.

    Raises:
        StateError: saying what to do instead.
    """
    if before.key_rule != after.key_rule:
        raise StateError(
            f"the memory's keys follow rule {tell_rule(before.key_rule)}, they would be made by "
            f"rule {tell_rule(after.key_rule)} now: what is remembered tells the hash of a key and "
            f"not what the key was made of, so it can't be moved. Go on with what it was made with "
            f"(rules.partition_by, or the version); or give up what is remembered: another "
            f"topics.changelog, `loyaltystream init`, and `loyaltystream run "
            f"--accept-memory-loss`, which holds older events as late"
        )
    if before.hash_check != after.hash_check or before.partitions > after.partitions:
        raise StateError(explain_layout(before, after))


class _Reading:
    """One partition of the changelog, followed from its first record on."""

    def __init__(self, number: int, after: Layout) -> None:
        self.layout: Layout | None = None
        self.reached: int | None = None
        self.clock_ms = self.covers_from_ms = 0
        self.keys: dict[Layout, Counter[Home]] = {}
        self.progress: dict[int, int] = {}
        self._number = number
        self._after = after

    def enter(self, entry: Entry) -> int:
        """Take one record; return how many keys it has."""
        match entry:
            case Delta():
                self._follow(entry)
            case Switched():
                self.layout = entry.layout
                self._stand(entry.offset, entry.clock_ms, entry.covers_from_ms)
                return 0
            case Moved() if entry.layout == self._after:
                return self._count_moved(entry)
        counts = count_homes(entry.sections, entry.clock_ms, self._after.partitions)
        self.keys.setdefault(entry.layout, Counter()).update(counts)
        return counts.total()

    def _count_moved(self, moved: Moved) -> int:
        """Count by where keys lie, which the switch holds against where they belong."""
        reached = self.progress.get(moved.source, 0)
        self.progress[moved.source] = max(reached, moved.to_offset)
        counts = self.keys.setdefault(moved.layout, Counter())
        for unit, code, entries in moved.sections:
            counts[self._number, unit, unit.generation_of(code, moved.clock_ms)] += len(entries)
        return sum(len(section.entries) for section in moved.sections)

    def _follow(self, delta: Delta) -> None:
        if self.layout is None:
            self.layout = delta.layout
        if delta.layout != self.layout:
            raise StateError(explain_layout(delta.layout, self.layout))
        if self.reached is not None:
            demand_next(delta, self.reached, self.covers_from_ms)
        self._stand(delta.to_offset, delta.clock_ms, delta.covers_from_ms)

    def _stand(self, reached: int, clock_ms: int, covers_from_ms: int) -> None:
        self.reached, self.clock_ms, self.covers_from_ms = reached, clock_ms, covers_from_ms
