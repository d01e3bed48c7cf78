"""What a memory knows, in a few numbers a unit, whatever order it learnt it in. Pure."""

from typing import NamedTuple

import numpy as np

from loyaltystream.memory.hashing import mix
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.table import IdTable
from loyaltystream.memory.units import GENERATIONS, Unit


class Digest(NamedTuple):
    """What is known of a unit.

    Attributes:
        ids: how many still count.
        generations: those that they are of, in order.
        value: the sum of a hash of each with all that is known of it.
    """

    ids: int
    generations: tuple[int, ...]
    value: int


def digest(memory: PartitionMemory) -> dict[Unit, Digest]:
    """Return the digest of each unit: two memories that answer alike have the same.

    Ids that expired are left out, swept or not; a unit without any that counts is none.
    """
    digests = {unit: _digest(table) for unit, table in memory.tables.items()}
    return {unit: found for unit, found in digests.items() if found.ids}


def _digest(table: IdTable) -> Digest:
    ids = value = 0
    generations: set[int] = set()
    for found, fingerprints, codes in table.entries():
        ages = table.ages(codes)
        counts = ages <= GENERATIONS
        known = fingerprints[counts].astype(np.uint64) << np.uint64(8) | codes[counts]
        hashes = mix(np.stack([mix(found[counts]), known], axis=1))
        ids += len(hashes)
        value = (value + int(hashes.sum(dtype=np.uint64))) % 2**64
        generations.update(table.generation - age for age in np.unique(ages[counts]).tolist())
    return Digest(ids, tuple(sorted(generations)), value)
