"""What is not taken: which status says why, and that nothing of it is written."""

from typing import Any

import pytest
from starlette.requests import Request

from loyaltystream.dialects.sources import Dialect
from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.gateway.bodies import header_of
from loyaltystream.testing.channel import MemoryChannel
from tests.core import event, raw
from tests.facts import Facts, write
from tests.gateway.conftest import PATHS, RULES, Counter, reasons, refused

ROUTES = [*PATHS.values(), "/events/batch"]
NO_JSON = [
    (b"", "EMPTY"),
    (b" \n", "EMPTY"),
    (b"{", "JSON_SYNTAX"),
    (b"{}{}", "JSON_SYNTAX"),
    (b"[]", "NOT_OBJECT"),
    (b"null", "NOT_OBJECT"),
    (b'{"a": NaN}', "JSON_NUMBER"),
    (b'{"a": 1e400}', "JSON_NUMBER"),
    (b'{"a": 1, "a": 2}', "DUP_KEY"),
    (b'{"a": "\xff"}', "ENCODING"),
    (b'{"a": "\\ud800"}', "ENCODING"),
    (b'{"a": "\\u0000"}', "CTRL_CHAR"),
    (b'{"a":' * 70 + b"1" + b"}" * 70, "DEPTH"),
    (b'{"a":' * 50_000, "DEPTH"),
]
NO_ID = [
    ({"eventId": None}, ("NO_ID", "eventId")),
    ({"eventId": ""}, ("NO_ID", "eventId")),
    ({"eventId": "  "}, ("NO_ID", "eventId")),
    ({"eventId": "a|b"}, ("ID_FORMAT", "eventId")),
    ({"eventId": "a\n"}, ("ID_FORMAT", "eventId")),
    ({"eventId": "x" * 256}, ("ID_FORMAT", "eventId")),
    ({"eventId": 5}, ("TYPE", "eventId")),
    ({"orgId": None}, ("REQUIRED", "orgId")),
    ({"orgId": "1800"}, ("TYPE", "orgId")),
    ({"orgId": True}, ("TYPE", "orgId")),
    ({"orgId": -1}, ("RANGE", "orgId")),
    ({"orgId": 2**63}, ("RANGE", "orgId")),
]


@pytest.fixture(autouse=True)
def _nothing_is_written(counter: Counter) -> Any:
    yield
    assert counter.channel.taken == []
    assert all(events == 0 for _, _, events in counter.watched.answers)


@pytest.mark.parametrize("path", ROUTES)
def test_nobody_is_let_in_without_a_token(counter: Counter, path: str) -> None:
    """Every route is closed, before anything of the request is read."""
    answer = counter.post(path, b"{", by=None)
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    counter.tokens["till"] += "x"
    refused(counter.post(path, b"{"), 401)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("by", ["owner", "looker"])
def test_only_producers_send(counter: Counter, path: str, by: str) -> None:
    """Who may see or change definitions may not thereby send events."""
    refused(counter.post(path, raw(event()), by=by), 403)


def test_an_event_of_another_org_is_refused(counter: Counter) -> None:
    """Whose event it is the event says, and the token has to be that org's."""
    refused(counter.post("/events", event(orgId=1801)), 403)
    refused(counter.post("/events/batch", [event(), event(orgId=1801)]), 403)
    child = {"type": "PARENT_CHILD_ORG", "childOrgId": 1801}
    refused(counter.post("/webhooks/front-desk", {"orgResolver": child, "reference": 1}), 403)


@pytest.mark.parametrize("name", ["kiosk", "nobody", "%2e%2e", "default%00"])
def test_a_source_of_another_org_is_not_there(counter: Counter, name: str) -> None:
    """A token can't tell sources of others from none."""
    texts = {
        refused(counter.post("/webhooks/" + name, b"{}"), 404)["detail"],
        refused(counter.post(f"/api/{name}/customEvent", b"{}"), 404)["detail"],
        refused(counter.post("/v1/events", b"{}", x_event_source=name), 404)["detail"],
    }
    assert len(texts) == 1


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", ROUTES)
def test_a_body_of_another_kind_is_refused(counter: Counter, path: str, kind: str) -> None:
    """What the producer did not say is JSON is not read as such."""
    refused(counter.post(path, raw(event()), kind=kind), 415)


def test_a_body_that_would_have_to_be_turned_into_utf8_is_refused(counter: Counter) -> None:
    """Neither other character sets nor compression."""
    refused(counter.post("/events", event(), kind="application/json; charset=latin-1"), 415)
    refused(counter.post("/events", event(), content_encoding="gzip"), 415)


