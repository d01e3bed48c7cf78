"""START HERE: what happens to an event, from the record on the ingest topic to its outputs.

Pure. `Ingest.judge` is the whole of it for one partition's part of a batch; the runner sends the
plan in a transaction and tells the memory only when the commit is known.
"""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import Final, Protocol

import msgspec

from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record, revision_header
from loyaltystream.memory.changelog import Delta, Layout, encode
from loyaltystream.memory.identity import Identity
from loyaltystream.memory.units import KeyKind, Overlay, Unit, to_sections
from loyaltystream.rules import Rules
from loyaltystream.steps import dedup as dedup_step
from loyaltystream.steps.dedup import dedup
from loyaltystream.steps.read import read
from loyaltystream.steps.rekey import rekey
from loyaltystream.steps.route import Letters, Router
from loyaltystream.steps.stages import Deduped, ReadBatch, Rejected, Rekeyed
from loyaltystream.topology import Output, SourceHeaders, Topics
from loyaltystream.tracing.judged import Judged, TraceJudged, untraced
from loyaltystream.tracing.traced import Traced
from loyaltystream.verdicts import Reason, Tally, Verdict

_OFFSET: Final = attrgetter("record.offset")


class Memory(dedup_step.Memory, Protocol):
    """What a partition's memory tells the pipeline."""

    @property
    def next_offset(self) -> int:
        """The first offset that is not judged yet."""

    @property
    def clock_ms(self) -> int:
        """The partition's clock before that offset."""


class Plan(msgspec.Struct, frozen=True):
    """What becomes of a batch of one partition, if its transaction commits.

    Attributes:
        outputs: the records to write, the changelog's included.
        delta: what the memory learns.
        overlay: the same, for lookups until the commit is known.
        tally: verdicts and reasons.
        traced: what becomes of the records whose traces go on here.
    """

    partition: int
    next_offset: int
    outputs: list[Output]
    tally: Tally
    delta: Delta | None = None
    overlay: Overlay = {}
    traced: Sequence[Traced] = ()


def beginning(partition: int, memory: Memory, *, layout: Layout, topic: str) -> Plan:
    """Return the plan that only writes down, on the changelog's topic, where a memory begins."""
    delta = Delta(
        layout=layout,
        from_offset=memory.next_offset,
        to_offset=memory.next_offset,
        clock_ms=memory.clock_ms,
        covers_from_ms=memory.covers_from_ms,
        sections=[],
    )
    record = Output(topic, None, encode(delta), partition, [])
    return Plan(partition, delta.to_offset, [record], Tally(), delta)


