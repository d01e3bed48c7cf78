"""What should have come of the input so far, folded record by record as far as it is settled."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from loyaltystream.events import SOURCE_HEADER, Record
from loyaltystream.testing import MemoryBroker
from loyaltystream.verdicts import Verdict
from tests.core import TOPICS
from tests.simulation.play import Effect, Judged, Play


class Source(NamedTuple):
    """Which output of which record something is, and in which generation it was made."""

    partition: int
    offset: int
    output: int
    generation: int


def source_of(record: Record) -> Source | None:
    """Return what a record's header says, or None if it has none: a producer's own."""
    for name, value in record.headers:
        if name == SOURCE_HEADER:
            _, partition, offset, output, generation = value.split(b"/")
            return Source(int(partition), int(offset), int(output), int(generation))
    return None


class Fold:
    """One partition's truth, up to some offset.

    Attributes:
        judged: what has to become of each record, by offset.
        ids: how many ids are remembered, by the offset after each record; at none of them nothing.
        end: the offset after the last record.
    """

    def __init__(self, play: Play, broker: MemoryBroker, partition: int) -> None:
        self.judged: dict[int, Judged] = {}
        self.ids: dict[int, int] = {0: 0}
        self.end = 0
        self._partition = partition
        self._broker = broker
        self._model = play.model(partition)

    def extend(self, until: int) -> "Fold":
        """Take the records before an offset; all of them have to be settled."""
        if until > self.end:
            for record in self._broker.records(TOPICS.ingest, self._partition, self.end):
                if record.offset >= until:
                    break
                self.judged[record.offset] = self._model.judge(record)
                self.end = record.offset + 1
                self.ids[self.end] = self._model.ids
        return self

    def verdicts(self, start: int, end: int) -> Counter[Verdict]:
        """Return how many records between two offsets have which verdict."""
        return Counter(
            judged.verdict for offset, judged in self.judged.items() if start <= offset < end
        )

    def effects(self, end: int) -> Iterator[Effect]:
        """Yield all outputs of the records before an offset."""
        for offset, judged in self.judged.items():
            if offset < end:
                for index, (topic, value) in enumerate(judged.effects):
                    yield Effect(topic, value, (self._partition, offset, index))
