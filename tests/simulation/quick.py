"""The quick play: records that say in a few bytes what they are, judged on the real memory."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final

from msgspec.structs import replace

from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.memory.changelog import Delta, Layout, encode
from loyaltystream.memory.units import KeyKind, Overlay, Seen, Unit, to_sections
from loyaltystream.pipeline import Memory, Plan, beginning
from loyaltystream.topology import Output, SourceHeaders
from loyaltystream.verdicts import Tally, Verdict
from tests.core import TOPICS, layout
from tests.simulation.content import summed
from tests.simulation.play import Content, Judged, Play, dice
from tests.simulation.story import Fact, read, tell

EVENT_ID: Final = Unit(KeyKind.EVENT_ID, 30)
UNIQUE_KEY: Final = Unit(KeyKind.UNIQUE_KEY, 30)
UNSEEN: Final = -1
NOTHING: Final = Tally()
"""Half of what a plan costs would be its empty counters."""

# A member costs a look-up in the metaclass each time that it is asked of its class.
ACCEPTED, CONFLICT, DUPLICATE = Verdict.ACCEPTED, Verdict.CONFLICT, Verdict.DUPLICATE
REJECTED, REKEYED, TOMBSTONE = Verdict.REJECTED, Verdict.REKEYED, Verdict.TOMBSTONE


class QuickJudge:
    """Judges quick records with a partition's real memory."""

    def __init__(self, meant_for: Layout) -> None:
        self._layout = meant_for

    def begin(self, partition: int, memory: Memory) -> Plan:
        """Return the plan that only writes down where a partition's memory begins."""
        return beginning(partition, memory, layout=self._layout, topic=TOPICS.changelog)

    def judge(
        self,
        records: Sequence[Record],
        *,
        memory: Memory,
        definitions: Definitions,
        generation: int,
    ) -> Plan:
        """Return the plan for records of one partition."""
        del definitions
        partition = records[0].partition
        facts = [read(record.value) for record in records]
        at_home = [
            (record.timestamp_ms, fact)
            for record, fact in zip(records, facts, strict=True)
            if fact and fact.home == partition
        ]
        judging = _Judging(partition, generation, _ask(memory, at_home))
        for record, fact in zip(records, facts, strict=True):
            judging.take(record, fact)
        clock_ms, overlay = max(memory.clock_ms, records[-1].timestamp_ms), judging.overlay
        delta = Delta(
            layout=self._layout,
            from_offset=memory.next_offset,
            to_offset=records[-1].offset + 1,
            clock_ms=clock_ms,
            covers_from_ms=memory.covers_from_ms,
            sections=to_sections(overlay, clock_ms),
        )
        judging.outputs.append(Output(TOPICS.changelog, None, encode(delta), partition, []))
        return Plan(
            partition=partition,
            next_offset=delta.to_offset,
            outputs=judging.outputs,
            tally=replace(NOTHING, verdicts=Counter(judging.verdicts)),
            delta=delta,
            overlay=overlay,
        )


def _ask(memory: Memory, asking: Sequence[tuple[int, Fact]]) -> dict[bytes, int]:
    """Return the content that is remembered under each id, asked for at its record's clock."""
    clocks = [clock_ms for clock_ms, _ in asking]
    ids = [fact.event for _, fact in asking]
    known = dict(zip(ids, memory.find(EVENT_ID, ids, clocks), strict=True))
    if billed := [(clock_ms, fact.unique) for clock_ms, fact in asking if fact.unique]:
        keys = [unique for _, unique in billed]
        answers = memory.find(UNIQUE_KEY, keys, [clock_ms for clock_ms, _ in billed])
        known.update(zip(keys, answers, strict=True))
    return known


