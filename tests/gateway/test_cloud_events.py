"""Events of ours in CloudEvents envelopes: in headers, or around them."""

import json

import pytest

from loyaltystream.gateway.bodies import CLOUD_EVENT
from tests.core import event, raw, verdicts
from tests.gateway.conftest import Counter, reasons, refused

ENVELOPE = {"specversion": "1.0", "id": "ce-1", "source": "/till/7", "type": "productViewed"}
HEADERS = {f"ce_{name}": value for name, value in ENVELOPE.items()}


def test_the_event_is_what_the_envelope_holds(counter: Counter) -> None:
    """Its bytes become the record, and the envelope's id is its id where it has none."""
    inner = event(eventId=None)
    answer = counter.post("/events", ENVELOPE | {"data": inner}, kind=CLOUD_EVENT)
    assert answer.json() == {"eventId": "ce-1"}
    assert json.loads(counter.channel.taken[0].value) == inner
    assert counter.post("/events", inner, **HEADERS).json() == {"eventId": "ce-1"}
    assert verdicts(counter.judged()) == {"accepted": 1, "duplicate": 1}


def test_the_id_of_the_envelope_may_be_the_event_s_own(counter: Counter) -> None:
    """Said twice it is one id, and another one is a mistake."""
    same, other = event(eventId="ce-1"), event(eventId="x")
    assert counter.post("/events", same, **HEADERS).is_success
    told = [("ID_FORMAT", "headers.ce-id")]
    assert reasons(counter.post("/events", other, **HEADERS)) == told
    answer = counter.post("/events", ENVELOPE | {"data": other}, kind=CLOUD_EVENT)
    assert reasons(answer) == [("ID_FORMAT", "id")]
    refused(counter.post("/events", same, idempotency_key="k", **HEADERS), 422)
    assert len(counter.channel.taken) == 1


@pytest.mark.parametrize(
    "change", [{"specversion": "0.3"}, {"id": 5}, {"id": None}, {"source": None}, {"data": "x"}]
)
def test_what_is_no_cloud_event_is_refused(counter: Counter, change: dict[str, object]) -> None:
    """The envelope is version 1.0 and has what that demands, and an event of ours."""
    sent = ENVELOPE | {"data": event()} | change
    refused(counter.post("/events", sent, kind=CLOUD_EVENT), 422)
    refused(counter.post("/events", b"{", kind=CLOUD_EVENT), 422)


def test_headers_of_another_version_are_refused(counter: Counter) -> None:
    """A version that nobody knows may mean anything."""
    refused(counter.post("/events", raw(event()), **HEADERS | {"ce_specversion": "2.0"}), 422)
    refused(counter.post("/events", raw(event(eventId=None)), ce_specversion="1.0"), 422)
