"""One process: the real runner and stage on ports in memory, watched at what it claims to know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, Protocol

from loyaltystream.definitions.source import Fixed
from loyaltystream.events import Record
from loyaltystream.memory.manifest import Origin
from loyaltystream.memory.units import Unit
from loyaltystream.pipeline import Ingest, Memory, Plan
from loyaltystream.ports import Telemetry
from loyaltystream.runner import Runner
from loyaltystream.snapshots.cap import Cap
from loyaltystream.snapshots.keeper import Clocks, Keeper, Policy
from loyaltystream.snapshots.scratch import Scratch
from loyaltystream.stage import IngestStage
from loyaltystream.testing import (
    Fates,
    ImmediateHand,
    Journal,
    MemoryBroker,
    MemoryChangelog,
    MemoryDisk,
    MemoryShelf,
    MemorySink,
    MemorySource,
    MemoryTelemetry,
)
from tests.core import DEFINITIONS, TOPICS, ingest, layout
from tests.simulation.play import Play

POLICY = Policy(ids=3, seconds=6, shards_a_turn=1, last_shards=1)
"""Snapshots all the time, of which most take several turns."""

UNUSED: Final = Scratch(Path())
"""Where tables would go that are too large for the memory."""


@dataclass(frozen=True)
class Parts:
    """What a worker is made of; a mutant replaces one of them."""

    runner: Callable[..., Runner] = Runner
    source: Callable[..., MemorySource] = MemorySource
    sink: Callable[..., MemorySink] = MemorySink
    stage: Callable[..., IngestStage] = IngestStage
    changelog: Callable[..., MemoryChangelog] = MemoryChangelog
    keeper: Callable[..., Keeper] = Keeper


class Watch(Protocol):
    """Is told what a worker believes, at the moment when it does."""

    def opened(self, worker: "Worker", partition: int, start: int) -> None:
        """A partition's memory was restored up to an offset."""

    def remembered(self, plan: Plan) -> None:
        """A plan was taken to have committed."""

    def told_committed(self, worker: "Worker", plans: Sequence[Plan]) -> None:
        """Plans were counted as committed."""


class Worker:
    """A process in a slot, under a member's name and a transactional id.

    Args:
        slot: whoever is started in it later takes its place.
        identity: the member's name and the transactional id.
        disk: what it finds of those that were before it, and leaves to others.
        batch_records: how many records it polls at most.
    """

    def __init__(self, slot: str, identity: str, disk: MemoryDisk, *, batch_records: int) -> None:
        self.slot = slot
        self.identity = identity
        self._disk = disk
        self._batch_records = batch_records
        self.source: MemorySource
        self.stage: IngestStage
        self.runner: Runner

    def start(
        self,
        broker: MemoryBroker,
        play: Play,
        parts: Parts,
        *,
        fates: Fates,
        watch: Watch,
        journal: Journal,
        group: str,
    ) -> None:
        """Put the process together; it joins with its first turn."""
        self.source = parts.source(
            broker,
            topic=TOPICS.ingest,
            group=group,
            member=self.identity,
            batch_records=self._batch_records,
            fates=fates,
            journal=journal,
        )
        changelog = parts.changelog(broker, TOPICS.changelog, fates)
        self.stage = parts.stage(
            play.judge,
            definitions=Fixed(DEFINITIONS),
            layout=play.layout,
            keeper=keeper_on(
                broker,
                MemoryShelf(self._disk, fates),
                changelog,
                origin=lambda number: Origin(group, number, play.layout, "ingest", "changelog"),
                journal=journal,
                make=parts.keeper,
            ),
            fresh=lambda _partition: 0,
        )
        self.runner = parts.runner(
            self.source,
            parts.sink(broker, self.identity, fates=fates, journal=journal),
            WatchedStage(self, watch, blind=play.blind),
            telemetry=WatchedTelemetry(self, journal, watch),
        )


def keeper_on(
    broker: MemoryBroker,
    shelf: MemoryShelf,
    changelog: MemoryChangelog,
    *,
    origin: Callable[[int], Origin],
    journal: Journal,
    make: Callable[..., Keeper] = Keeper,
) -> Keeper:
    """Return what keeps snapshots on a shelf in memory, all the time."""
    watched = WatchedSnapshots(journal)
    return make(
        shelf,
        ImmediateHand(),
        changelog=changelog,
        bounds=changelog,
        origin=origin,
        policy=POLICY,
        cap=Cap(0, UNUSED, watched, lambda: 0),
        watch=watched,
        clocks=Clocks(partial(next, count()), lambda: broker.now_ms),
    )


