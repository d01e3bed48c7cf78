"""A mapped batch in, what its traced records caused out. Pure.

Of a traced event org and name are read once more: nothing is kept of others.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from loyaltystream.events import Record
from loyaltystream.steps.notify import Encoded, NotifiedBatch, Read
from loyaltystream.tracing.traced import Caused, Defined, Sample, Sampled, Traced
from loyaltystream.verdicts import NotifyOutcome, Violation

TraceNotified = Callable[[Sequence[Record], NotifiedBatch, Read, Defined], Sequence[Traced]]


def unnotified(
    _records: Sequence[Record], _batch: NotifiedBatch, _read: Read, _defined: Defined
) -> Sequence[Traced]:
    """Trace nothing."""
    return ()


def tracing_notified(sample: Sample) -> TraceNotified:
    """Return what traces the notifications of sampled records."""

    def trace(
        records: Sequence[Record], batch: NotifiedBatch, read: Read, defined: Defined
    ) -> Sequence[Traced]:
        parents = sample(records)
        return list(_told(batch, read, Sampled(parents, defined))) if parents else ()

    return trace


def _told(batch: NotifiedBatch, read: Read, sampled: Sampled) -> Iterator[Traced]:
    silent = ((record, list[Encoded]()) for record in batch.silent)
    for record, made in chain(batch.notified, silent):
        if record.offset in sampled.parents:
            yield sampled.of(
                record,
                (NotifyOutcome.NOTIFIED if made else NotifyOutcome.SILENT).value,
                event=_name_of(record, read),
                caused=[Caused(dict(one.headers)["ce_id"].decode(), one.type) for one in made],
            )
    for rejected in batch.rejected:
        if rejected.record.offset in sampled.parents:
            yield sampled.of_rejected(rejected, NotifyOutcome.UNMAPPED.value)


def _name_of(record: Record, read: Read) -> tuple[int | None, str | None]:
    event = read(record.value or b"")
    return (None, None) if isinstance(event, Violation) else (event["orgId"], event["eventName"])
