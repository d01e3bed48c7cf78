"""Whatever is sent, the service answers as it documents, and never with a fault of its own."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core import ORDERED, VIEWED
from tests.web.conftest import Office

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
PLACES = ["eventName", "actions", "description", "fields", "notifications", "version"]
PLACES += ["uniquenessWindow", "uniqueKeyConflicts", "acceptsLate", "disabled"]
PARTS = ["name", "type", "attributes"]
ATTRIBUTES = ["isRequired", "isUniqueKeyField", "identifierType", "regex", "possibleValues"]
PATHS = ["/v2/events", "/v2/events?state=draft", "/v2/events/validate"]


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    """Draw a good definition with a few of its parts replaced by anything."""
    body = json.loads(json.dumps(draw(st.sampled_from([ORDERED, VIEWED]))))
    for _ in range(draw(st.integers(0, 3))):
        field = draw(st.sampled_from(body["fields"])) if isinstance(body["fields"], list) else {}
        kind = draw(st.sampled_from(["whole", "field", "attribute"]))
        if kind == "whole":
            body[draw(st.sampled_from(PLACES))] = draw(VALUES)
        elif kind == "field" and isinstance(field, dict):
            field[draw(st.sampled_from(PARTS))] = draw(VALUES)
        elif isinstance(field, dict) and isinstance(field.get("attributes"), dict):
            content = {"value": draw(VALUES), "valueType": draw(VALUES | st.just("String"))}
            field["attributes"][draw(st.sampled_from(ATTRIBUTES))] = draw(st.just(content) | VALUES)
        if not isinstance(body["fields"], list) or not body["fields"]:
            break
    return body


@pytest.fixture(scope="module")
def open_office() -> Office:
    """Return a service for all that is sent."""
    return Office()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=bodies() | VALUES, path=st.sampled_from(PATHS), method=st.sampled_from(["POST", "PUT"]))
def test_every_body_has_a_documented_answer(
    open_office: Office, body: Any, path: str, method: str
) -> None:
    """No definition or sample of any shape makes the service fail."""
    answer = open_office.ask("POST" if "validate" in path else method, path, body)
    documented = open_office.client.get("/openapi.json").json()["paths"]
    known = documented[path.partition("?")[0]]["post" if "validate" in path else method.lower()][
        "responses"
    ]
    assert str(answer.status_code) in known, answer.text
    assert answer.json().keys() >= {"errors", "warnings"}


@settings(max_examples=150, deadline=None)
@given(body=bodies(), event=VALUES | st.just(ORDERED))
def test_every_trial_has_an_answer(open_office: Office, body: Any, event: Any) -> None:
    """A definition that is brought along is refused or tried, whatever it is."""
    sent = {"definition": body, "event": event}
    answer = open_office.ask("POST", "/v2/events/validate", sent)
    assert answer.status_code in {200, 400, 422}, answer.text


@settings(max_examples=150, deadline=None)
@given(sent=st.binary(max_size=64))
def test_any_bytes_have_an_answer(open_office: Office, sent: bytes) -> None:
    """Bytes that are no JSON are told so."""
    headers = {"X-CAP-API-OAUTH-TOKEN": open_office.tokens["owner"]}
    for path, statuses in (("/v2/events", {400}), ("/v2/events/validate", {200, 400})):
        answer = open_office.client.post(path, content=sent, headers=headers)
        assert answer.status_code in statuses
