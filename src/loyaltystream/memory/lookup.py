"""Whether a changelog record holds an id, or anything of a customer: the index of `why`. Pure."""

from collections.abc import Sequence

import numpy as np

from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.identity import to_array
from loyaltystream.memory.units import KeyKind


class Wanted:
    """Ids of one kind that are looked for.

    Args:
        kind: what they were made of.
        ids: 16 bytes each.
    """

    def __init__(self, kind: KeyKind, ids: Sequence[bytes]) -> None:
        self._kind = kind
        self._ids = ids
        self._words = to_array(ids)[:, 0] if ids else np.empty(0, np.uint64)

    def within(self, delta: Delta) -> list[bytes]:
        """Return those that the delta accepted."""
        found = []
        for unit, _, entries in delta.sections:
            if unit.kind is self._kind:
                ids = entries["id"]
                near = ids[np.isin(ids[:, 0], self._words)].tobytes()
                rows = {near[start : start + 16] for start in range(0, len(near), 16)}
                found += [one for one in self._ids if one in rows]
        return found


def holds_customer(delta: Delta, key_hash: int) -> bool:
    """Say whether the delta accepted an event under a partition key of that murmur2."""
    return any(bool((entries["key_hash"] == key_hash).any()) for _, _, entries in delta.sections)
