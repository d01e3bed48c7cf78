"""Were exactly the keys moved that were remembered, when topics were given more partitions? Pure.

Said once more and on its own: where a key belongs, which ones still count, and what the clock is.
What is compared are counts and sums of hashes, for each partition, unit and generation.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from math import gcd
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from loyaltystream.audit.findings import Detail, Fault, Ledger, Notice, Place
from loyaltystream.audit.seen import generation
from loyaltystream.keys import place
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.relaid import Moved, Switched
from loyaltystream.memory.units import GENERATION_CODES, GENERATIONS, Section, Unit

_ODD: Final = tuple(np.uint64(one) for one in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F))
_SHIFT: Final = np.uint64(29)


class Sum(NamedTuple):
    """How many keys, and the sum of their hashes."""

    keys: int
    hashes: int

    def plus(self, hashes: npt.NDArray[np.uint64]) -> "Sum":
        """Return the sum with some keys more."""
        more = int(hashes.sum(dtype=np.uint64))
        return Sum(self.keys + len(hashes), (self.hashes + more) % 2**64)


_NOTHING: Final = Sum(0, 0)


Sums = dict[tuple[Unit, int], Sum]
"""By unit and generation."""


class _Relayout(msgspec.Struct):
    """What the changelog tells of the way to one layout.

    Attributes:
        kept: what was remembered before, by where it belongs afterwards.
        moved: what was moved, by where it lies.
        stands: the clock and reach of each partition before.
        starts: the first clock that is retained of each partition.
    """

    kept: defaultdict[int, Sums]
    moved: defaultdict[int, Sums]
    stands: dict[int, tuple[int, int]]
    starts: dict[int, int]
    switches: dict[int, tuple[Place, Switched]]

    def lacks(self, partition: int, units: Iterable[Unit], clock_ms: int) -> bool:
        """Say whether something may be gone from a partition that counts at a clock."""
        if (start_ms := self.starts.get(partition)) is None:
            return True
        return any(
            generation(unit, clock_ms) - generation(unit, start_ms) <= GENERATIONS for unit in units
        )


class Relayouts:
    """Collects what each relayout had to move and did.

    Args:
        topic: the changelog's name.
        ledger: takes what is wrong.
    """

    def __init__(self, topic: str, ledger: Ledger) -> None:
        self._topic = topic
        self._ledger = ledger
        self._found: defaultdict[Layout, _Relayout] = defaultdict(
            lambda: _Relayout(defaultdict(dict), defaultdict(dict), {}, {}, {})
        )

    def keep(self, partition: int, entry: Delta | Moved, after: Layout) -> None:
        """Note what a partition remembers that has to be moved to a later layout."""
        relayout = self._found[after]
        for unit, born, section in _dated(entry.sections, entry.clock_ms):
            hashes = _hashes(section)
            homes = place(section.entries["key_hash"], after.partitions)
            for home in np.unique(homes).tolist():
                _add(relayout.kept[home], (unit, born), hashes[homes == home])
        if isinstance(entry, Delta):
            relayout.stands[partition] = entry.clock_ms, entry.covers_from_ms
            relayout.starts.setdefault(partition, entry.clock_ms)

    def move(self, partition: int, moved: Moved) -> None:
        """Note what was moved into a partition."""
        relayout = self._found[moved.layout]
        for unit, born, section in _dated(moved.sections, moved.clock_ms):
            _add(relayout.moved[partition], (unit, born), _hashes(section))

    def switch(self, at: Place, switched: Switched, after: Layout | None) -> None:
        """Note that a layout came into force in a partition, and which one comes after it."""
        self._found[switched.layout].switches[at.partition] = at, switched
        if after is not None:
            stand = switched.clock_ms, switched.covers_from_ms
            self._found[after].stands[at.partition] = stand

    def check(self, is_cut: Callable[[int], bool]) -> None:
        """Report every difference between what was remembered and what was moved.

        Args:
            is_cut: says of a partition whether retention has removed records.
        """
        for layout, relayout in self._found.items():
            if not relayout.switches:
                continue  # begun and not finished: nothing counts of it
            for partition in range(layout.partitions):
                if partition in relayout.switches or is_cut(partition):
                    continue
                at = Place(self._topic, partition, 0)
                text = f"there is no switch to {layout.partitions} partitions"
                self._ledger.report(Detail(Fault.RELAYOUT, at, text))
            for at, switched in relayout.switches.values():
                self._check(relayout, at, switched, is_cut)

    def _check(
        self,
        relayout: _Relayout,
        at: Place,
        switched: Switched,
        is_cut: Callable[[int], bool],
    ) -> None:
        before, after = switched.partitions_before, switched.layout.partitions
        common = gcd(before, after)
        sources = [one for one in range(before) if one % common == at.partition % common]
        kept, moved = relayout.kept[at.partition], relayout.moved[at.partition]
        units = {unit for unit, _ in [*kept, *moved]}
        if any(
            is_cut(one) and relayout.lacks(one, units, switched.clock_ms)
            for one in {*sources, at.partition}
        ):
            text = "retention has removed records that still counted then"
            self._ledger.report(Detail(Notice.RELAYOUT_EXPIRED, at, text))
            return
        stands = [relayout.stands.get(one, (0, 0)) for one in sources]
        needed = max(clock for clock, _ in stands), max(covers for _, covers in stands)
        if (switched.clock_ms, switched.covers_from_ms) != needed:
            found = switched.clock_ms, switched.covers_from_ms
            text = f"clock and reach are {found}, and {needed} by the log"
            self._ledger.report(Detail(Fault.RELAYOUT, at, text))
        due = {
            (unit, born): total
            for (unit, born), total in kept.items()
            if generation(unit, switched.clock_ms) - born <= GENERATIONS
        }
        if moved != due or switched.ids != _keys(moved):
            text = (
                f"{_keys(due)} keys were due, {_keys(moved)} or others moved, {switched.ids} told"
            )
            self._ledger.report(Detail(Fault.RELAYOUT, at, text))


def _add(sums: Sums, slot: tuple[Unit, int], hashes: npt.NDArray[np.uint64]) -> None:
    sums[slot] = sums.get(slot, _NOTHING).plus(hashes)


def _keys(sums: Sums) -> int:
    return sum(found.keys for found in sums.values())


def _dated(sections: list[Section], clock_ms: int) -> list[tuple[Unit, int, Section]]:
    """Return sections with their unit and the generation, counted from the epoch, that they are."""
    dated = []
    for section in sections:
        now = generation(section.unit, clock_ms)
        dated.append((section.unit, now - (now - section.code) % GENERATION_CODES, section))
    return dated


def _hashes(section: Section) -> npt.NDArray[np.uint64]:
    """Return a hash of each key with all that is known of it."""
    words = np.ascontiguousarray(section.entries).view("<u8").reshape(-1, 3)
    hashes = words[:, 0].astype(np.uint64)
    for word in (words[:, 1], words[:, 2]):
        for odd in _ODD:
            hashes = (hashes ^ (hashes >> _SHIFT)) * odd
        hashes = hashes ^ word
    for odd in _ODD:
        hashes = (hashes ^ (hashes >> _SHIFT)) * odd
    return hashes
