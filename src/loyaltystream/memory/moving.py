"""Keys in, by the partition that they belong to out: what a relayout does to them. Pure.

The changelog has murmur2 of each key's partition key, which tells its partition among any number.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from loyaltystream.keys import place
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.relaid import Moved
from loyaltystream.memory.units import GENERATION_CODES, Section, Unit

Home = tuple[int, Unit, int]
"""A partition, and a unit and generation of keys that belong there."""


def count_homes(sections: Iterable[Section], clock_ms: int, partitions: int) -> Counter[Home]:
    """Return how many keys belong where among so many partitions.

    Args:
        sections: of one changelog record.
        clock_ms: the record's clock.
        partitions: how many there are.
    """
    counts: Counter[Home] = Counter()
    for unit, code, entries in sections:
        generation = unit.generation_of(code, clock_ms)
        here = np.bincount(place(entries["key_hash"], partitions))
        for partition in np.flatnonzero(here).tolist():
            counts[partition, unit, generation] += int(here[partition])
    return counts


class Chunk:
    """Keys of one partition that are moved in one transaction.

    Args:
        source: the partition.

    Attributes:
        ids: how many they are.
    """

    def __init__(self, source: int) -> None:
        self.ids = 0
        self._source = source
        self._from_offset: int | None = None
        self._to_offset = 0
        self._entries: dict[tuple[Unit, int], list[npt.NDArray[np.void]]] = {}

    def add(self, sections: Iterable[Section], clock_ms: int, offset: int) -> None:
        """Add the keys of the changelog record at that offset."""
        if self._from_offset is None:
            self._from_offset = offset
        self._to_offset = offset + 1
        for unit, code, entries in sections:
            generation = unit.generation_of(code, clock_ms)
            self._entries.setdefault((unit, generation), []).append(entries)
            self.ids += len(entries)

    def moved(self, layout: Layout, clocks_ms: Mapping[int, int]) -> dict[int, Moved]:
        """Return what is to be written, by partition.

        Args:
            layout: the one to come.
            clocks_ms: the clock of each partition; keys that do not count by then are left behind.
        """
        sections: dict[int, list[Section]] = {}
        for (unit, generation), parts in self._entries.items():
            entries = np.concatenate(parts)
            homes = place(entries["key_hash"], layout.partitions)
            order = np.argsort(homes, kind="stable")
            found, starts = np.unique(homes[order], return_index=True)
            for home, rows in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
                if unit.knows(generation, clocks_ms[home]):
                    part = Section(unit, generation % GENERATION_CODES, entries[rows])
                    sections.setdefault(home, []).append(part)
        start = self._from_offset or 0
        return {
            home: Moved(layout, self._source, start, self._to_offset, clocks_ms[home], parts)
            for home, parts in sections.items()
        }
