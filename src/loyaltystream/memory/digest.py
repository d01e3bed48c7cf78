"""What a memory knows, in one number a unit, whatever order it learnt it in. Pure."""

from typing import NamedTuple

import numpy as np

from loyaltystream.memory.hashing import mix
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.units import GENERATIONS, Unit


class Digest(NamedTuple):
    """How many ids still count, and the sum of a hash of each with all that is known of it."""

    ids: int
    value: int


def digest(memory: PartitionMemory) -> dict[Unit, Digest]:
    """Return the digest of each unit: two memories that answer alike have the same.

    Ids that expired are left out, swept or not; a unit without any that counts is none.
    """
    digests: dict[Unit, Digest] = {}
    for unit, table in memory.tables.items():
        ids = value = 0
        for found, fingerprints, codes in table.entries():
            counts = table.ages(codes) <= GENERATIONS
            known = fingerprints[counts].astype(np.uint64) << np.uint64(8) | codes[counts]
            hashes = mix(np.stack([mix(found[counts]), known], axis=1))
            ids += len(hashes)
            value = (value + int(hashes.sum(dtype=np.uint64))) % 2**64
        if ids:
            digests[unit] = Digest(ids, value)
    return digests