class Ingest:
    """Judges behavioral events.

    Args:
        topics: where events are read from, and where each verdict goes.
        layout: what the memory's ids depend on, the partition count among it.
        identity: makes the memory's ids.
        letters: encodes dead letters.
        rules: what a valid event is.
        trace: traces records.
    """

    def __init__(  # noqa: PLR0913 (what judging depends on, put together in one place)
        self,
        topics: Topics,
        *,
        layout: Layout,
        identity: Identity,
        letters: Letters,
        rules: Rules,
        trace: TraceJudged = untraced,
    ) -> None:
        self._topics = topics
        self._layout = layout
        self._identity = identity
        self._letters = letters
        self._rules = rules
        self._trace = trace

    @property
    def unit(self) -> Unit:
        """What the ids of all events are remembered as."""
        return Unit(KeyKind.EVENT_ID, self._rules.window_days)

    def begin(self, partition: int, memory: Memory) -> Plan:
        """Return the plan that only writes down where a partition's memory begins."""
        return beginning(partition, memory, layout=self._layout, topic=self._topics.changelog)

    def judge(
        self,
        records: Sequence[Record],
        *,
        memory: Memory,
        definitions: Definitions,
        generation: int,
    ) -> Plan:
        """Return the plan for records of one partition, in offset order, at least one.

        Args:
            records: what was read, from the memory's next offset on.
            memory: the partition's; asked, never changed.
            definitions: the view that all of them are judged by.
            generation: of the consumer group that they were read in.
        """
        partition = records[0].partition
        rules = self._rules
        batch = read(
            records,
            topic=self._topics.ingest,
            clock_ms=memory.clock_ms,
            definitions=definitions,
            rules=rules,
        )
        rekeyed = rekey(
            batch.valid,
            partition=partition,
            partitions=self._layout.partitions,
            rules=rules,
        )
        deduped = dedup(rekeyed, memory=memory, identity=self._identity, rules=rules)
        dead = sorted((*batch.rejected, *rekeyed.rejected, *deduped.rejected), key=_OFFSET)
        delta = Delta(
            layout=self._layout,
            from_offset=memory.next_offset,
            to_offset=records[-1].offset + 1,
            clock_ms=batch.clock_ms,
            covers_from_ms=memory.covers_from_ms,
            sections=to_sections(deduped.overlay, batch.clock_ms),
        )
        sources = SourceHeaders(self._topics.ingest, partition, generation)
        router = Router(self._topics, sources, self._letters, partition)
        return Plan(
            partition=partition,
            next_offset=delta.to_offset,
            outputs=[
                *router.outputs(deduped, dead, rekeyed),
                self._remembering(partition, delta, definitions.revision),
            ],
            tally=_count(records, batch, rekeyed, deduped, dead),
            delta=delta,
            overlay=deduped.overlay,
            traced=self._trace(Judged(records, rekeyed, deduped, dead), definitions.by_name),
        )

    def _remembering(self, partition: int, delta: Delta, revision: int) -> Output:
        """Return the changelog's record; an audit wants to know which definitions were asked."""
        headers = [revision_header(revision)] if revision else []
        return Output(self._topics.changelog, None, encode(delta), partition, headers)


_NAME: Final = attrgetter("org_id", "event_name")


def _count(
    records: Sequence[Record],
    batch: ReadBatch,
    rekeyed: Rekeyed,
    deduped: Deduped,
    dead: Sequence[Rejected],
) -> Tally:
    tally = Tally(appended=count_appended(records))
    tally.verdicts[Verdict.ACCEPTED] += len(deduped.accepted)
    tally.verdicts[Verdict.DUPLICATE] += len(deduped.duplicates)
    tally.verdicts[Verdict.REKEYED] += len(rekeyed.astray)
    tally.verdicts[Verdict.TOMBSTONE] += batch.tombstones
    for name, count in Counter(map(_NAME, deduped.accepted)).items():
        tally.events[name, Verdict.ACCEPTED] += count
    for name, count in Counter(_NAME(event) for event, _ in rekeyed.astray).items():
        tally.events[name, Verdict.REKEYED] += count
    for reason in (Reason.DUPLICATE_EVENT_ID, Reason.DUPLICATE_UNIQUE_KEY):
        seen = (found.event for found in deduped.duplicates if found.reason is reason)
        for name, count in Counter(map(_NAME, seen)).items():
            tally.reasons[reason] += count
            tally.events[name, Verdict.DUPLICATE] += count
            tally.event_reasons[name, reason] += count
    for rejected in dead:
        tally.verdicts[rejected.verdict] += 1
        tally.events[(rejected.org_id, rejected.event_name), rejected.verdict] += 1
        count_reasons(tally, rejected)
    return tally


def count_reasons(tally: Tally, rejected: Rejected) -> None:
    """Count each reason once that a record became a dead letter for."""
    for reason in {violation.reason for violation in rejected.violations}:
        tally.reasons[reason] += 1
        tally.event_reasons[(rejected.org_id, rejected.event_name), reason] += 1


def count_appended(records: Sequence[Record]) -> Counter[int]:
    """Return how many records the broker appended at which epoch millisecond.

    Neighbours mostly came in one request, and have one time: their run is counted at once.
    """
    counts, begun, last_ms = Counter[int](), 0, 0
    for number, record in enumerate(records):
        if record.timestamp_ms != last_ms:
            counts[last_ms] += number - begun
            begun, last_ms = number, record.timestamp_ms
    counts[last_ms] += len(records) - begun
    return +counts
