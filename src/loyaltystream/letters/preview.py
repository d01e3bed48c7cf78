"""What would become of replays, by the judge itself. Does I/O through the log; touches nothing."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from loyaltystream.audit.expected import outcome_of
from loyaltystream.audit.source import source_of
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.letters.desk import Log
from loyaltystream.letters.replaying import Resent
from loyaltystream.letters.state import name_of
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.recollection import Recollection
from loyaltystream.memory.relaid import read
from loyaltystream.notify import Notify
from loyaltystream.pipeline import Ingest, Plan
from loyaltystream.relayout.guard import demand_layout
from loyaltystream.topology import Output, Topics
from loyaltystream.verdicts import NotifyOutcome


class Forecast(msgspec.Struct, frozen=True, rename="camel"):
    """What replays would come to.

    Attributes:
        verdicts: how many of each.
        reasons: why those that are not accepted are not.
        letters: each letter's new verdict.
    """

    verdicts: dict[str, int]
    reasons: dict[str, int]
    letters: dict[str, str]


class Judges(NamedTuple):
    """What a worker of each stage asks; that of stage notify is made once it is needed."""

    ingest: Ingest
    notify: Callable[[], Notify]


class Preview:
    """Judges records without sending them.

    Args:
        log: the topics.
        topics: their names.
        layout: what remembered ids depend on.
        judges: as workers have them.
        definitions: those in force.
    """

    def __init__(
        self,
        log: Log,
        topics: Topics,
        *,
        layout: Layout,
        judges: Judges,
        definitions: Definitions,
    ) -> None:
        self._log = log
        self._topics = topics
        self._layout = layout
        self._judges = judges
        self._definitions = definitions

    def forecast(self, resent: Sequence[Resent], *, now_ms: int) -> Forecast:
        """Return what would become of replays that were sent at that moment.

        Raises:
            BrokerError: if the changelog can't be read.
            StateError: if it is damaged, or does not lead to the layout in force.
        """
        events = [one for one in resent if one.output.topic == self._topics.ingest]
        accepted = [one for one in resent if one.output.topic != self._topics.ingest]
        letters, reasons = self._judged(events, now_ms)
        if accepted:
            mapped, more = self._mapped(accepted, now_ms)
            letters |= mapped
            reasons.update(more)
        return Forecast(dict(Counter(letters.values())), dict(reasons), letters)

    def _judged(self, resent: Sequence[Resent], now_ms: int) -> tuple[dict[str, str], Counter[str]]:
        """Return each letter's verdict by stage ingest, and the reasons."""
        outcomes, reasons = self.foresee([one.output for one in resent], now_ms=now_ms)
        letters = {
            name_of(one.letter.place): outcome
            for one, outcome in zip(resent, outcomes, strict=True)
            if outcome is not None
        }
        return letters, reasons

    def foresee(
        self, records: Sequence[Output], *, now_ms: int
    ) -> tuple[list[str | None], Counter[str]]:
        """Return what would become of each record for the ingest topic, and the reasons of all.

        Raises:
            BrokerError: if the changelog can't be read.
            StateError: if it is damaged, or does not lead to the layout in force.
        """
        rows: dict[int, list[int]] = {}
        for row, home in enumerate(self._homes(records)):
            rows.setdefault(home, []).append(row)
        found = {home: [records[row] for row in mine] for home, mine in rows.items()}
        memories = {home: Recollection(self._layout) for home in found}
        for home, memory in memories.items():
            self._plan(home, found[home], memory, now_ms)
        self._remember(memories)
        outcomes: list[str | None] = [None] * len(records)
        reasons = Counter[str]()
        for home, memory in memories.items():
            start = memory.next_offset
            plan = self._plan(home, found[home], memory, now_ms)
            reasons.update(_reasons(plan))
            for offset, outcome in self._outcomes(plan).items():
                outcomes[rows[home][offset - start]] = outcome
        return outcomes, reasons

    def _mapped(self, resent: Sequence[Resent], now_ms: int) -> tuple[dict[str, str], Counter[str]]:
        """Return each letter's outcome of stage notify, and the reasons."""
        notify = self._judges.notify()
        records = [
            Record(0, offset, now_ms, one.output.key, one.value, one.output.headers)
            for offset, one in enumerate(resent)
        ]
        plan = notify.plan(records, definitions=self._definitions, generation=0)
        outcomes = self._outcomes(plan)
        letters = {
            name_of(one.letter.place): outcomes.get(offset, NotifyOutcome.SILENT.value)
            for offset, one in enumerate(resent)
        }
        return letters, Counter(_reasons(plan))

    def _homes(self, records: Sequence[Output]) -> list[int]:
        hashed = murmur2([one.key or b"" for one in records])
        return [int(home) for home in place(hashed, self._layout.partitions)]

    def _plan(
        self, partition: int, found: Sequence[Output], memory: Recollection, now_ms: int
    ) -> Plan:
        records = [
            Record(
                partition,
                memory.next_offset + number,
                max(now_ms, memory.clock_ms),
                one.key,
                one.value,
                one.headers,
            )
            for number, one in enumerate(found)
        ]
        return self._judges.ingest.judge(
            records, memory=memory, definitions=self._definitions, generation=0
        )

    def _remember(self, memories: Mapping[int, Recollection]) -> None:
        topic = self._topics.changelog
        demand_layout(self._log, topic, self._layout)
        spans = [
            (topic, partition, *span)
            for partition, span in self._log.bounds([topic])[topic].items()
            if partition in memories
        ]
        for _, record in self._log.scan(spans, lambda _topic, _value: True):
            memories[record.partition].learn(read(record.value or b""))

    def _outcomes(self, plan: Plan) -> dict[int, str]:
        outcomes = {}
        for output in plan.outputs:
            source = source_of(output.headers)
            if source is not None:
                as_read = Record(0, 0, 0, output.key, output.value, output.headers)
                outcomes[source.offset] = outcome_of(self._topics, output.topic, as_read)
        return outcomes


def _reasons(plan: Plan) -> dict[str, int]:
    return {reason.value: count for reason, count in plan.tally.reasons.items()}
