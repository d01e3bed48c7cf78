"""Stage notify, one partition of `EMFConsumer` at a time: what it had to cause, and did.

Does I/O through the log.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from loyaltystream.audit.compare import Cause, Comparison
from loyaltystream.audit.expected import ANYWHERE, Expected, outcome_of
from loyaltystream.audit.findings import Detail, Fault, PartitionFindings, Place
from loyaltystream.audit.found import Found, FoundRows
from loyaltystream.audit.log import Deriver
from loyaltystream.audit.source import source_of
from loyaltystream.audit.stage import Deployment, Evidence
from loyaltystream.audit.stamp import stamp
from loyaltystream.audit.version import of_event
from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.topology import Output

_CHUNK: Final = 500
_SILENT: Final = "silent"


class NotifyPartition:
    """Audits one partition of stage notify's input.

    Args:
        evidence: what was found.
        partition: which one.
        rows: what its records caused.
        derive: says what they must cause.
        deployment: names of all topics; definitions, for telling events that others judged.
    """

    def __init__(
        self,
        evidence: Evidence,
        partition: int,
        *,
        rows: FoundRows,
        derive: Deriver,
        deployment: Deployment,
    ) -> None:
        self._evidence = evidence
        self._partition = partition
        self._span = evidence.spans[partition]
        self._rows = rows
        self._derive = derive
        self._deployment = deployment
        self._comparison = Comparison(evidence.outputs, evidence.heads, evidence.ledger)
        self._found: dict[str, int] = {}
        self._judged: dict[str, int] = {}
        self._expired = self._replayed = 0

    def audit(self, partitions: int) -> PartitionFindings:
        """Report every fault of this partition and return its counts.

        Args:
            partitions: how many the notifications' topic has.
        """
        span, consumed = self._span, 0
        for _ in self._rows.before(span.first):
            pass  # their causes are no longer retained
        records = self._evidence.log.records(
            self._evidence.topic, self._partition, span.first, span.stop
        )
        while chunk := list(islice(records, _CHUNK)):
            consumed += len(chunk)
            wanted = self._wanted(self._derive(chunk), partitions)
            for record in chunk:
                self._compare(record, wanted.get(record.offset, []))
        self._report_strays(span.stop, "there is no such record")
        for _ in self._rows.before(span.settled):
            pass  # caused while the audit was looking: the next one's
        self._report_strays(2**63 - 1, "its source lies beyond the committed offset")
        return self._close(consumed)

    def _wanted(self, outputs: Iterable[Output], partitions: int) -> dict[int, list[Expected]]:
        wanted: dict[int, list[Expected]] = {}
        placed = list(outputs)
        homes = place(murmur2([output.key or b"" for output in placed]), max(partitions, 1))
        for output, home in zip(placed, homes.tolist(), strict=True):
            source = source_of(output.headers)
            if source is None:
                continue
            keyed = ANYWHERE if output.key is None else home
            partition = keyed if output.partition is None else output.partition
            as_read = Record(partition, 0, 0, output.key, output.value, output.headers)
            outcome = outcome_of(self._deployment.topics, output.topic, as_read)
            mark = stamp(output.key, output.value, output.headers)
            expected = Expected(output.topic, partition, source.ordinal, outcome, mark)
            wanted.setdefault(source.offset, []).append(expected)
        return wanted

    def _compare(self, record: Record, expected: Sequence[Expected]) -> None:
        self._report_strays(record.offset, "there is no such record")
        found = self._rows.take(record.offset)
        judged = of_event(record.value)
        self._replayed += self._deployment.rules.resending_of(record) is not None
        source = Place(self._evidence.topic, record.partition, record.offset)
        cause = Cause(
            source,
            record.timestamp_ms,
            older=judged is not None and judged.is_foreign(self._deployment.definitions),
        )
        expired = self._comparison.compare(cause, expected, found)
        self._expired += expired
        # An event without notifications causes nothing, and so nothing tells that it was judged.
        if not expired:
            _count(self._found, _outcomes(found))
        _count(self._judged, _outcomes(expected))

    def _report_strays(self, end: int, text: str) -> None:
        for stray in self._rows.before(end):
            source = Place(self._evidence.topic, self._partition, stray.source_offset)
            detail = Detail(Fault.UNEXPECTED, source, text, stray.place)
            self._evidence.ledger.report(detail)

    def _close(self, consumed: int) -> PartitionFindings:
        span = self._span
        return PartitionFindings(
            stage="notify",
            topic=self._evidence.topic,
            partition=self._partition,
            retained_from=span.first,
            first=span.first,
            committed=span.committed or 0,
            lag=self._evidence.waiting.get(self._partition, 0),
            consumed=consumed,
            found=self._found,
            judged=self._judged,
            reasons={},
            expired=self._expired,
            replayed=self._replayed,
        )


def _outcomes(outputs: Sequence[Expected] | Sequence[Found]) -> Iterator[str]:
    yield "+".join(sorted({output.outcome for output in outputs})) or _SILENT


def _count(counts: dict[str, int], outcomes: Iterator[str]) -> None:
    for outcome in outcomes:
        counts[outcome] = counts.get(outcome, 0) + 1
