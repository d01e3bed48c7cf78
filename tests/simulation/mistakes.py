"""Seeded mistakes: each is one that somebody has made in an exactly-once loop, in a few lines."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from loyaltystream.errors import AbortableTransactionError
from loyaltystream.events import Record
from loyaltystream.memory.loading import load
from loyaltystream.memory.manifest import Origin, read_manifest
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.recovery import restore, resume
from loyaltystream.pipeline import Plan
from loyaltystream.ports import Fate, Group, Outcome, Sink, Source, Stage, Telemetry
from loyaltystream.runner import Runner
from loyaltystream.snapshots.keeper import Keeper
from loyaltystream.snapshots.recovering import Archive, Recovered
from loyaltystream.snapshots.writing import Writing
from loyaltystream.stage import IngestStage
from loyaltystream.testing import (
    Journal,
    MemoryChangelog,
    MemoryProducer,
    MemorySink,
    MemorySource,
    MemoryTelemetry,
)
from loyaltystream.topology import Output
from tests.core import TOPICS


class NoRewind(Runner):
    def _rewind(self) -> None:
        self._rewinding = False


class RewindsOnePartition(Runner):
    def _rewind(self) -> None:
        owned, self._owned = self._owned, set(sorted(self._owned)[:1])
        try:
            super()._rewind()
        finally:
            self._owned = owned


class GoesBackToItsOwnOffset(Runner):
    """Takes an unknown outcome for an abort, and does everything again."""

    def _settle(self) -> None:
        if not self._open or self._unknown is not None or self._broken is not None:
            super()._settle()
            return
        outcome = self._sink.outcome()
        if outcome.fate is Fate.UNKNOWN:
            self._sink.open()
        self._learn(self._open if outcome.fate is Fate.COMMITTED else [], outcome.why)

    def _rewind(self) -> None:
        self._source.seek({number: self._stage.next_offset(number) for number in self._owned})
        self._rewinding = False


class WithoutPlusOne(MemorySink):
    def submit(self, offsets: Mapping[int, int], group: Group) -> None:
        super().submit({number: offset - 1 for number, offset in offsets.items()}, group)


class RemembersBeforeTheCommit(Runner):
    def _send(self, plans: Sequence[Plan], group: Group) -> None:
        super()._send(plans, group)
        for plan in self._open:
            self._stage.remember(plan)


class CountsBeforeTheCommit(Runner):
    def _send(self, plans: Sequence[Plan], group: Group) -> None:
        super()._send(plans, group)
        self._telemetry.committed(self._open)


class CountsWhereNobodyLooks(Runner):
    def __init__(self, source: Source, sink: Sink, stage: Stage, *, telemetry: Telemetry) -> None:
        del telemetry
        super().__init__(source, sink, stage, telemetry=MemoryTelemetry(Journal()))


class LettersBesideTheTransaction(MemorySink):
    def send(self, outputs: Iterable[Output]) -> None:
        inside = []
        for output in outputs:
            if output.topic == TOPICS.dead_letter:
                self._broker.write(output, None)
            else:
                inside.append(output)
        super().send(inside)


class KeepsItsFirstGroup(MemorySource):
    def group(self) -> Group:
        if not hasattr(self, "_kept"):
            self._kept = super().group()
        return self._kept


class NamesOnlyTheGroup(MemorySource):
    def group(self) -> Group:
        group = super().group()
        return Group(group.generation, group.metadata._replace(member=None))


class KeepsItsProducer(Runner):
    def _renew(self, why: str) -> None:
        self._broken = None
        self._telemetry.renewed(why)


class SkipsOnRevoke(Runner):
    def revoked(self, partitions: Sequence[int]) -> None:
        self._open = []
        super().revoked(partitions)


class RestoresShort(Keeper):
    def recover(
        self, partition: int, *, committed: int | None, fresh: Callable[[], int]
    ) -> PartitionMemory:
        deltas = list(self._archive._changelog.deltas(partition))[:-1]
        memory = restore(deltas, self._origin(partition).layout, committed=None, fresh=fresh)
        memory._next_offset = committed or 0
        return memory


class RestoresIdsAlone(Keeper):
    """What each event said is lost."""

    def recover(
        self, partition: int, *, committed: int | None, fresh: Callable[[], int]
    ) -> PartitionMemory:
        memory = super().recover(partition, committed=committed, fresh=fresh)
        for table in memory.tables.values():
            table.columns(0)[1][:] = 0
        return memory


class ReadsPastOpenTransactions(MemoryChangelog):
    def deltas(self, partition: int, start: int = 0) -> Iterator[bytes]:
        self._fates.at("restore")
        for record in self._broker.records(self._topic, partition, start):
            yield record.value or b""


class StartsEmpty(IngestStage):
    def _restore(self, partition: int, committed: int | None) -> PartitionMemory:
        del partition
        return PartitionMemory(self._layout, committed or 0)


class BeginsBeforeTheOutcome(Runner):
    def turn(self) -> None:
        if self._rewinding:
            self._settle()
            self._rewind()
        batch = self._source.poll()
        if self._rewinding:
            return
        group = self._source.group()
        plans = [
            self._stage.plan(partition, records, group.generation)
            for partition, records in batch.items()
        ]
        if plans:
            self._send(plans, group)
        else:
            self._settle()


class KeepsTheOverlay(IngestStage):
    """What an aborted transaction accepted is still known, though its offsets are not."""

    def forget(self, plan: Plan) -> None:
        memory = self._memories.get(plan.partition)
        if memory is not None:
            start = memory._next_offset
            memory.remember()
            memory._next_offset = start


class SwallowsDeliveryErrors(MemorySink):
    def _write(self, producer: MemoryProducer, output: Output, index: int) -> None:
        try:
            super()._write(producer, output, index)
        except AbortableTransactionError:
            self._journal.note("not delivered")


class UnknownIsCommitted(MemorySink):
    def outcome(self) -> Outcome:
        outcome = super().outcome()
        return Outcome(Fate.COMMITTED) if outcome.fate is Fate.UNKNOWN else outcome


class UnknownIsAborted(MemorySink):
    def outcome(self) -> Outcome:
        outcome = super().outcome()
        return Outcome(Fate.ABORTED) if outcome.fate is Fate.UNKNOWN else outcome


class AbortedIsCommitted(MemorySink):
    def outcome(self) -> Outcome:
        outcome = super().outcome()
        return Outcome(Fate.COMMITTED) if outcome.fate is Fate.ABORTED else outcome


class AsksForUnstableOffsets(MemorySource):
    def committed(self, partitions: Sequence[int]) -> dict[int, int]:
        self._fates.at("committed")
        offsets = self._group.offsets
        return {number: offsets[number] for number in partitions if number in offsets}


class TellsWhatItLost(MemorySource):
    def poll(self) -> dict[int, list[Record]]:
        fetched = self._fetch()
        return super().poll() | fetched


class TendsWhileOpen(Runner):
    def _send(self, plans: Sequence[Plan], group: Group) -> None:
        super()._send(plans, group)
        self._stage.tend()


class CopiesWhileOpen(Keeper):
    """Takes what was sent for committed: the offsets count it, the tables do not have it."""

    def _copy(self, writing: Writing, most: int) -> None:
        memory = writing.memory
        kept = memory._pending, memory._next_offset, memory._clock_ms
        memory._next_offset, memory._clock_ms = memory.next_offset, memory.clock_ms
        memory._pending = None
        try:
            super()._copy(writing, most)
        finally:
            memory._pending, memory._next_offset, memory._clock_ms = kept


class TakesCopiesForOne(Keeper):
    """Takes a snapshot for one of its end, though most of it is older."""

    def recover(
        self, partition: int, *, committed: int | None, fresh: Callable[[], int]
    ) -> PartitionMemory:
        self._archive = ReadsFromTheEnd(
            self._shelf, self._archive._changelog, self._archive._refusals
        )
        return super().recover(partition, committed=committed, fresh=fresh)


class ReadsFromTheEnd(Archive):
    def _revive(self, origin: Origin, name: str, committed: int) -> Recovered:
        with self._shelf.open(origin.partition, name) as file:
            manifest = read_manifest(file)
            loaded = load(manifest, file)
        end = manifest.extent.end_offset
        extent = msgspec.structs.replace(manifest.extent, start_offset=end)
        deltas = self._changelog.deltas(origin.partition, manifest.changelog_offset)
        return Recovered(resume(loaded, extent, deltas, committed=committed), manifest)
