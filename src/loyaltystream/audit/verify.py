"""One record of the ingest topic in, its verdict proved or disproved. Pure."""

from collections.abc import Sequence

from loyaltystream.audit.acceptances import Acceptances
from loyaltystream.audit.compare import Cause, Comparison
from loyaltystream.audit.expected import Expectations
from loyaltystream.audit.findings import Detail, Fault, Place
from loyaltystream.audit.found import Found
from loyaltystream.audit.judge import Judge, Judgement
from loyaltystream.audit.reading import Read
from loyaltystream.audit.recount import Recount
from loyaltystream.audit.seen import Entries, SeenKeys
from loyaltystream.audit.stage import Deployment, Evidence
from loyaltystream.events import ValidEvent
from loyaltystream.memory.units import GENERATIONS
from loyaltystream.times import DAY_MS, SKEW_MS
from loyaltystream.verdicts import DEAD_VERDICTS, Verdict

_KNOWN_BEFORE = frozenset({Verdict.DUPLICATE.value, Verdict.CONFLICT.value})


class Verifier:
    """Judges the records of one partition again and compares what became of them.

    Args:
        deployment: how they were judged.
        evidence: what was found.
        partition: theirs.
        acceptances: takes what was really accepted.

    Attributes:
        known_since_ms: the clock from which on the changelog is retained; 0: all of it is.
    """

    def __init__(
        self,
        deployment: Deployment,
        evidence: Evidence,
        *,
        partition: int,
        acceptances: Acceptances,
    ) -> None:
        judge = Judge(deployment.identity, deployment.rules)
        self.comparison = Comparison(evidence.outputs, evidence.heads, evidence.ledger)
        self.recount = Recount("ingest", Place(evidence.topic, partition, 0))
        self.known_since_ms = 0
        self._judge = judge
        self._evidence = evidence
        self._deployment = deployment
        self._acceptances = acceptances
        self._expectations = Expectations(deployment.topics, deployment.letters)

    @property
    def seen(self) -> SeenKeys:
        """What is remembered of the partition."""
        return self._judge.seen

    def switch(self, seen: SeenKeys) -> None:
        """Go on with what a relayout has moved here."""
        self._judge.seen = seen

    def verify(
        self, read: Read, found: Sequence[Found], *, covers_from_ms: int, covered: bool
    ) -> Entries:
        """Report, count and remember one record; return the keys that it is remembered by.

        Args:
            read: the record.
            found: its outputs.
            covers_from_ms: from when on the worker's memory knew everything.
            covered: whether a changelog record covers it; if not, outputs have to prove that it
                was accepted before it is remembered.
        """
        judgement = self._judge.judge(read, covers_from_ms=covers_from_ms)
        cause = self._cause(judgement)
        expected = self._expectations.of(judgement)
        expired = self.comparison.compare(cause, expected, found)
        self.recount.count(judgement, found, expired=expired)
        accepted = any(output.outcome == Verdict.ACCEPTED for output in found)
        if accepted:
            self._note_acceptance(judgement, cause)
        if not (covered or accepted) or _is_overruled(cause, found):
            return {}
        return self._judge.remember(judgement, proven=accepted)

    def _cause(self, judgement: Judgement) -> Cause:
        read = judgement.read
        record, event = read.record, read.event
        older = False
        if event is not None:
            name = event.org_id, event.event_name
            versions = self._evidence.versions
            older = versions.may_be_foreign(record.partition, record.offset, name)
        return Cause(
            Place(self._evidence.topic, record.partition, record.offset),
            record.timestamp_ms,
            event_id=(event.event_id or None) if event else None,
            older=older,
            forgetful=self._is_forgetful(read),
        )

    def _is_forgetful(self, read: Read) -> bool:
        """Say whether the worker may have known an event that the retained changelog does not."""
        event = read.subject
        if not self.known_since_ms or not isinstance(event, ValidEvent):
            return False
        # A resend says the time of its first sending, unless it says none.
        said_ms = read.event.occurred_at_ms if read.event else None
        old = said_ms is None or said_ms < self.known_since_ms + SKEW_MS
        if old and not self._is_remembered_whole(read.clock_ms, self._deployment.rules.window_days):
            return True
        days = event.definition.uniqueness_window_days
        return event.unique_values is not None and not self._is_remembered_whole(
            read.clock_ms, days
        )

    def _is_remembered_whole(self, clock_ms: int, window_days: int) -> bool:
        reach_ms = window_days * DAY_MS * (GENERATIONS + 1) // GENERATIONS
        return clock_ms - reach_ms >= self.known_since_ms

    def _note_acceptance(self, judgement: Judgement, cause: Cause) -> None:
        event = judgement.read.subject
        if not isinstance(event, ValidEvent):
            return
        if judgement.sighting is not None and judgement.sighting.proven:
            text = "its id had been accepted in this partition before"
            detail = Detail(Fault.ACCEPTED_TWICE, cause.place, text, event_id=event.event_id)
            self._evidence.ledger.report(detail)
            return
        identity = self._deployment.identity.event_id(event.org_id, event.event_id)
        due = judgement.verdict is Verdict.ACCEPTED
        self._acceptances.add(identity, event.key, cause.place, due=due)


def _is_overruled(cause: Cause, found: Sequence[Found]) -> bool:
    """Say whether the event was rightly not accepted, for what only the worker could know."""
    outcomes = {output.outcome for output in found}
    if cause.forgetful and outcomes & _KNOWN_BEFORE:
        return True
    return any(output.foreign and output.outcome in DEAD_VERDICTS for output in found)
