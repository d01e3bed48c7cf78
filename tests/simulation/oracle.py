"""What should have come of the input so far, folded record by record as far as it is settled."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from loyaltystream.events import SOURCE_HEADER, Record
from loyaltystream.testing import MemoryBroker
from loyaltystream.verdicts import Verdict
from tests.core import TOPICS
from tests.simulation.play import Content, Effect, Judged, Origin, Play


class Source(NamedTuple):
    """Which output of which record something is, and in which generation it was made."""

    origin: Origin
    generation: int


def source_of(record: Record) -> Source | None:
    """Return what a record's header says, or None if it has none: a producer's own."""
    for name, value in record.headers:
        if name == SOURCE_HEADER:
            return _read(value)
    return None


@lru_cache(1 << 16)
def _read(header: bytes) -> Source:
    _, partition, offset, output, generation = header.split(b"/")
    return Source((int(partition), int(offset), int(output)), int(generation))


class Fold:
    """One partition's truth, up to some offset.

    Attributes:
        ids: how many ids are remembered, by the offset after each record; at none of them nothing.
        end: the offset after the last record.
    """

    def __init__(self, play: Play, broker: MemoryBroker, partition: int) -> None:
        self.ids: dict[int, int] = {0: 0}
        self.end = 0
        self._partition = partition
        self._broker = broker
        self._model = play.model(partition)
        # Of each record: its offset, what has to become of it, and how many effects lie before it.
        self._offsets: list[int] = []
        self._verdicts: list[Verdict] = []
        self._starts: list[int] = [0]
        self._effects: list[Effect] = []

    def extend(self, until: int) -> "Fold":
        """Take the records before an offset; all of them have to be settled."""
        if until > self.end:
            for record in self._broker.records(TOPICS.ingest, self._partition, self.end):
                if record.offset >= until:
                    break
                self._take(record.offset, self._model.judge(record))
        return self

    def _take(self, offset: int, judged: Judged) -> None:
        verdict, caused = judged
        self._offsets.append(offset)
        self._verdicts.append(verdict)
        for index, (topic, value) in enumerate(caused):
            self._effects.append((topic, value, (self._partition, offset, index)))
        self._starts.append(len(self._effects))
        self.end = offset + 1
        self.ids[self.end] = self._model.ids

    def content(self) -> Content:
        """Return what is to be remembered of all records that were taken."""
        return self._model.content()

    def verdicts(self, start: int, end: int) -> dict[Verdict, int]:
        """Return how many records between two offsets have which verdict."""
        offsets = self._offsets
        judged = self._verdicts[bisect_left(offsets, start) : bisect_left(offsets, end)]
        return dict(Counter(judged))  # compared a good deal faster

    def effects(self, end: int) -> Sequence[Effect]:
        """Return all outputs of the records before an offset."""
        return self._effects[: self._starts[bisect_left(self._offsets, end)]]