class _Judging:
    """What has become of a batch so far.

    Args:
        partition: its own.
        generation: of the group.
        known: the content that is remembered under each id; what is accepted is added.
    """

    def __init__(self, partition: int, generation: int, known: dict[bytes, int]) -> None:
        self.outputs: list[Output] = []
        self.verdicts: list[Verdict] = []
        self._events: dict[bytes, Seen] = {}
        self._uniques: dict[bytes, Seen] = {}
        self._partition = partition
        self._known = known
        self._header = SourceHeaders(TOPICS.ingest, partition, generation).header

    @property
    def overlay(self) -> Overlay:
        """What is accepted."""
        overlay = {}
        if self._events:
            overlay[EVENT_ID] = self._events
        if self._uniques:
            overlay[UNIQUE_KEY] = self._uniques
        return overlay

    def take(self, record: Record, fact: Fact | None) -> None:
        """Judge the next record; what is accepted becomes known."""
        verdict = _verdict(record, fact, self._partition, self._known)
        self.verdicts.append(verdict)
        if fact is not None and verdict is ACCEPTED:
            self._write(record, *fact.destinations)
            self._remember(record, fact)
        elif fact is not None and verdict is REKEYED:
            self._write(record, TOPICS.ingest, partition=fact.home)
        elif verdict is DUPLICATE:
            self._write(record, TOPICS.duplicates)
        elif verdict is not TOMBSTONE:
            self._write(record, TOPICS.dead_letter)

    def _write(self, record: Record, *topics: str, partition: int | None = None) -> None:
        key, value, offset = record.key, record.value, record.offset
        to = self._partition if partition is None else partition
        for index, topic in enumerate(topics):
            header = self._header(offset, index)
            self.outputs.append(Output(topic, key, value, to, [header]))

    def _remember(self, record: Record, fact: Fact) -> None:
        seen = Seen(fact.content, EVENT_ID.generation(record.timestamp_ms), 0)
        self._known[fact.event] = fact.content
        self._events[fact.event] = seen
        if fact.unique is not None:
            self._known[fact.unique] = fact.content
            self._uniques[fact.unique] = seen


def _verdict(record: Record, fact: Fact | None, partition: int, known: dict[bytes, int]) -> Verdict:
    if record.value is None:
        return TOMBSTONE
    if fact is None:
        return REJECTED
    if fact.home != partition:
        return REKEYED
    if (content := known.get(fact.event, UNSEEN)) != UNSEEN:
        return DUPLICATE if content == fact.content else CONFLICT
    if fact.unique is not None and known.get(fact.unique, UNSEEN) != UNSEEN:
        return DUPLICATE
    return ACCEPTED


class QuickModel:
    """The truth, from the values alone: nothing here is shared with the judge but their meaning."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._said: dict[bytes, tuple[bytes, int]] = {}
        self._billed: dict[bytes, tuple[bytes, int]] = {}

    @property
    def ids(self) -> int:
        """How many ids are to be remembered now."""
        return len(self._said) + len(self._billed)

    def content(self) -> Content:
        """Return what is to be remembered now."""
        units = {EVENT_ID: self._said, UNIQUE_KEY: self._billed}
        return {unit: summed(known) for unit, known in units.items() if known}

    def judge(self, record: Record) -> Judged:
        """Return what has to become of the next record."""
        value = record.value
        if value is None:
            return Judged(TOMBSTONE, [])
        if len(parts := _parts(value)) != 4:
            return _judged(REJECTED, value, TOPICS.dead_letter)
        event, content, home, unique = parts
        if int(home) != self._partition:
            return _judged(REKEYED, value, TOPICS.ingest)
        if (said := self._said.get(event)) is not None and said[0] != content:
            return _judged(CONFLICT, value, TOPICS.dead_letter)
        if said is not None or unique in self._billed:
            return _judged(DUPLICATE, value, TOPICS.duplicates)
        self._said[event] = content, record.timestamp_ms
        if unique != b"-":
            self._billed[unique] = content, record.timestamp_ms
        return _judged(ACCEPTED, value, *(TOPICS.emf, TOPICS.ei)[: 1 + int(event) % 2])


# All schedules have much the same few thousand values.


@cache
def _judged(verdict: Verdict, value: bytes, *topics: str) -> Judged:
    return Judged(verdict, [(topic, value) for topic in topics])


@cache
def _parts(value: bytes) -> list[bytes]:
    return value.split()


def quick_play(seed: int) -> Play:
    """Return the quick play of a seed; of four in a row each has another profile."""
    random = dice(seed, "play")
    blind, lasting_ids = seed % 2 == 1, seed // 2 % 2 == 0
    partitions = random.choice([2, 3])
    return Play(
        partitions=partitions,
        # Dedup off is told from dedup on by what is done twice, not by what is said twice.
        story=tell(random, partitions, repeats=not blind),
        judge=QuickJudge(layout(partitions)),
        layout=layout(partitions),
        model=QuickModel,
        blind=blind,
        lasting_ids=lasting_ids,
    )
