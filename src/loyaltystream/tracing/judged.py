"""A judged batch in, what became of its traced records out. Pure.

A batch without a traced record costs the look at its headers; without tracing nothing looks.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from loyaltystream.events import Record, ValidEvent
from loyaltystream.steps.stages import Deduped, Rejected, Rekeyed
from loyaltystream.tracing.traced import Defined, Sample, Sampled, Traced
from loyaltystream.verdicts import Verdict


class Judged(NamedTuple):
    """What a batch came to; `dead` has every rejection."""

    records: Sequence[Record]
    rekeyed: Rekeyed
    deduped: Deduped
    dead: Sequence[Rejected]


TraceJudged = Callable[[Judged, Defined], Sequence[Traced]]


def untraced(_judged: Judged, _defined: Defined) -> Sequence[Traced]:
    """Trace nothing."""
    return ()


def tracing_judged(sample: Sample) -> TraceJudged:
    """Return what traces the verdicts on sampled records."""

    def trace(judged: Judged, defined: Defined) -> Sequence[Traced]:
        parents = sample(judged.records)
        return list(_told(judged, Sampled(parents, defined))) if parents else ()

    return trace


def _told(judged: Judged, sampled: Sampled) -> Iterator[Traced]:
    # Almost no event is traced: what looks at all of them does nothing else.
    among, deduped = sampled.parents, judged.deduped
    accepted = [event for event in deduped.accepted if event.record.offset in among]
    astray = [event for event, _ in judged.rekeyed.astray if event.record.offset in among]
    repeated = [found for found in deduped.duplicates if found.event.record.offset in among]
    for event in accepted:
        yield _of(event, Verdict.ACCEPTED, sampled)
    for event in astray:
        yield _of(event, Verdict.REKEYED, sampled)
    for found in repeated:
        yield _of(found.event, Verdict.DUPLICATE, sampled, found.reason.value)
    for rejected in judged.dead:
        if rejected.record.offset in among:
            yield sampled.of_rejected(rejected, rejected.verdict.value)


def _of(event: ValidEvent, verdict: Verdict, sampled: Sampled, *reasons: str) -> Traced:
    name = event.org_id, event.event_name
    return sampled.of(event.record, verdict.value, event=name, reasons=reasons)
