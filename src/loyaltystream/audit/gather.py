"""All output topics in, what each input record caused out. Does I/O through the log.

The order of looking makes an audit of a running deployment exact: committed offsets, then the ends
of all topics, then committed offsets again. Outputs of records before the first are there, those
of records after the second are faults, and what lies between is left to the next audit.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from loyaltystream.audit import version
from loyaltystream.audit.expected import outcome_of
from loyaltystream.audit.findings import Detail, Fault, Ledger, Notice, Place
from loyaltystream.audit.found import FoundOutputs, Head, Said
from loyaltystream.audit.log import Groups, Log
from loyaltystream.audit.opening import stamp_letter
from loyaltystream.audit.releases import stamp_older
from loyaltystream.audit.resending import Resendings
from loyaltystream.audit.source import Source, source_of
from loyaltystream.audit.stage import Deployment, Evidence, Progress, Span, Versions
from loyaltystream.audit.stamp import stamp
from loyaltystream.events import Record
from loyaltystream.topology import Topics

Bounds = Mapping[int, tuple[int, int]]


class View(msgspec.Struct, frozen=True):
    """Where all topics began and ended when the audit looked."""

    bounds: dict[str, Bounds]
    ingest: dict[int, Span]
    notify: dict[int, Span]


def look(log: Log, topics: Topics, groups: Groups) -> View:
    """Return the ranges to audit."""
    before = _committed(log, topics, groups)
    bounds = {topic: log.settled_bounds(topic) for topic in msgspec.structs.astuple(topics)}
    after = _committed(log, topics, groups)
    ingest, notify = (
        {
            partition: Span(first, old.get(partition), new.get(partition, 0))
            for partition, (first, _) in sorted(bounds[topic].items())
        }
        for topic, old, new in zip((topics.ingest, topics.emf), before, after, strict=True)
    )
    return View(bounds, ingest, notify)


def _committed(log: Log, topics: Topics, groups: Groups) -> tuple[Mapping[int, int], ...]:
    return (
        log.committed(groups.ingest, topics.ingest),
        log.committed(groups.notify, topics.emf) if groups.notify is not None else {},
    )


class Gathering:
    """Reads every output once and sorts it by the stage that wrote it.

    Args:
        log: the topics.
        deployment: the topics' names, the definitions in force, for telling other versions, and
            the keys of sealed letters.
        ledger: takes outputs without a source.
        progress: told what is read.
    """

    def __init__(
        self, log: Log, deployment: Deployment, *, ledger: Ledger, progress: Progress
    ) -> None:
        self._log = log
        self._topics = deployment.topics
        self._definitions = deployment.definitions
        self._resendings = Resendings(
            deployment.topics.emf, resending_of=deployment.rules.resending_of, ledger=ledger
        )
        self._ring = deployment.ring
        self._is_older = deployment.is_older
        self._ledger = ledger
        self._progress = progress

    def gather(self, view: View) -> tuple[Evidence, Evidence]:
        """Return what stage ingest and stage notify wrote."""
        topics = self._topics
        outputs = (
            topics.emf,
            topics.ei,
            topics.duplicates,
            topics.dead_letter,
            topics.ingest,
            topics.notifications,
        )
        heads: dict[tuple[str, int], Head | None] = {}
        ingest, notify = (
            Evidence(
                self._log,
                topic,
                spans,
                FoundOutputs(outputs),
                heads,
                Versions(),
                Counter(),
                self._ledger,
                self._progress,
            )
            for topic, spans in ((topics.ingest, view.ingest), (topics.emf, view.notify))
        )
        stages = {ingest.topic: ingest, notify.topic: notify}
        for topic in outputs:
            for partition, (first, end) in sorted(view.bounds[topic].items()):
                self._progress(f"reading {topic}/{partition}", end - first)
                if first > 0:
                    heads[topic, partition] = None
                self._read(topic, partition, (first, end), stages)
        return ingest, notify

    def _read(
        self, topic: str, partition: int, span: tuple[int, int], stages: Mapping[str, Evidence]
    ) -> None:
        heads = stages[self._topics.ingest].heads
        head_is_cut, resendings = (topic, partition) in heads, self._resendings
        for record in self._log.records(topic, partition, *span):
            if head_is_cut:
                heads[topic, partition] = Head(record.offset, record.timestamp_ms)
                head_is_cut = False
            _count_waiting(stages.get(topic), record)
            source = source_of(record.headers)
            evidence = stages.get(source.topic) if source else None
            if source is not None and evidence is None and resendings.take(topic, record, source):
                continue
            if source is not None and evidence is not None:
                self._keep(evidence, topic, record, source)
            elif topic != self._topics.ingest:
                # On the ingest topic a record without a source is simply an event.
                place = Place(topic, partition, record.offset)
                text = "its src header is missing, or names no topic of ours"
                self._ledger.report(Detail(Fault.NO_SOURCE, place, text))

    def _keep(self, evidence: Evidence, topic: str, record: Record, source: Source) -> None:
        judged = self._judged(topic, record)
        foreign = judged is not None and judged.is_foreign(self._definitions)
        if judged is not None:
            name = judged.org_id, judged.event_name
            evidence.versions.note(source.partition, source.offset, name, foreign=foreign)
        if self._is_older(topic, record.value):
            mark = stamp_older(record.key)
        elif topic == self._topics.dead_letter:
            mark = stamp_letter(record, self._ring)
        else:
            mark = stamp(record.key, record.value, record.headers)
        said = Said(outcome_of(self._topics, topic, record), foreign, mark)
        evidence.outputs.add(topic, record, source, said=said)

    def _judged(self, topic: str, record: Record) -> version.Judged | None:
        if topic in {self._topics.emf, self._topics.ei}:
            return version.of_event(record.value)
        return version.of_letter(record.value) if topic == self._topics.dead_letter else None


def _count_waiting(evidence: Evidence | None, record: Record) -> None:
    # Offsets do not tell: markers of transactions take some.
    if evidence is not None and record.offset >= evidence.spans[record.partition].stop:
        evidence.waiting[record.partition] += 1


def report_not_audited(evidence: Evidence) -> None:
    """Note the outputs of a stage that nothing derives."""
    for partition, rows in evidence.outputs.by_partition().items():
        for found in rows.before(2**63 - 1):
            place = Place(evidence.topic, partition, found.source_offset)
            text = "written by stage notify, which this audit does not derive"
            evidence.ledger.report(Detail(Notice.NOT_AUDITED, place, text, found.place))
