"""What is checked while a schedule goes on: what workers believe, and what an observer can see."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from loyaltystream.events import Record
from loyaltystream.pipeline import Plan
from loyaltystream.testing import MemoryBroker, MemoryGroup
from loyaltystream.verdicts import Tally
from tests.core import TOPICS
from tests.simulation.oracle import Fold, Source, source_of
from tests.simulation.play import Effect
from tests.simulation.worker import Worker

OUTPUTS: Final = (TOPICS.emf, TOPICS.ei, TOPICS.duplicates, TOPICS.dead_letter)
ALL_TOPICS: Final = (TOPICS.ingest, *OUTPUTS, TOPICS.changelog)


Sight = dict[tuple[str, int], list[Record]]
"""All that can be read at a moment, by topic and partition."""


Caused = tuple[tuple[str, int], Record, Source]
"""The place of a committed record that is the effect of another, it, and what it came of."""


class Count(NamedTuple):
    """A batch that was counted as committed, and whether whoever did it was in the group then."""

    number: int
    start: int
    end: int
    tally: Tally
    by_member: bool


class Observer:
    """Sees everything, and holds it against the truth.

    Attributes:
        violations: what was seen to be wrong, in order.
        counted: what workers counted as committed.
        sights: what was to be read at moments in between.
    """

    def __init__(self, broker: MemoryBroker, group: MemoryGroup, truth: Sequence[Fold]) -> None:
        self.broker = broker
        self.group = group
        self.truth = truth
        self.violations: list[str] = []
        self.counted: list[Count] = []
        self.sights: list[Sight] = []

    def opened(self, worker: Worker, partition: int, start: int) -> None:
        """Hold a restored memory against the truth, unless the group went on without its worker."""
        if not self.group.has(worker.source.group().metadata):
            return
        if start != self.group.offsets.get(partition, 0):
            self.violations.append("a restore ends at the committed offset")
        fold = self.truth[partition].extend(start)
        ids = sum(worker.stage._memories[partition].remembered().values())
        if fold.ids.get(start) != ids:
            self.violations.append("a restore brings back every id")

    def remembered(self, plan: Plan) -> None:
        """Hold what a worker takes for committed against the group's offsets."""
        if plan.next_offset > self.group.offsets.get(plan.partition, 0):
            self.violations.append("only what committed is remembered")

    def told_committed(self, worker: Worker, plans: Sequence[Plan]) -> None:
        """Note what a worker counts, which has to be committed by then.

        One that the group went on without can't tell its own commit, whose outcome nobody told it,
        from the one of whoever did the same work again: both end at the same offset.
        """
        is_member = self.group.has(worker.source.group().metadata)
        for plan in plans:
            start = plan.delta.from_offset if plan.delta else 0
            self.counted.append(
                Count(plan.partition, start, plan.next_offset, plan.tally, is_member)
            )
            if plan.next_offset > self.group.offsets.get(plan.partition, 0):
                self.violations.append("only what committed is counted")

    @property
    def doubled(self) -> int:
        """How many batches were counted twice, once by a worker that the group went on without."""
        return len(self.counted) - len({(count.number, count.end) for count in self.counted})

    def look(self) -> None:
        """Read what is to be read now; the records and the offsets have to tell the same story."""
        sight = self.read()
        self.sights.append(sight)
        if not self.broker.transactions and effects(caused(sight)) != self.due():
            self.violations.append("records and offsets appear together")

    def read(self) -> Sight:
        """Return all that a read_committed observer can see."""
        return {
            (topic, number): self.broker.records(topic, number)
            for topic in ALL_TOPICS
            for number in range(len(self.truth))
        }

    def due(self) -> dict[Effect, int]:
        """Return the outputs that are due by the committed offsets, and how many of each."""
        due: list[Effect] = []
        for number, end in self.group.offsets.items():
            due += self.truth[number].extend(end).effects(end)
        return dict(Counter(due))  # compared a good deal faster


def caused(sight: Sight) -> list[Caused]:
    """Return the records that are effects: not a producer's own, and not the changelog's."""
    return [
        (place, record, source)
        for place, records in sight.items()
        for record in records
        if (source := source_of(record)) is not None
    ]


def effects(made: Sequence[Caused]) -> dict[Effect, int]:
    """Return what has come of the input, and how many times each of it."""
    return dict(Counter([(place[0], record.value, of.origin) for place, record, of in made]))
