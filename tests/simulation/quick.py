"""The quick play: records that say in a few bytes what they are, judged on the real memory."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

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
        judging = _Judging(partition, generation)
        facts = [(record, read(record.value)) for record in records]
        at_home = [(record, fact) for record, fact in facts if fact and fact.home == partition]
        known = _ask(memory, at_home)
        for record, fact in facts:
            judging.take(record, fact, known)
        clock_ms, overlay = max(memory.clock_ms, records[-1].timestamp_ms), judging.overlay
        delta = Delta(
            layout=self._layout,
            from_offset=memory.next_offset,
            to_offset=records[-1].offset + 1,
            clock_ms=clock_ms,
            covers_from_ms=memory.covers_from_ms,
            sections=to_sections(overlay, clock_ms),
        )
        entry = Output(TOPICS.changelog, None, encode(delta), partition, [])
        return Plan(
            partition=partition,
            next_offset=delta.to_offset,
            outputs=[*judging.outputs, entry],
            tally=Tally(Counter(judging.verdicts)),
            delta=delta,
            overlay=overlay,
        )


def _ask(memory: Memory, asking: Sequence[tuple[Record, Fact]]) -> dict[bytes, int]:
    """Return the content that is remembered under each id."""
    clocks = [record.timestamp_ms for record, _ in asking]
    ids = [fact.event for _, fact in asking]
    known = dict(zip(ids, memory.find(EVENT_ID, ids, clocks), strict=True))
    billed = [(record.timestamp_ms, fact.unique) for record, fact in asking if fact.unique]
    keys = [unique for _, unique in billed]
    answers = memory.find(UNIQUE_KEY, keys, [clock for clock, _ in billed])
    return known | dict(zip(keys, answers, strict=True))


class _Judging:
    """What has become of a batch so far."""

    def __init__(self, partition: int, generation: int) -> None:
        self.outputs: list[Output] = []
        self.verdicts: list[Verdict] = []
        self._events: dict[bytes, Seen] = {}
        self._uniques: dict[bytes, Seen] = {}
        self._partition = partition
        self._sources = SourceHeaders(TOPICS.ingest, partition, generation)

    @property
    def overlay(self) -> Overlay:
        """What is accepted."""
        overlay = {EVENT_ID: self._events, UNIQUE_KEY: self._uniques}
        return {unit: keys for unit, keys in overlay.items() if keys}

    def take(self, record: Record, fact: Fact | None, known: dict[bytes, int]) -> None:
        """Judge the next record; what is accepted becomes known."""
        verdict = _verdict(record, fact, self._partition, known)
        self.verdicts.append(verdict)
        if fact is not None and verdict is REKEYED:
            self._write(record, TOPICS.ingest, fact.home, 0)
        elif fact is not None and verdict is ACCEPTED:
            for index, topic in enumerate(fact.destinations):
                self._write(record, topic, self._partition, index)
            self._remember(record, fact, known)
        elif verdict is DUPLICATE:
            self._write(record, TOPICS.duplicates, self._partition, 0)
        elif verdict is not TOMBSTONE:
            self._write(record, TOPICS.dead_letter, self._partition, 0)

    def _write(self, record: Record, topic: str, partition: int, index: int) -> None:
        headers = [self._sources.header(record.offset, index)]
        self.outputs.append(Output(topic, record.key, record.value, partition, headers))

    def _remember(self, record: Record, fact: Fact, known: dict[bytes, int]) -> None:
        known[fact.event] = fact.content
        seen = Seen(fact.content, EVENT_ID.generation(record.timestamp_ms), 0)
        self._events[fact.event] = seen
        if fact.unique is not None:
            known[fact.unique] = fact.content
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
        if len(parts := value.split()) != 4:
            return Judged(REJECTED, [(TOPICS.dead_letter, value)])
        event, content, home, unique = parts
        if int(home) != self._partition:
            return Judged(REKEYED, [(TOPICS.ingest, value)])
        if (said := self._said.get(event)) is not None and said[0] != content:
            return Judged(CONFLICT, [(TOPICS.dead_letter, value)])
        if said is not None or unique in self._billed:
            return Judged(DUPLICATE, [(TOPICS.duplicates, value)])
        self._said[event] = content, record.timestamp_ms
        if unique != b"-":
            self._billed[unique] = content, record.timestamp_ms
        topics = (TOPICS.emf, TOPICS.ei)[: 1 + int(event) % 2]
        return Judged(ACCEPTED, [(topic, value) for topic in topics])


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
