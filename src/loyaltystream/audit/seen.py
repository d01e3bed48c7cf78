"""What one input partition has accepted, in a plain dictionary: the audit's own memory. Pure.

Generations are whole numbers here, not the bytes that tables and changelog keep.
"""

from typing import Final, NamedTuple

from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.relaid import Moved
from loyaltystream.memory.units import ENTRY, GENERATION_CODES, GENERATIONS, KeyKind, Unit
from loyaltystream.times import DAY_MS

Key = tuple[Unit, bytes]
Entries = dict[Key, tuple[int, int, int]]
"""Per key what the changelog has: fingerprint, generation's code, murmur2 of the partition key."""

_PROVEN: Final = 1 << 32
_FINGERPRINT: Final = _PROVEN - 1
_GENERATION_SHIFT: Final = 33


class Sighting(NamedTuple):
    """An accepted key: its content, and whether outputs prove that it was really accepted."""

    fingerprint: int
    proven: bool


def generation(unit: Unit, clock_ms: int) -> int:
    """Return the generation of that clock, counted from the epoch."""
    return clock_ms * GENERATIONS // (unit.window_days * DAY_MS)


class SeenKeys:
    """Keys that were accepted; each is known for its window, and to the end of its generation."""

    def __init__(self) -> None:
        self._keys: dict[Unit, dict[bytes, int]] = {}
        self._swept: dict[Unit, int] = {}

    def find(self, key: Key, clock_ms: int) -> Sighting | None:
        """Return what is known of a key at that clock."""
        unit, identity = key
        packed = self._keys.get(unit, {}).get(identity)
        if packed is None:
            return None
        age = generation(unit, clock_ms) - (packed >> _GENERATION_SHIFT)
        return (
            Sighting(packed & _FINGERPRINT, bool(packed & _PROVEN)) if age <= GENERATIONS else None
        )

    def remember(self, key: Key, fingerprint: int, *, born: int, proven: bool) -> None:
        """Enter a key of the generation `born`."""
        unit, identity = key
        packed = born << _GENERATION_SHIFT | (_PROVEN if proven else 0) | fingerprint
        self._keys.setdefault(unit, {})[identity] = packed

    def learn(self, entries: Entries, clock_ms: int) -> None:
        """Enter keys from the changelog, which were accepted at `clock_ms` or before."""
        for key, (fingerprint, code, _) in entries.items():
            now = generation(key[0], clock_ms)
            born = now - (now - code) % GENERATION_CODES
            self.remember(key, fingerprint, born=born, proven=True)

    def clear(self) -> None:
        """Forget everything."""
        self._keys.clear()

    def forget_expired(self, clock_ms: int) -> None:
        """Drop what is not known any more, once a generation."""
        for unit, keys in self._keys.items():
            now = generation(unit, clock_ms)
            if now > self._swept.get(unit, 0):
                self._swept[unit] = now
                oldest = now - GENERATIONS
                self._keys[unit] = {
                    identity: packed
                    for identity, packed in keys.items()
                    if packed >> _GENERATION_SHIFT >= oldest
                }


def entries_of(delta: Delta | Moved) -> Entries:
    """Return the keys of a changelog record."""
    width = ENTRY.itemsize
    found: Entries = {}
    for unit, code, entries in delta.sections:
        rows = entries.tobytes()
        for start in range(0, len(rows), width):
            row = rows[start : start + width]
            fingerprint = int.from_bytes(row[16:20], "little")
            key_hash = int.from_bytes(row[20:24], "little")
            found[Unit(KeyKind(unit.kind), unit.window_days), row[:16]] = (
                fingerprint,
                code,
                key_hash,
            )
    return found
