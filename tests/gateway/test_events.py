"""Events of each dialect, one at a time: what is written, and what their producers are told."""

import json
from typing import Any

import pytest

from loyaltystream.dialects.sources import Dialect
from tests.core import TOPICS, Partition, event, ingest, outputs, raw, read_event, record, verdicts
from tests.facts import Facts, write
from tests.gateway.conftest import PATHS, RULES, Counter, refused

KEY = b"1800|mobile|919812345678"
RESERVED = {"event_name": "roomReserved", "guest": "919812345678", "hotel": "Lotus"}
VOUCHER = {
    "event": "roomReserved",
    "customer": {"phone": "919812345678", "id": "c-1"},
    "metadata": {"hotel": "Lotus"},
}


def headers(counter: Counter) -> dict[str, str]:
    """Return the headers of the only record."""
    [posting] = counter.channel.taken
    assert len(dict(posting.headers)) == len(posting.headers)
    return {name: value.decode() for name, value in posting.headers}


def own_words(dialect: Dialect, event_id: str) -> tuple[int, Any]:
    """Return status and body with which each vendor acknowledges."""
    return {
        Dialect.CANONICAL: (202, {"eventId": event_id}),
        Dialect.CAPILLARY: (
            200,
            {
                "status": {"code": 1100, "message": "Event is pushed to transformation state"},
                "requestId": "made-1",
            },
        ),
        Dialect.OPEN_LOYALTY: (200, {"customEventId": event_id}),
        Dialect.VOUCHERIFY: (
            200,
            {
                "object": "event",
                "type": "roomReserved",
                "customer": {"phone": "919812345678"},
                "referral": None,
                "loyalty": None,
            },
        ),
    }[dialect]


@pytest.mark.parametrize("dialect", Dialect)
def test_an_event_is_written_as_it_came_and_acknowledged(
    counter: Counter, dialect: Dialect
) -> None:
    """The record has the producer's bytes, its customer's key, and headers that fix its id."""
    answer = counter.send(Facts(), dialect)
    assert (answer.status_code, answer.json()) == own_words(dialect, "a-1")
    assert answer.headers["x-event-id"] == "a-1"
    [posting] = counter.channel.taken
    assert posting.value == write(Facts(), dialect).value
    assert posting.key == KEY
    told = {"x-event-dialect": dialect.value, "x-event-id": "a-1"}
    if dialect is not Dialect.CANONICAL:
        told["x-event-source"] = "default"
    if dialect is Dialect.VOUCHERIFY:
        told["x-event-time"] = str(Facts().occurred_ms)
    assert headers(counter) == told
    assert counter.watched.answers[0][1:] == (answer.status_code, 1)


@pytest.mark.parametrize("dialect", Dialect)
def test_over_http_it_is_the_same_event_as_by_kafka(counter: Counter, dialect: Dialect) -> None:
    """What is routed of an event does not tell which way it came."""
    counter.send(Facts(), dialect)
    told = write(Facts(), dialect)
    by_kafka = record(told.value, key=KEY, headers=told.headers)
    routed = []
    for plan in (counter.judged(), Partition(ingest(RULES)).commit([by_kafka])):
        assert verdicts(plan) == {"accepted": 1}
        [output] = outputs(plan, TOPICS.emf)
        routed.append((output.key, read_event(output.value)))
    assert routed[0] == routed[1]


def test_all_dialects_of_one_event_are_one_event(counter: Counter) -> None:
    """Whoever sends what another has sent, in whichever dialect, sends a duplicate."""
    for dialect in Dialect:
        counter.send(Facts(), dialect)
    assert verdicts(counter.judged()) == {"accepted": 1, "duplicate": 3}


def test_a_key_of_idempotency_is_the_id_of_an_event_without_one(counter: Counter) -> None:
    """A producer that sends again under its key sends the same event."""
    sent = event()
    del sent["eventId"]
    for _ in range(2):
        answer = counter.post("/events", sent, idempotency_key="mine")
        assert answer.json() == {"eventId": "mine"}
    for _ in range(2):
        assert counter.post("/v1/events", VOUCHER, idempotency_key="yours").is_success
    assert verdicts(counter.judged()) == {"accepted": 2, "duplicate": 2}


def test_a_key_of_idempotency_may_be_said_beside_the_same_id(counter: Counter) -> None:
    """Two words for one id are one id."""
    sent = event(eventId="same")
    assert counter.post("/events", sent, idempotency_key="same").json() == {"eventId": "same"}
    hotel = RESERVED | {"external_event_id": 7}
    answer = counter.post("/webhooks/default", hotel, idempotency_key="7")
    assert answer.headers["x-event-id"] == "7"


def test_the_header_of_records_says_an_id_as_well(counter: Counter) -> None:
    """What a producer would put on a record it may put on a request; two ids are a mistake."""
    assert counter.post("/v1/events", VOUCHER, x_event_id="a").headers["x-event-id"] == "a"
    both = {"x_event_id": "a", "idempotency_key": "a"}
    assert counter.post("/v1/events", VOUCHER, **both).headers["x-event-id"] == "a"
    refused(counter.post("/v1/events", VOUCHER, **both | {"x_event_id": "b"}), 422)
    assert verdicts(counter.judged()) == {"accepted": 1, "duplicate": 1}


