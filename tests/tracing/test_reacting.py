"""A span around each call of a subscriber's function, in the subscriber's own set-up."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from loyaltystream.otel.reacting import traced
from loyaltystream.subscriber import Outcome, Reactions
from loyaltystream.subscriber.records import PointsIssued
from loyaltystream.subscriber.testing import SUBSCRIPTION, Rehearsal, encode, example
from tests.tracing.town import PRODUCER, TRACED, UNTRACED

ISSUED = example(PointsIssued)


class Service:
    """A service that reads notifications, and does something of its own about them."""

    def __init__(self, failures: int = 0) -> None:
        self.memory = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.memory))
        self.tracer: Tracer = provider.get_tracer("service")
        self.failures = failures
        reactions = Reactions()
        reactions.on(PointsIssued)(self.react)
        self.rehearsal = Rehearsal(
            reactions, calling=traced(SUBSCRIPTION, self.tracer), partitions=1
        )

    def react(self, issued: PointsIssued) -> None:
        """Do it, or fail with what should stand nowhere."""
        with self.tracer.start_as_current_span("inside"):
            if self.failures:
                self.failures -= 1
                raise ConnectionError(f"no room for {issued.eventId} 919812345678")

    def run(self, *headers: tuple[str, bytes]) -> list[ReadableSpan]:
        """Return the spans behind one notification, the outer ones."""
        self.rehearsal.send_record(encode(ISSUED), headers=headers)
        assert self.rehearsal.run()[Outcome.HANDLED] == 1
        spans = self.memory.get_finished_spans()
        self.inside = [span for span in spans if span.name == "inside"]
        return [span for span in spans if span.name != "inside"]


def test_a_reaction_stands_below_the_producer() -> None:
    """Its span goes on from the record's context, and what the function does shows below it."""
    service = Service()
    [span] = service.run(TRACED)
    assert span.context is not None
    assert span.parent is not None
    assert (span.context.trace_id, span.parent.span_id) == PRODUCER
    assert (span.name, span.kind) == (f"process {SUBSCRIPTION.topic}", SpanKind.CONSUMER)
    told: Any = span.attributes
    assert told["messaging.message.id"] == ISSUED.eventId
    assert told["loyaltystream.notification"] == "pointsIssued"
    assert told["messaging.consumer.group.name"] == SUBSCRIPTION.group
    [inside] = service.inside
    assert inside.parent is not None
    assert inside.parent.span_id == span.context.span_id


def test_what_is_not_recorded_has_no_span() -> None:
    """A context that says so is heeded by the service's own sampler."""
    assert Service().run(UNTRACED) == []


@pytest.mark.parametrize("headers", [[], [("traceparent", b"nonsense")]])
def test_without_a_context_the_service_decides(headers: list[tuple[str, bytes]]) -> None:
    """A notification without one begins a trace of the service's own."""
    [span] = Service().run(*headers)
    assert span.parent is None


def test_each_attempt_has_its_span_and_says_nothing_of_the_error() -> None:
    """A failed call's span has the error's class; what it said may hold a customer's identifier."""
    first, second = Service(failures=1).run(TRACED)
    told: Any = first.attributes
    assert (first.status.status_code, told["error.type"]) == (StatusCode.ERROR, "ConnectionError")
    assert second.status.status_code is StatusCode.UNSET
    assert (first.status.description, list(first.events)) == (None, [])
