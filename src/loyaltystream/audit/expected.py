"""A judgement in, the outputs that it must have caused out. Pure.

Said once more and on its own: topic, partition, key, value and headers of every verdict.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from loyaltystream.audit.found import NOTIFIED, OUTCOMES, UNKNOWN
from loyaltystream.audit.judge import Judgement
from loyaltystream.audit.stamp import Stamp, stamp
from loyaltystream.definitions.model import Action
from loyaltystream.events import ORIGIN_HEADER, SOURCE_HEADER, Header, Record, ValidEvent
from loyaltystream.steps.route import Letters
from loyaltystream.topology import Topics
from loyaltystream.verdicts import Verdict

ANYWHERE: Final = -1
"""The partition of an output that has neither a partition nor a key to be placed by."""

_TRACE: Final = "traceparent"
_LONGEST_TRACE: Final = 256


class Expected(NamedTuple):
    """An output that a record must have: `ordinal` counts those of its source."""

    topic: str
    partition: int
    ordinal: int
    outcome: str
    stamp: Stamp


def outcome_of(topics: Topics, topic: str, record: Record) -> str:
    """Return what an output says that its source became."""
    if topic == topics.dead_letter:
        said = (record.header("verdict") or b"").decode("ascii", "replace")
        return said if said in OUTCOMES else UNKNOWN
    return {
        topics.emf: Verdict.ACCEPTED.value,
        topics.ei: Verdict.ACCEPTED.value,
        topics.duplicates: Verdict.DUPLICATE.value,
        topics.ingest: Verdict.REKEYED.value,
        topics.notifications: NOTIFIED,
    }[topic]


class Expectations:
    """Says what each judgement must cause.

    Args:
        topics: where each verdict goes.
        letters: encodes dead letters of stage ingest.
    """

    def __init__(self, topics: Topics, letters: Letters) -> None:
        self._topics = topics
        self._letters = letters

    def of(self, judgement: Judgement) -> list[Expected]:
        """Return all outputs of a judged record."""
        match judgement.verdict:
            case Verdict.TOMBSTONE:
                return []
            case Verdict.ACCEPTED:
                return list(self._accepted(judgement))
            case Verdict.DUPLICATE:
                return [self._duplicate(judgement)]
            case Verdict.REKEYED:
                return [self._rekeyed(judgement)]
            case _:
                return [self._letter(judgement)]

    def _accepted(self, judgement: Judgement) -> Iterator[Expected]:
        event, record = judgement.read.subject, judgement.read.record
        if not isinstance(event, ValidEvent):
            return
        late: list[Header] = [("late", b"true")] if judgement.late else []
        mark = stamp(event.key, event.value, [*late, *_import(event), *_trace(record)])
        for index, action in enumerate(event.definition.actions):
            topic = self._topics.emf if action is Action.EMF else self._topics.ei
            yield Expected(topic, record.partition, index, judgement.verdict.value, mark)

    def _duplicate(self, judgement: Judgement) -> Expected:
        record, resend = judgement.read.record, judgement.resend
        headers: list[Header] = [("verdict", judgement.verdict.encode())]
        if resend is not None:
            headers += [
                ("reason", resend.reason.encode()),
                ("key-kind", resend.key_kind.encode()),
                ("key", resend.key_text.encode()),
            ]
        mark = stamp(record.key, record.value, [*headers, *_trace(record)])
        topic = self._topics.duplicates
        return Expected(topic, record.partition, 0, judgement.verdict.value, mark)

    def _letter(self, judgement: Judgement) -> Expected:
        record, rejected = judgement.read.record, judgement.rejected
        headers: list[Header] = [("verdict", judgement.verdict.encode())]
        value = None
        if rejected is not None:
            headers.append(("reason", rejected.violations[0].reason.encode()))
            value = self._letters.encode(rejected)
        mark = stamp(record.key, value, [*headers, *_trace(record)])
        topic = self._topics.dead_letter
        return Expected(topic, record.partition, 0, judgement.verdict.value, mark)

    def _rekeyed(self, judgement: Judgement) -> Expected:
        read, event = judgement.read, judgement.read.subject
        headers: list[Header] = []
        key = None
        if isinstance(event, ValidEvent):
            key = event.key
            headers.append(event.origin.to_header())
        ours = {SOURCE_HEADER, ORIGIN_HEADER}
        headers += [header for header in read.record.headers if header[0] not in ours]
        mark = stamp(key, read.record.value, headers)
        return Expected(self._topics.ingest, read.home, 0, judgement.verdict.value, mark)


def _import(event: ValidEvent) -> Iterator[Header]:
    claim = event.waiver.imported if event.waiver else None
    if claim is not None:
        yield "import-id", claim.import_id.encode()
        if claim.quiet:
            yield "import-quiet", b"true"


def _trace(record: Record) -> list[Header]:
    traces = [header for header in record.headers if header[0] == _TRACE][-1:]
    # A null value is as good as none, and so is one that no tracer writes.
    return [(name, value) for name, value in traces if value and len(value) <= _LONGEST_TRACE]