class BlindMemory:
    """A memory that has never seen anything: what is done twice shows."""

    def __init__(self, memory: Memory) -> None:
        self.next_offset = memory.next_offset
        self.clock_ms = memory.clock_ms
        self.covers_from_ms = memory.covers_from_ms

    def find(self, unit: Unit, ids: Sequence[bytes], clocks_ms: Sequence[int]) -> list[int]:
        del unit, clocks_ms
        return [-1] * len(ids)


class WatchedStage:
    """A worker's stage; tells what it learns.

    Args:
        worker: whose stage it is.
        watch: is told.
        blind: whether verdicts ask no memory; dedup would hide that an offset is wrong.
    """

    def __init__(self, worker: Worker, watch: Watch, *, blind: bool) -> None:
        self._worker = worker
        self._stage = worker.stage
        self._watch = watch
        self._plan = self._plan_blindly if blind else worker.stage.plan
        self.close: Callable[[int], None] = worker.stage.close
        self.next_offset: Callable[[int], int] = worker.stage.next_offset
        self.begin: Callable[[int], Plan | None] = worker.stage.begin
        self.expect: Callable[[Plan], None] = worker.stage.expect
        self.forget: Callable[[Plan], None] = worker.stage.forget
        self.tend: Callable[[], None] = worker.stage.tend

    def open(self, partition: int, committed: int | None) -> int:
        start = self._stage.open(partition, committed)
        self._watch.opened(self._worker, partition, start)
        return start

    def plan(self, partition: int, records: Sequence[Record], generation: int) -> Plan:
        return self._plan(partition, records, generation)

    def remember(self, plan: Plan) -> None:
        self._watch.remembered(plan)
        self._stage.remember(plan)

    def _plan_blindly(self, partition: int, records: Sequence[Record], generation: int) -> Plan:
        stage = self._stage
        return stage._ingest.judge(
            records,
            memory=BlindMemory(stage._memories[partition]),
            definitions=stage._definitions.view(),
            generation=generation,
        )


class WatchedTelemetry(MemoryTelemetry):
    """Tells what is counted."""

    def __init__(self, worker: Worker, journal: Journal, watch: Watch) -> None:
        super().__init__(journal)
        self._worker = worker
        self._watch = watch

    def committed(self, plans: Sequence[Plan]) -> None:
        self._journal.note("told committed", len(plans))
        self._watch.told_committed(self._worker, plans)


class WatchedSnapshots:
    """Writes down what becomes of snapshots."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def restored(self, partition: int, created_ms: int | None, seconds: float) -> None:
        del seconds  # the clock counts only how often it was asked
        self._journal.note("restored", partition, "from", created_ms or "the changelog")

    def opened(self, partition: int, created_ms: int | None) -> None:
        """What was restored was told."""

    def refused(self, partition: int, name: str, why: str) -> None:
        self._journal.note("refused", partition, name, why)

    def written(self, partition: int, size_bytes: int) -> None:
        self._journal.note("snapshot", partition, size_bytes)

    def failed(self, partition: int, why: str) -> None:
        self._journal.note("no snapshot", partition, why)

    def released(self, partition: int) -> None:
        """The stage tells it."""

    def mapped(self, size_bytes: int) -> None:
        """Nothing is."""

    def not_mapped(self, partition: int, why: str) -> None:
        """Nothing has to be."""


def runner_on(
    broker: MemoryBroker,
    group: str,
    name: str,
    *,
    fates: Fates,
    journal: Journal,
    judge: Ingest | None = None,
    around: Callable[[Telemetry], Telemetry] = lambda telemetry: telemetry,
) -> Runner:
    """Return a worker of stage ingest with the real judge, on a disk of its own."""
    stage = IngestStage(
        judge or ingest(),
        definitions=Fixed(DEFINITIONS),
        layout=layout(),
        keeper=keeper_on(
            broker,
            MemoryShelf(MemoryDisk(), fates),
            MemoryChangelog(broker, TOPICS.changelog, fates),
            origin=lambda number: Origin(group, number, layout(), "ingest", "changelog"),
            journal=journal,
        ),
        fresh=lambda _partition: 0,
    )
    return Runner(
        MemorySource(broker, topic=TOPICS.ingest, group=group, member=name, fates=fates),
        MemorySink(broker, name, fates=fates),
        stage,
        telemetry=around(MemoryTelemetry(journal)),
    )
