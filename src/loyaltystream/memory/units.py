"""What kinds of keys are remembered, and for how long, by a clock that only the log moves. Pure.

Every entry carries the generation that it was accepted in: floor(clock / (window / 10)), kept in
one byte. It is known while its generation is at most ten behind the clock's, so for the window and
up to a tenth more, whatever the batches were (dedup.md section 2, item 1).
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from loyaltystream.times import DAY_MS

GENERATIONS: Final = 10
GENERATION_CODES: Final = 256

ENTRY: Final = np.dtype([("id", "<u8", 2), ("fingerprint", "<u4"), ("key_hash", "<u4")])
"""One remembered key as the changelog has it: 24 bytes."""


class KeyKind(IntEnum):
    """What an id was made of."""

    EVENT_ID = 1
    UNIQUE_KEY = 2


class Unit(NamedTuple):
    """Keys of one kind that are remembered equally long."""

    kind: KeyKind
    window_days: int

    def generation(self, clock_ms: int) -> int:
        """Return the generation, 0 to 255, that an id accepted at that clock belongs to."""
        return clock_ms * GENERATIONS // (self.window_days * DAY_MS) % GENERATION_CODES

    def knows(self, generation: int, clock_ms: int) -> bool:
        """Say whether an entry of that generation still counts at that clock."""
        age = (self.generation(clock_ms) - generation) % GENERATION_CODES
        return age <= GENERATIONS


class Seen(NamedTuple):
    """What is remembered of one key."""

    fingerprint: int
    generation: int
    key_hash: int


Overlay = dict[Unit, dict[bytes, Seen]]
"""The keys that one transaction accepts; not in any table before its commit is known."""


class Section(NamedTuple):
    """Keys of one unit and generation; `entries` is an array of `ENTRY`."""

    unit: Unit
    generation: int
    entries: npt.NDArray[np.void]


def to_sections(overlay: Mapping[Unit, Mapping[bytes, Seen]]) -> list[Section]:
    """Return the overlay's keys as arrays, grouped by unit and generation."""
    sections = []
    for unit, keys in overlay.items():
        generations = {seen.generation for seen in keys.values()}
        for generation in sorted(generations):
            rows = [(key, seen) for key, seen in keys.items() if seen.generation == generation]
            sections.append(Section(unit, generation, _to_entries(rows)))
    return sections


def _to_entries(rows: Sequence[tuple[bytes, Seen]]) -> npt.NDArray[np.void]:
    entries = np.empty(len(rows), ENTRY)
    entries["id"] = np.frombuffer(b"".join([key for key, _ in rows]), "<u8").reshape(-1, 2)
    entries["fingerprint"] = [seen.fingerprint for _, seen in rows]
    entries["key_hash"] = [seen.key_hash for _, seen in rows]
    return entries
