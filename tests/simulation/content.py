"""What a memory holds in a few numbers, so that it can be compared with what it should hold.

A count, and the sum modulo 2^64 of a number for each id, made of all that is known of it: whatever
order it was learnt in, two memories that hold the same have the same sum.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.times import DAY_MS
from tests.simulation.play import Content
from tests.simulation.story import id_of

GENERATION_MS = 3 * DAY_MS
"""Of ids that are remembered for 30 days."""

WORD = 2**64
_CODES, _ONE = np.array(256, np.uint64), np.array(1, np.uint64)


def content_of(memory: PartitionMemory) -> Content:
    """Return what is in a memory's tables, which are small."""
    content: Content = {}
    for unit, table in memory.tables.items():
        ids, fingerprints, codes = table.columns(0)
        words = ids[:, 0] ^ ids[:, 1]
        used = words.nonzero()[0]  # an empty slot has the id of zeros, and adds nothing
        known = fingerprints.take(used).astype(np.uint64) * _CODES + codes.take(used) + _ONE
        content[unit] = len(table), int(words.take(used).dot(known))
    return content


def summed(known: Mapping[bytes, tuple[bytes, int]]) -> tuple[int, int]:
    """Return the same of quick ids: what each says, and when that was accepted."""
    value = 0
    for name, (said, accepted_ms) in known.items():
        code = accepted_ms // GENERATION_MS % 256
        value += _word(name) * (ord(said) * 256 + code + 1)
    return len(known), value % WORD


@cache
def _word(name: bytes) -> int:
    id_ = id_of(name)
    return int.from_bytes(id_[:8], "little") ^ int.from_bytes(id_[8:], "little")
