"""An org's token never reads or writes another org's definitions: asked of each route there is."""

import json
from typing import Any, Final

import pytest

from loyaltystream.definitions.changing import Mark, create
from loyaltystream.definitions.stored import StoredEvent, encode, key_of
from tests.audit.world import viewed
from tests.core import NOW_MS, ORDERED, VIEWED, define, event, field
from tests.web.conftest import Office

MARK: Final = "only-1800-says-so"
OURS: Final[dict[str, Any]] = ORDERED | {"description": MARK}
DRAFT: Final[dict[str, Any]] = OURS | {"fields": [*OURS["fields"], field(f"{MARK}-too", "string")]}
THEIRS: Final[dict[str, Any]] = ORDERED | {"description": "of the other org"}
ORDER: Final = event(eventName="orderPlaced", fields={"orderId": "A-1", "amount": 5})

BODIES: Final[dict[tuple[str, str], object]] = {
    ("POST", "/v2/events"): THEIRS,
    ("PUT", "/v2/events"): THEIRS,
    ("GET", "/v2/events"): None,
    ("GET", "/v2/events/meta"): None,
    ("POST", "/v2/events/validate"): ORDER | {"orgId": 1800},
    ("POST", "/v2/events/diff"): {"definitions": [THEIRS]},
    ("POST", "/v2/events/apply"): {"definitions": [THEIRS]},
    ("GET", "/v2/events/{event_name}"): None,
    ("GET", "/v2/events/{event_name}/history"): None,
    ("GET", "/v2/events/{event_name}/sample"): None,
    ("POST", "/v2/events/{event_name}/what-if"): THEIRS,
    ("POST", "/v2/events/{event_name}/verify"): ORDER,
    ("POST", "/v2/events/{event_name}/publish"): None,
    ("POST", "/v2/events/{event_name}/disable"): None,
    ("GET", "/v2/standardEvents"): None,
    ("POST", "/v2/standardEvents/{event_name}/enable"): None,
}
"""What another org sends to each route; a route without an entry fails."""

ROUTES: Final = [
    (method.upper(), path)
    for path, methods in Office().client.get("/openapi.json").json()["paths"].items()
    for method in methods
]


@pytest.fixture
def office() -> Office:
    """Return a service where one org has an event, its draft, a standard one, and judged events."""
    office = Office()
    for body in (OURS, VIEWED | {"description": MARK}):
        assert office.post(body).status_code == 200
    assert office.ask("PUT", "/v2/events?state=draft", DRAFT).status_code == 200
    office.world.place(viewed(1))
    office.world.run()
    return office


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("name", ["orderPlaced", "productViewed"])
def test_another_org_neither_reads_nor_writes(
    office: Office, method: str, path: str, name: str
) -> None:
    """Whatever another org asks of a route, it learns and changes nothing of the first one's."""
    assert (method, path) in BODIES, "say here what another org sends to this new route"
    before = ours(office)
    answer = office.ask(
        method, path.replace("{event_name}", name), BODIES[method, path], by="stranger"
    )
    assert answer.status_code < 500, answer.text
    assert MARK not in answer.text
    assert '"orgId":1800' not in answer.text
    assert ours(office) == before


def ours(office: Office) -> tuple[list[bytes | None], str, str]:
    """Return everything that is written and shown of the first org."""
    written = [one.value for one in office.topic.records if (one.key or b"").startswith(b"1800|")]
    listed, history = (
        office.ask("GET", path).text for path in ("/v2/events", "/v2/events/orderPlaced/history")
    )
    return written, listed, history


def test_an_org_with_a_thousand_definitions_has_them_listed() -> None:
    """All of them are there, in one answer, read from what is known already."""
    office = Office()
    fields = [field(f"field{number}", "string", isRequired="true") for number in range(18)]
    for number in range(1000):
        body = ORDERED | {
            "eventName": f"event{number:04}",
            "fields": [*ORDERED["fields"][:2], *fields],
        }
        made = create(None, define(body), dict(body), mark=Mark(number + 1, NOW_MS, "a test"))
        assert isinstance(made, StoredEvent)
        office.topic.append(key_of(*made.name), encode(made))
    listed = office.get("/v2/events")
    assert [one["eventName"] for one in listed] == [f"event{number:04}" for number in range(1000)]
    assert len(json.dumps(listed)) > 1_000_000
    [one] = office.get("/v2/events?eventName=event0500")
    assert len(one["fields"]) == 20
    assert office.post(ORDERED).headers["x-definition-version"] == "1"
