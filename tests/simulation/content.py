"""What a memory holds in a few numbers, so that it can be compared with what it should hold.

A count, and the sum modulo 2^64 of a number for each id, made of all that is known of it: whatever
order it was learnt in, two memories that hold the same have the same sum.
"""

from collections.abc import Mapping

import numpy as np

from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.times import DAY_MS
from tests.simulation.play import Content
from tests.simulation.story import id_of

GENERATION_MS = 3 * DAY_MS
"""Of ids that are remembered for 30 days."""

WORD = 2**64


def content_of(memory: PartitionMemory) -> Content:
    """Return what is in a memory's tables, which are small."""
    content: Content = {}
    for unit, table in memory.tables.items():
        ids, fingerprints, codes = table.columns(0)
        known = fingerprints.astype(np.uint64) * np.uint64(256) + codes + np.uint64(1)
        # An empty slot has the id of zeros, and adds nothing.
        value = int(((ids[:, 0] ^ ids[:, 1]) * known).sum())
        content[unit] = len(table), value
    return content


def summed(known: Mapping[bytes, tuple[bytes, int]]) -> tuple[int, int]:
    """Return the same of quick ids: what each says, and when that was accepted."""
    value = 0
    for name, (said, accepted_ms) in known.items():
        id_ = id_of(name)
        words = int.from_bytes(id_[:8], "little") ^ int.from_bytes(id_[8:], "little")
        code = accepted_ms // GENERATION_MS % 256
        value += words * (ord(said) * 256 + code + 1)
    return len(known), value % WORD
