"""Ids, columns and transactions that tests of the memory are made from."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.identity import to_array
from loyaltystream.memory.partition import Pending
from loyaltystream.memory.shards import Fingerprints, Generations
from loyaltystream.memory.table import IdTable
from loyaltystream.memory.units import KeyKind, Overlay, Seen, Unit, to_sections
from tests.core import layout

MONTH = Unit(KeyKind.EVENT_ID, 30)
DAY = Unit(KeyKind.UNIQUE_KEY, 1)


def some_id(number: int) -> bytes:
    """Return the id of that number, as 16 bytes; 0 is the id of zeros."""
    return number.to_bytes(16)


def fingerprints(values: Iterable[int]) -> Fingerprints:
    """Return a column of fingerprints."""
    return np.array(list(values), np.uint32)


def codes(values: Iterable[int]) -> Generations:
    """Return a column of generations' codes."""
    return np.array([value % 256 for value in values], np.uint8)


def put(table: IdTable, entries: Mapping[bytes, tuple[int, int]]) -> None:
    """Enter ids with fingerprint and generation each."""
    ids = to_array(list(entries))
    columns = list(entries.values())
    table.put(ids, fingerprints(a for a, _ in columns), codes(b for _, b in columns))


def find(table: IdTable, ids: Sequence[bytes]) -> list[tuple[int, int] | None]:
    """Return fingerprint and generation's code of each id, or None."""
    found, prints, generations = table.find(to_array(ids))
    return [
        (int(prints[row]), int(generations[row])) if found[row] else None for row in range(len(ids))
    ]


def transaction(
    start: int, clock_ms: int, keys: Mapping[Unit, Mapping[int, int]], *, partitions: int = 1
) -> Pending:
    """Return what a transaction over one offset from `start` on accepts: ids and fingerprints."""
    overlay: Overlay = {
        unit: {
            some_id(number): Seen(fingerprint, unit.generation(clock_ms), number % 2**32)
            for number, fingerprint in numbers.items()
        }
        for unit, numbers in keys.items()
    }
    sections = to_sections(overlay, clock_ms)
    return Pending(overlay, Delta(layout(partitions), start, start + 1, clock_ms, 0, sections))
