"""One process: the real runner and stage on ports in memory, watched at what it claims to know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from loyaltystream.events import Record
from loyaltystream.memory.units import Unit
from loyaltystream.pipeline import Memory, Plan
from loyaltystream.runner import Runner
from loyaltystream.stage import IngestStage
from loyaltystream.testing import (
    Fates,
    Journal,
    MemoryBroker,
    MemoryChangelog,
    MemorySink,
    MemorySource,
    MemoryTelemetry,
)
from tests.core import DEFINITIONS, TOPICS
from tests.simulation.play import Play


@dataclass(frozen=True)
class Parts:
    """What a worker is made of; a mutant replaces one of them."""

    runner: Callable[..., Runner] = Runner
    source: Callable[..., MemorySource] = MemorySource
    sink: Callable[..., MemorySink] = MemorySink
    stage: Callable[..., IngestStage] = IngestStage
    changelog: Callable[..., MemoryChangelog] = MemoryChangelog


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
        batch_records: how many records it polls at most.
    """

    def __init__(self, slot: str, identity: str, batch_records: int) -> None:
        self.slot = slot
        self.identity = identity
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
        self.stage = parts.stage(
            play.judge,
            definitions=DEFINITIONS,
            layout=play.layout,
            changelog=parts.changelog(broker, TOPICS.changelog, fates),
            fresh=lambda _partition: 0,
        )
        self.runner = parts.runner(
            self.source,
            parts.sink(broker, self.identity, fates=fates, journal=journal),
            WatchedStage(self, watch, blind=play.blind),
            telemetry=WatchedTelemetry(self, journal, watch),
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
            definitions=stage._definitions,
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
