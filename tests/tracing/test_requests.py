"""A gateway that traces: what its records say, and the spans of its requests."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.gateway.traced import TracedRequests
from loyaltystream.tracing.context import Context, Parent, read_traceparent
from loyaltystream.tracing.spans import Kind
from tests.core import event
from tests.gateway.conftest import Counter
from tests.tracing.town import PRODUCER, TRACED, UNTRACED, Taken


class Traced:
    """A gateway with a span around its requests."""

    def __init__(self, share: float) -> None:
        self.counter, self.taken = Counter(), Taken()
        drawn = iter(range(0xA0, 0xFF))
        self.counter.client = TestClient(
            TracedRequests(
                self.counter.app, share=share, take=self.taken.take, draw=lambda _bits: next(drawn)
            )
        )

    def post(self, path: str = "/events", body: object = None, **headers: str) -> Any:
        """Return the answer to a body, by default the good event."""
        return self.counter.post(path, event() if body is None else body, **headers)

    def said(self) -> list[Context | None]:
        """Return what the records say."""
        found = (dict(record.headers).get("traceparent") for record in self.counter.records())
        return [None if header is None else read_traceparent(header) for header in found]


def test_a_record_goes_on_from_the_request() -> None:
    """A traced request's span is below its producer's, and its record says that span."""
    traced = Traced(0.0)
    assert traced.post(traceparent=TRACED[1].decode()).status_code == 202
    [span] = traced.taken.spans
    assert (span.kind, span.name, span.parent) == (Kind.SERVER, "POST /events", PRODUCER)
    assert span.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 202,
        "http.route": "/events",
        "loyaltystream.stage": "gateway",
    }
    assert span.ended_ns >= span.began_ns
    assert traced.said() == [Context(Parent(PRODUCER.trace_id, span.span_id), is_sampled=True)]


def test_a_request_that_is_not_traced_is_passed_on_as_it_is() -> None:
    """What its producer decided against has no span, and its record the producer's own header."""
    traced = Traced(1.0)
    traced.post(traceparent=UNTRACED[1].decode())
    assert traced.taken.spans == []
    assert traced.said() == [Context(PRODUCER, is_sampled=False)]


@pytest.mark.parametrize(("share", "spans"), [(0.0, 0), (1.0, 1)])
def test_a_request_without_a_context_is_drawn_once(share: float, spans: int) -> None:
    """Its record says how that came out, so that no later stage draws again."""
    traced = Traced(share)
    traced.post(traceparent="nonsense")
    assert len(traced.taken.spans) == spans
    [said] = traced.said()
    assert said is not None
    assert said.is_sampled == bool(spans)
    assert all(span.parent == Parent(said.parent.trace_id) for span in traced.taken.spans)


def test_a_batch_is_one_span() -> None:
    """All events of a request go on from the same span."""
    traced = Traced(1.0)
    body = [event(eventId="one"), event(eventId="two")]
    assert traced.post("/events/batch", body).status_code == 202
    [span] = traced.taken.spans
    assert span.name == "POST /events/batch"
    assert {said.parent.span_id for said in traced.said() if said} == {span.span_id}
    assert len(traced.said()) == 2


def test_a_path_that_holds_a_secret_is_not_told() -> None:
    """A webhook's span has the route, not the id in its path; what is no route has none."""
    traced = Traced(1.0)
    traced.post("/webhooks/vendors-secret")
    traced.post("/nowhere/vendors-secret")
    assert [span.name for span in traced.taken.spans] == ["POST /webhooks/{source}", "POST"]
    assert "secret" not in str(traced.taken.spans)


def test_a_fault_of_ours_is_one_in_the_trace() -> None:
    """A request that is answered 503 failed; one that is refused did as it should."""
    traced = Traced(1.0)
    traced.counter.post("/events", event(), by=None)
    traced.counter.channel.away = RetryableBrokerError("the broker is away")
    traced.post()
    assert traced.taken.told("http.response.status_code") == [401, 503]
    assert [span.failed for span in traced.taken.spans] == [False, True]


def test_what_brings_no_event_is_not_traced() -> None:
    """Probes, pages and questions have no spans."""
    traced = Traced(1.0)
    assert traced.counter.client.get("/docs").status_code == 200
    traced.counter.ask("one")
    assert traced.taken.spans == []
