"""What became of a traced record in, its spans out. Pure.

A span never holds a payload, a customer's identifier, a key of a record, or what an undefined event
calls itself. Attributes are OpenTelemetry's for messaging; ours begin with `loyaltystream.`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from loyaltystream.tracing.context import Parent, made_span_id
from loyaltystream.tracing.traced import Traced

Attributes = Mapping[str, str | int | Sequence[str]]

NS_IN_MS: Final = 1_000_000
SUBMITTED: Final = "transaction.submitted"


class Kind(StrEnum):
    """What a span is, as OpenTelemetry has it."""

    SERVER = "SERVER"
    CONSUMER = "CONSUMER"
    PRODUCER = "PRODUCER"


class Moments(msgspec.Struct, frozen=True):
    """When a transaction was submitted, and when it was known to have committed; epoch ns."""

    submitted_ns: int
    committed_ns: int


class Span(msgspec.Struct, frozen=True):
    """One span, ended.

    Attributes:
        marks: names of moments between beginning and end, and when they were.
        failed: whose fault is told by it is ours.
    """

    name: str
    kind: Kind
    parent: Parent
    span_id: int
    began_ns: int
    ended_ns: int
    attributes: Attributes
    marks: Sequence[tuple[str, int]] = ()
    failed: bool = False


class Work(msgspec.Struct, frozen=True):
    """What the spans of one stage have in common.

    Attributes:
        stage: `ingest` or `notify`.
        topic: that it reads.
        group: as which it reads.
        target: where notifications go.
    """

    stage: str
    topic: str
    group: str
    target: str

    def spans(self, traced: Traced, moments: Moments) -> Iterator[Span]:
        """Yield the span of a record, from its append on, then one for each notification."""
        place = (self.topic, traced.partition, traced.offset)
        span_id = made_span_id(self.stage, *place)
        appended_ns = max(traced.timestamp_ms, 0) * NS_IN_MS or moments.submitted_ns
        yield Span(
            f"process {self.topic}",
            Kind.CONSUMER,
            traced.parent,
            span_id,
            # The broker's clock may be ahead of ours.
            min(appended_ns, moments.submitted_ns),
            moments.committed_ns,
            {**self._of_record(traced), **_of_event(traced)},
            [(SUBMITTED, moments.submitted_ns)],
        )
        for caused in traced.caused:
            yield Span(
                f"send {self.target}",
                Kind.PRODUCER,
                Parent(traced.parent.trace_id, span_id),
                made_span_id("notification", caused.notification_id),
                moments.submitted_ns,
                moments.committed_ns,
                {
                    "messaging.system": "kafka",
                    "messaging.operation.name": "send",
                    "messaging.operation.type": "send",
                    "messaging.destination.name": self.target,
                    "messaging.message.id": caused.notification_id,
                    "loyaltystream.notification": caused.type,
                },
            )

    def _of_record(self, traced: Traced) -> dict[str, str | int | Sequence[str]]:
        return {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": self.topic,
            "messaging.destination.partition.id": str(traced.partition),
            "messaging.kafka.offset": traced.offset,
            "messaging.consumer.group.name": self.group,
            "loyaltystream.stage": self.stage,
            "loyaltystream.outcome": traced.outcome,
        }


def _of_event(traced: Traced) -> dict[str, str | int | Sequence[str]]:
    attributes: dict[str, str | int | Sequence[str]] = {}
    if traced.reasons:
        attributes["loyaltystream.reasons"] = list(traced.reasons)
    if traced.event is not None:
        attributes["loyaltystream.org"], attributes["loyaltystream.event"] = traced.event
    return attributes


Take = Callable[[Sequence[Span]], None]
"""Takes spans; never waits."""
