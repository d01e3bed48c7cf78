"""What a partition's memory would answer, for the few ids that are asked for. Pure.

A restored memory takes as long as the changelog is; this one is asked once for nothing, notes the
ids, learns them alone from the changelog, and is then asked in earnest.
"""

from collections.abc import Sequence

import numpy as np

from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.identity import ID_BYTES, to_array
from loyaltystream.memory.partition import UNSEEN
from loyaltystream.memory.units import Unit


class Recollection:
    """Answers as the memory of a partition, as far as it was asked before it learnt."""

    def __init__(self) -> None:
        self.next_offset = 0
        self.clock_ms = 0
        self.covers_from_ms = 0
        self._known: dict[Unit, dict[bytes, tuple[int, int] | None]] = {}

    def find(self, unit: Unit, ids: Sequence[bytes], clocks_ms: Sequence[int]) -> list[int]:
        """Return each id's fingerprint, or `UNSEEN`, at the clock of its event."""
        known = self._known.setdefault(unit, {})
        answers = []
        for id_, clock_ms in zip(ids, clocks_ms, strict=True):
            seen = known.setdefault(id_, None)
            counts = seen is not None and unit.knows(seen[1], clock_ms)
            answers.append(seen[0] if seen is not None and counts else UNSEEN)
        return answers

    def learn(self, delta: Delta) -> None:
        """Learn of a delta what was asked for; deltas come in the order of the log."""
        self.next_offset, self.clock_ms = delta.to_offset, delta.clock_ms
        self.covers_from_ms = delta.covers_from_ms
        for unit, code, entries in delta.sections:
            known = self._known.get(unit)
            if not known:
                continue
            words = to_array(list(known))[:, 0]
            near = entries[np.isin(entries["id"][:, 0], words)]
            ids = near["id"].tobytes()
            generation = unit.generation_of(code, delta.clock_ms)
            for row, fingerprint in enumerate(near["fingerprint"].tolist()):
                id_ = ids[row * ID_BYTES : (row + 1) * ID_BYTES]
                if id_ in known:
                    known[id_] = fingerprint, generation
