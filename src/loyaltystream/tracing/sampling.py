"""Which records are traced: as their producers say, and a share where they say nothing. Pure.

A share is told from the place that a record was judged in, so that INGEST and NOTIFY, and whoever
does either of them again, choose the same events.
"""

from collections.abc import Callable, Sequence
from typing import Final

from loyaltystream.audit.findings import Place
from loyaltystream.audit.source import source_of
from loyaltystream.events import TRACE_HEADER, Record
from loyaltystream.tracing.context import (
    TRACEPARENT_BYTES,
    Parent,
    made_span_id,
    made_trace_id,
    read_traceparent,
)

INGEST: Final = "ingest"

_ALL: Final = 1 << 64
_SPREAD: Final = 0x9E3779B97F4A7C15
"""2^64 by the golden ratio: multiples of it lie evenly, so a share of offsets is evenly chosen."""
_APART: Final = 2_654_435_761
"""Partitions begin so far from each other: not all of them choose the same offsets."""

_UNSAMPLED: Final = b"-00"

Choose = Callable[[Record], Parent | None]
"""Returns what the span of a record without a context belongs to; None: it is not traced."""


class Sampler:
    """Tells which records are traced, and what their spans belong to.

    Args:
        choose: decides where no context does.
    """

    def __init__(self, choose: Choose) -> None:
        self._choose = choose

    def sample(self, records: Sequence[Record]) -> dict[int, Parent]:
        """Return what the spans belong to of those that are traced, by offset."""
        found: dict[int, Parent] = {}
        choose = self._choose
        for record in records:
            headers = record.headers
            header = dict(headers).get(TRACE_HEADER) if headers else None
            if header is not None:
                if len(header) == TRACEPARENT_BYTES and header.endswith(_UNSAMPLED):
                    continue  # most of them: whatever else they say, it is not to be recorded
                if (context := read_traceparent(header)) is not None:
                    if context.is_sampled:
                        found[record.offset] = context.parent
                    continue
            if (parent := choose(record)) is not None:
                found[record.offset] = parent
        return found


def sampler_of_ingest(topic: str, share: float) -> Sampler:
    """Return what samples what INGEST reads; a trace without a context begins there."""
    below = int(share * _ALL)

    def choose(record: Record) -> Parent | None:
        if _drawn(record.partition, record.offset) >= below:
            return None
        return Parent(made_trace_id(Place(topic, record.partition, record.offset)))

    return Sampler(choose if below else _none)


def sampler_of_notify(share: float) -> Sampler:
    """Return what samples routed events: their `src` names the record whose trace goes on."""
    below = int(share * _ALL)

    def choose(record: Record) -> Parent | None:
        source = source_of(record.headers)
        if source is None or _drawn(source.partition, source.offset) >= below:
            return None
        return Parent(made_trace_id(source.place), made_span_id(INGEST, source.place))

    return Sampler(choose if below else _none)


def _none(_record: Record) -> Parent | None:
    return None


def _drawn(partition: int, offset: int) -> int:
    return (offset + partition * _APART + 1) * _SPREAD % _ALL
