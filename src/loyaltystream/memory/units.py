"""What kinds of keys are remembered, and for how long, by a clock that only the log moves. Pure.

Every entry carries the generation that it was accepted in: floor(clock / (window / 10)). It is
known while its generation is at most ten behind the clock's, so for the window and up to a tenth
more, whatever the batches were (dedup.md section 2, item 1). Tables and changelog keep only its
code, the lowest byte: it says which generation is meant as long as none is 256 behind the clock.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from loyaltystream.times import DAY_MS

GENERATIONS: Final = 10
GENERATION_CODES: Final = 256

ENTRY: Final = np.dtype([("id", "<u8", 2), ("fingerprint", "<u4"), ("key_hash", "<u4")])
"""One remembered key as the changelog has it: 24 bytes."""
_ROW: Final = struct.Struct("<16sII")


class KeyKind(IntEnum):
    """What an id was made of."""

    EVENT_ID = 1
    UNIQUE_KEY = 2


class Unit(NamedTuple):
    """Keys of one kind that are remembered equally long."""

    kind: KeyKind
    window_days: int

    def generation(self, clock_ms: int) -> int:
        """Return the generation that an id accepted at that clock belongs to."""
        return clock_ms * GENERATIONS // (self.window_days * DAY_MS)

    def begins_ms(self, generation: int) -> int:
        """Return the first clock of a generation."""
        return -(-generation * self.window_days * DAY_MS // GENERATIONS)

    def knows(self, generation: int, clock_ms: int) -> bool:
        """Say whether an entry of that generation still counts at that clock."""
        return self.generation(clock_ms) - generation <= GENERATIONS

    def generation_of(self, code: int, clock_ms: int) -> int:
        """Return the generation of an entry that was accepted at that clock or before."""
        now = self.generation(clock_ms)
        return now - (now - code) % GENERATION_CODES


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What is remembered of one key."""

    fingerprint: int
    generation: int
    key_hash: int


Overlay = dict[Unit, dict[bytes, Seen]]
"""The keys that one transaction accepts; not in any table before its commit is known."""


class Section(NamedTuple):
    """Keys of one unit and generation's code; `entries` is an array of `ENTRY`."""

    unit: Unit
    code: int
    entries: npt.NDArray[np.void]


def to_sections(overlay: Mapping[Unit, Mapping[bytes, Seen]], clock_ms: int) -> list[Section]:
    """Return the overlay's keys as arrays, grouped by unit and generation.

    Keys that expired so long before `clock_ms`, the batch's last, that their code has come round
    again are left out: after a long silence one batch can span it.
    """
    sections = []
    for unit, keys in overlay.items():
        for generation in sorted({seen.generation for seen in keys.values()}):  # nearly always one
            code = generation % GENERATION_CODES
            if unit.generation_of(code, clock_ms) == generation:
                sections.append(Section(unit, code, _to_entries(keys, generation)))
    return sections


def _to_entries(keys: Mapping[bytes, Seen], generation: int) -> npt.NDArray[np.void]:
    pack = _ROW.pack
    packed = [
        pack(key, seen.fingerprint, seen.key_hash)
        for key, seen in keys.items()
        if seen.generation == generation
    ]
    return np.frombuffer(b"".join(packed), ENTRY)
