"""What a partition's memory would answer, for the few ids that are asked for. Pure.

A restored memory takes as long as the changelog is; this one is asked once for nothing, notes the
ids, learns them alone from the changelog, and is then asked in earnest.
"""

from collections.abc import Sequence

import numpy as np

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.identity import ID_BYTES, to_array
from loyaltystream.memory.partition import UNSEEN, explain_layout
from loyaltystream.memory.relaid import Entry, Moved, Switched
from loyaltystream.memory.units import Section, Unit

_Seen = dict[Unit, dict[bytes, tuple[int, int]]]
"""By unit and id a fingerprint and a generation."""


class Recollection:
    """Answers as the memory of a partition, as far as it was asked before it learnt.

    Args:
        layout: what ids mean now.
    """

    def __init__(self, layout: Layout) -> None:
        self.next_offset = 0
        self.clock_ms = 0
        self.covers_from_ms = 0
        self._layout = layout
        self._asked: dict[Unit, set[bytes]] = {}
        self._known: _Seen = {}
        self._moved: _Seen = {}

    def find(self, unit: Unit, ids: Sequence[bytes], clocks_ms: Sequence[int]) -> list[int]:
        """Return each id's fingerprint, or `UNSEEN`, at the clock of its event."""
        self._asked.setdefault(unit, set()).update(ids)
        known = self._known.get(unit, {})
        answers = []
        for id_, clock_ms in zip(ids, clocks_ms, strict=True):
            seen = known.get(id_)
            counts = seen is not None and unit.knows(seen[1], clock_ms)
            answers.append(seen[0] if seen is not None and counts else UNSEEN)
        return answers

    def learn(self, entry: Entry) -> None:
        """Learn of a record what was asked for; records come in the order of the log.

        As `Rebuilding` does: what was learnt under another layout counts once it is moved here.

        Raises:
            StateError: if no relayout can lead from that layout to this one.
        """
        if not entry.layout.makes_same_ids(self._layout):
            raise StateError(explain_layout(entry.layout, self._layout))
        if entry.layout != self._layout:
            return
        match entry:
            case Moved():
                self._enter(self._moved, entry.sections, entry.clock_ms)
            case Switched():
                self._known = self._moved
                self._stand(entry.offset, entry)
            case Delta():
                self._enter(self._known, entry.sections, entry.clock_ms)
                self._stand(entry.to_offset, entry)

    def _stand(self, offset: int, at: Delta | Switched) -> None:
        self.next_offset, self.clock_ms = offset, at.clock_ms
        self.covers_from_ms = at.covers_from_ms

    def _enter(self, seen: _Seen, sections: Sequence[Section], clock_ms: int) -> None:
        for unit, code, entries in sections:
            asked = self._asked.get(unit)
            if not asked:
                continue
            words = to_array(list(asked))[:, 0]
            near = entries[np.isin(entries["id"][:, 0], words)]
            ids = near["id"].tobytes()
            generation = unit.generation_of(code, clock_ms)
            known = seen.setdefault(unit, {})
            for row, fingerprint in enumerate(near["fingerprint"].tolist()):
                id_ = ids[row * ID_BYTES : (row + 1) * ID_BYTES]
                if id_ in asked:
                    known[id_] = fingerprint, generation