def test_an_event_without_any_id_is_given_one(counter: Counter) -> None:
    """Its record says the id that the producer was told; to send it again makes another event."""
    first, second = (counter.post("/v1/events", VOUCHER) for _ in range(2))
    ids = [first.headers["x-event-id"], second.headers["x-event-id"]]
    assert ids == ["made-1", "made-2"]
    plan = counter.judged()
    assert verdicts(plan) == {"accepted": 2}
    assert [read_event(one.value)["eventId"] for one in outputs(plan, TOPICS.emf)] == ids


def test_a_moment_of_its_own_makes_the_id(counter: Counter) -> None:
    """An event that names its moment has an id that INGEST makes too, and needs no header."""
    timed = RESERVED | {"eventDateTime": "24-11-2025 16:00:00"}
    [told] = {counter.post("/webhooks/default", timed).headers["x-event-id"] for _ in range(2)}
    assert "x-event-id" not in dict(counter.channel.taken[0].headers)
    plan = counter.judged()
    assert verdicts(plan) == {"accepted": 1, "duplicate": 1}
    [routed] = outputs(plan, TOPICS.emf)
    assert read_event(routed.value)["eventId"] == told
    assert read_event(routed.value)["eventIdOrigin"] == "DERIVED"
    assert (
        counter.post("/webhooks/default", timed, idempotency_key="k").headers["x-event-id"] == "k"
    )


def test_the_webhook_says_how_an_event_is_read(counter: Counter) -> None:
    """The path names the source, with its names of events and fields."""
    sent = {"event_name": "Room Reserved", "Phone": "919812345678", "Hotel Name": "Lotus"}
    answer = counter.post("/webhooks/front-desk", sent | {"reference": "r-1"})
    assert answer.headers["x-event-id"] == "r-1"
    [routed] = outputs(counter.judged(), TOPICS.emf)
    assert read_event(routed.value)["webhookId"] == "front-desk"


def test_a_project_is_named_by_a_header(counter: Counter) -> None:
    """Voucherify's path has no place for it."""
    sent = VOUCHER | {"event": "Room reserved"}
    answer = counter.post("/v1/events", sent, by="stranger", x_event_source="hotels")
    assert answer.json()["type"] == "Room reserved"
    [routed] = outputs(counter.judged(), TOPICS.emf)
    assert (read_event(routed.value)["orgId"], routed.key) == (1801, b"1801|mobile|919812345678")


def test_a_trace_goes_along(counter: Counter) -> None:
    """What came with a traceparent is written with it."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    counter.post("/events", event(), traceparent=trace)
    assert headers(counter)["traceparent"] == trace


@pytest.mark.parametrize(
    "sent",
    [
        event(eventName="neverDefined"),
        event(fields={"price": "much"}),
        event(customer={}),
        event(occurredAt="yesterday"),
    ],
)
def test_what_is_wrong_in_an_event_is_for_the_judge(counter: Counter, sent: dict[str, Any]) -> None:
    """An event of the token's org with an id is taken, and its dead letter says what is wrong."""
    answer = counter.post("/events", sent)
    assert (answer.status_code, answer.json()) == (202, {"eventId": sent["eventId"]})
    plan = counter.judged()
    assert verdicts(plan) == {"rejected": 1}
    assert len(outputs(plan, TOPICS.dead_letter)) == 1


@pytest.mark.parametrize("event_id", ["é", " a ", "a\u2028b", "a%41"])
def test_an_id_that_no_header_can_hold_is_encoded(counter: Counter, event_id: str) -> None:
    """The body says it as it is, the header percent-encoded, the record in UTF-8."""
    answer = counter.post("/events", event(eventId=event_id))
    assert answer.json() == {"eventId": event_id}
    assert answer.headers["x-event-id"].startswith(("%", "a%"))
    assert dict(counter.channel.taken[0].headers)["x-event-id"].decode() == event_id
    asked = counter.post("/v1/events", VOUCHER, idempotency_key="clé".encode().decode("latin-1"))
    assert asked.headers["x-event-id"] == "cl%C3%A9"


def test_bytes_are_kept(counter: Counter) -> None:
    """White space, the order of keys and the spelling of numbers reach the topic."""
    sent = b" " + raw(event()).replace(b"1299.5", b"1.29950e3") + b"\n"
    assert counter.post("/events", sent, kind="Application/JSON; charset=UTF-8").is_success
    assert counter.channel.taken[0].value == sent


def test_every_dialect_has_its_way_in() -> None:
    """Each has a route, and the routes are those that the page names."""
    routes = {route.path for route in Counter().gateway.routes(str)}
    assert len(PATHS) == len(Dialect)
    assert routes == {
        "/events",
        "/events/batch",
        "/webhooks/{source}",
        "/api/{source}/customEvent",
        "/v1/events",
    }
    assert json.loads(write(Facts(), Dialect.CANONICAL).value)["eventId"] == "a-1"