@pytest.mark.parametrize("path", PATHS.values())
def test_a_large_body_is_refused(counter: Counter, path: str) -> None:
    """One byte too many is not read."""
    sent = raw(event()).ljust(RULES.max_event_bytes + 1)
    refused(counter.post(path, sent), 413)


@pytest.mark.parametrize(("sent", "reason"), NO_JSON)
@pytest.mark.parametrize("dialect", Dialect)
def test_what_is_no_json_object_is_refused(
    counter: Counter, dialect: Dialect, sent: bytes, reason: str
) -> None:
    """Whose event it is can't be told, so nobody could be answered for it later."""
    assert reasons(counter.post(PATHS[dialect], sent)) == [(reason, "")]


@pytest.mark.parametrize(("change", "told"), NO_ID)
def test_without_an_id_or_an_org_nothing_is_taken(
    counter: Counter, change: dict[str, Any], told: tuple[str, str]
) -> None:
    """What was acknowledged has to be found again."""
    assert told in reasons(counter.post("/events", event(**change)))


def test_everything_that_is_wrong_is_told(counter: Counter) -> None:
    """What cannot be taken is told with all violations, at the places of its producer."""
    sent = {"event": {"type": 5, "eventId": "a|b", "eventDate": "soon", "customerData": {}}}
    assert reasons(counter.post("/api/default/customEvent", sent)) == [
        ("ID_FORMAT", "event.eventId"),
        ("TYPE", "event.type"),
        ("TIME_FORMAT", "event.eventDate"),
        ("NO_CUSTOMER", "event.customerData"),
    ]


@pytest.mark.parametrize("dialect", [Dialect.CANONICAL, Dialect.CAPILLARY, Dialect.OPEN_LOYALTY])
def test_two_ids_are_refused(counter: Counter, dialect: Dialect) -> None:
    """An event has one id: a header that says another one is a mistake."""
    sent = write(Facts(), dialect).value
    answer = counter.post(PATHS[dialect], sent, idempotency_key="another")
    assert reasons(answer) == [("ID_FORMAT", "headers.idempotency-key")]


@pytest.mark.parametrize("asked", ["", " ", "a|b", "x" * 256, "a\x1fb"])
def test_a_key_of_idempotency_has_to_be_an_id(counter: Counter, asked: str) -> None:
    """What could not be an eventId is not taken for one."""
    found = reasons(counter.post("/v1/events", {"event": "a"}, idempotency_key=asked))
    assert found[0][0] in {"NO_ID", "ID_FORMAT"}
    assert found[0][1] == "headers.idempotency-key"


def test_a_header_that_is_not_utf8_is_no_id() -> None:
    """Bytes that say no text are told apart from a header that is not there."""
    scope = {"type": "http", "headers": [(b"idempotency-key", b"\xff"), (b"a", b"\xc3\xa9")]}
    assert header_of(Request(scope), "idempotency-key") == "\0"
    assert header_of(Request(scope), "a") == "\xe9"
    assert header_of(Request(scope), "b") is None


def test_a_full_queue_says_when_to_come_back(counter: Counter) -> None:
    """No event waits beyond what was allowed."""
    full = Counter(channel=MemoryChannel(room=0))
    answer = full.post("/events", event())
    refused(answer, 429)
    assert int(answer.headers["retry-after"]) > 0
    assert full.channel.taken == counter.channel.taken == []


@pytest.mark.parametrize("failure", [RetryableBrokerError("gone"), FatalBrokerError("worn")])
@pytest.mark.parametrize("dialect", Dialect)
def test_without_kafka_nothing_is_acknowledged(
    counter: Counter, dialect: Dialect, failure: Exception
) -> None:
    """An event that is not known to be written has to come again, under the same id."""
    assert isinstance(failure, RetryableBrokerError | FatalBrokerError)
    counter.channel.away = failure
    answer = counter.send(Facts(), dialect)
    refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert counter.watched.failures == [str(failure)]
    assert "gone" not in answer.text


def test_what_the_broker_finds_too_large_is_told_so() -> None:
    """A topic with a smaller bound than ours does not make its producer try for ever."""
    small = Counter(channel=MemoryChannel(largest=100))
    refused(small.post("/events", event()), 413)


def test_other_paths_and_methods_are_problems_too(counter: Counter) -> None:
    """Whatever is asked, the answer has one form, and the metric a label of its own."""
    answer = counter.client.get("/events")
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"
    refused(counter.client.post("/"), 404)
    refused(counter.client.get("/webhooks/a/b"), 404)
    assert {route for route, _, _ in counter.watched.answers} == {"other"}
