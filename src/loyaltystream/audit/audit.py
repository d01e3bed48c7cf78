"""START HERE for the audit: from the records alone, was every event judged exactly once?

Does I/O through its log: reads every topic once (the ingest topic twice) and writes nothing.
"""

from loyaltystream.audit.acceptances import Acceptances, Twice
from loyaltystream.audit.changelog import Changelog
from loyaltystream.audit.findings import (
    Detail,
    Fault,
    Findings,
    Ledger,
    Notice,
    PartitionFindings,
    Place,
)
from loyaltystream.audit.found import FoundRows
from loyaltystream.audit.gather import Gathering, View, look, report_not_audited
from loyaltystream.audit.ingest import IngestPartition
from loyaltystream.audit.log import Deriver, Groups, Log
from loyaltystream.audit.notify import NotifyPartition
from loyaltystream.audit.reading import Reader
from loyaltystream.audit.stage import Deployment, Evidence, Progress
from loyaltystream.audit.verify import Verifier


def _say_nothing(_doing: str, _records: int) -> None:
    """Take progress and leave it."""


class Audit:
    """Proves or disproves that a log is exact.

    Args:
        log: all topics, and the groups' committed offsets.
        deployment: how its events were judged.
        groups: whose committed offsets bound the audit.
        deriver: says what notifications must be there; None: those are not audited.
        progress: told what is being read, and how many offsets that covers.
    """

    def __init__(
        self,
        log: Log,
        deployment: Deployment,
        *,
        groups: Groups,
        deriver: Deriver | None = None,
        progress: Progress = _say_nothing,
    ) -> None:
        self._log = log
        self._deployment = deployment
        self._groups = groups
        self._deriver = deriver
        self._progress = progress

    def run(self) -> Findings:
        """Return everything that was found.

        Raises:
            BrokerError: if the log can't be read.
        """
        ledger = Ledger()
        view = look(self._log, self._deployment.topics, self._groups)
        self._deployment.catch_up()
        gathering = Gathering(self._log, self._deployment, ledger=ledger, progress=self._progress)
        ingest, notify = gathering.gather(view)
        return ledger.close([*self._audit_ingest(ingest, view), *self._audit_notify(notify, view)])

    def _audit_ingest(self, evidence: Evidence, view: View) -> list[PartitionFindings]:
        deployment = self._deployment
        topics, layout = deployment.topics, deployment.layout
        bounds = view.bounds[topics.changelog]
        changelog = Changelog(
            self._log, topics.changelog, bounds=bounds, layout=layout, ledger=evidence.ledger
        )
        reader = self._reader()
        acceptances = Acceptances()
        rows = self._rows(evidence)
        findings = []
        for partition, span in evidence.spans.items():
            self._progress(f"judging {topics.ingest}/{partition}", span.stop - span.first)
            verifier = Verifier(deployment, evidence, partition=partition, acceptances=acceptances)
            walk = IngestPartition(
                evidence, partition, rows=rows[partition], reader=reader, verifier=verifier
            )
            findings.append(walk.audit(changelog))
        changelog.relayouts.check(changelog.is_cut)
        for twice in acceptances.twice():
            self._report_twice(evidence, twice)
        return findings

    def _audit_notify(self, evidence: Evidence, view: View) -> list[PartitionFindings]:
        if self._deriver is None:
            report_not_audited(evidence)
            return []
        topics = self._deployment.topics
        rows = self._rows(evidence)
        findings = []
        for partition, span in evidence.spans.items():
            self._progress(f"deriving {topics.emf}/{partition}", span.stop - span.first)
            walk = NotifyPartition(
                evidence,
                partition,
                rows=rows[partition],
                derive=self._deriver,
                deployment=self._deployment,
            )
            findings.append(walk.audit(len(view.bounds[topics.notifications])))
        return findings

    def _rows(self, evidence: Evidence) -> dict[int, FoundRows]:
        """Return the outputs of every input partition; those of others are reported."""
        rows = evidence.outputs.by_partition()
        for partition in rows.keys() - evidence.spans.keys():
            for stray in rows[partition].before(2**63 - 1):
                source = Place(evidence.topic, partition, stray.source_offset)
                detail = Detail(Fault.UNEXPECTED, source, "no such partition", stray.place)
                evidence.ledger.report(detail)
        return {partition: rows.get(partition, FoundRows(b"", ())) for partition in evidence.spans}

    def _report_twice(self, evidence: Evidence, twice: Twice) -> None:
        earlier, later = (
            Place(evidence.topic, one.partition, one.offset) for one in (twice.earlier, twice.later)
        )
        if twice.is_fault:
            kind: Fault | Notice = Fault.ACCEPTED_TWICE
        elif twice.is_notable:
            kind = Notice.SAME_ID_OTHER_CUSTOMER
        else:
            return
        event_id = self._event_id(later) if evidence.ledger.wants(kind) else None
        text = f"its id was accepted at {earlier} as well"
        evidence.ledger.report(Detail(kind, later, text, event_id=event_id))

    def _reader(self) -> Reader:
        deployment = self._deployment
        topic = deployment.topics.ingest
        definitions = deployment.views or (lambda _revision: deployment.definitions)
        return Reader(topic, definitions=definitions, rules=deployment.rules)

    def _event_id(self, place: Place) -> str | None:
        """Return an event's id by reading its record once more."""
        reader, partitions = self._reader(), self._deployment.layout.partitions
        for record in self._log.records(*self._range(place)):
            clock_ms = record.timestamp_ms
            [read] = reader.read([record], clock_ms, partitions=partitions, revision=0)
            return None if read.event is None else read.event.event_id
        return None

    @staticmethod
    def _range(place: Place) -> tuple[str, int, int, int]:
        return place.topic, place.partition, place.offset, place.offset + 1
