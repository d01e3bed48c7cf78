"""What else the service does: versions, drafts, dry runs, samples; and for whom."""

from typing import Any

import pytest

from loyaltystream.definitions.history import History
from loyaltystream.definitions.registry import Definitions
from loyaltystream.definitions.standard import STANDARD_EVENTS, standard_body
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.rules import Rules
from loyaltystream.trying import try_event
from tests.core import EVENT_SCHEMA_ID, NOW_MS, ORDERED, VIEWED, define, event, field, raw
from tests.web.conftest import TOPIC, Office, problems

WIDER = ORDERED | {"fields": [*ORDERED["fields"], field("shelf", "string")]}
LESS = ORDERED | {"fields": ORDERED["fields"][:-1]}
ORDER = event(eventName="orderPlaced", fields={"orderId": "A-1", "amount": 5})

ROUTES = [
    ("POST", "/v2/events", ORDERED),
    ("PUT", "/v2/events", WIDER),
    ("GET", "/v2/events", None),
    ("GET", "/v2/events/meta", None),
    ("POST", "/v2/events/validate", ORDER),
    ("GET", "/v2/events/orderPlaced", None),
    ("GET", "/v2/events/orderPlaced/sample", None),
    ("POST", "/v2/events/orderPlaced/verify", ORDER),
    ("POST", "/v2/events/orderPlaced/publish", None),
    ("POST", "/v2/events/orderPlaced/disable", None),
    ("GET", "/v2/standardEvents", None),
    ("POST", "/v2/standardEvents/productViewed/enable", None),
]
CHANGING = [
    (method, path, body)
    for method, path, body in ROUTES
    if method != "GET" and not path.endswith("validate")
]


def test_every_route_is_tried_here(office: Office) -> None:
    """The lists of this file name every route that the service documents."""
    documented = {
        (method.upper(), path.replace("{event_name}", "orderPlaced"))
        for path, methods in office.client.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    tried = {
        (method, path.replace("standardEvents/productViewed", "standardEvents/orderPlaced"))
        for method, path, _ in ROUTES
    }
    assert documented == tried


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_nobody_is_let_in_without_a_token(
    office: Office, method: str, path: str, body: object
) -> None:
    """Every route is closed: without a token, with a wrong one, with one of another name."""
    name, _, secret = office.tokens["owner"].partition(".")
    wrong = [None, "", name, f"{name}.", f"{name}.x", f"looker.{secret}", f"nobody.{secret}", "é.é"]
    for token in wrong:
        headers = {} if token is None else {b"X-CAP-API-OAUTH-TOKEN": token.encode()}
        answer = office.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == 401, token
        assert answer.headers["www-authenticate"] == "Bearer"
        assert problems(answer)[0][0] == "UNAUTHORIZED"
    assert office.topic.records == []


@pytest.mark.parametrize(("method", "path", "body"), CHANGING)
def test_a_viewer_changes_nothing(office: Office, method: str, path: str, body: object) -> None:
    """A token to look with opens no route that changes anything."""
    answer = office.ask(method, path, body, by="looker")
    assert (answer.status_code, problems(answer)[0][0]) == (403, "FORBIDDEN")
    assert office.topic.records == []


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_a_producer_sees_nothing(office: Office, method: str, path: str, body: object) -> None:
    """A token to send events with opens no route of the definitions."""
    answer = office.ask(method, path, body, by="till")
    assert (answer.status_code, problems(answer)[0][0]) == (403, "FORBIDDEN")
    assert office.topic.records == []


def test_a_token_may_come_as_a_bearer(office: Office) -> None:
    """Both headers are as good; the vendor's counts where both are there."""
    good, bad = f"bearer {office.tokens['looker']}", "Bearer x.y"
    ask = office.client.get
    assert ask("/v2/events", headers={"Authorization": good}).status_code == 200
    assert ask("/v2/events", headers={"Authorization": bad}).status_code == 401
    both = {"Authorization": bad, "X-CAP-API-OAUTH-TOKEN": office.tokens["looker"]}
    assert ask("/v2/events", headers=both).status_code == 200


@pytest.fixture
def shared(office: Office) -> Office:
    """Return a service that holds one event of org 1800, with a draft of its next version."""
    assert office.post(ORDERED).status_code == 200
    assert office.ask("PUT", "/v2/events?state=draft", WIDER).status_code == 200
    return office


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [route for route in ROUTES if "orderPlaced" in route[1]],
)
def test_another_orgs_event_is_not_there(
    shared: Office, method: str, path: str, body: object
) -> None:
    """A token of another org neither sees nor changes an event, whatever route it takes."""
    before = len(shared.topic.records)
    answer = shared.ask(method, path, body, by="stranger")
    assert (answer.status_code, problems(answer)[0][0]) == (404, "NOT_FOUND")
    assert len(shared.topic.records) == before


def test_another_org_lists_and_defines_its_own(shared: Office) -> None:
    """The same name in two orgs is two events."""
    assert shared.get("/v2/events", by="stranger") == []
    refused = shared.put(WIDER, by="stranger")
    assert (refused.status_code, problems(refused)[0][0]) == (404, "NOT_FOUND")
    assert shared.post(LESS, by="stranger").status_code == 200
    [theirs] = shared.get("/v2/events", by="stranger")
    [ours] = shared.get("/v2/events")
    assert len(theirs["fields"]) < len(ours["fields"])
    assert shared.ask("POST", "/v2/standardEvents/productViewed/enable", by="stranger").is_success
    assert [one["eventName"] for one in shared.get("/v2/events")] == ["orderPlaced"]


def test_another_orgs_definition_judges_nothing(shared: Office) -> None:
    """A dry run of an event of another org finds no definition, with either org's token."""
    for by, sent in (("stranger", ORDER), ("owner", ORDER | {"orgId": 1801})):
        trial = shared.ask("POST", "/v2/events/validate", sent, by=by).json()["data"]
        assert trial["verdict"] == "rejected"
        assert [found["code"] for found in trial["violations"]] == ["UNKNOWN_EVENT"]
    told = shared.ask("POST", "/v2/events/validate?draft=true", ORDER, by="stranger")
    assert told.status_code == 404


def test_meta_is_everybodys(office: Office) -> None:
    """What definitions consist of depends on the deployment only."""
    meta = office.get("/v2/events/meta", by="stranger")
    assert meta["actions"] == ["EMFConsumer", "EIConsumer"]
    customer = next(one for one in meta["fields"] if one["type"] == "CUSTOMER")
    assert customer["attributes"]["identifierType"]["value"] == "mobile"
    assert len(meta["fields"]) == 15


def test_a_next_version_adds(office: Office) -> None:
    """PUT replaces the whole; older versions can still be looked at."""
    office.post(ORDERED)
    answer = office.put(WIDER)
    assert (answer.status_code, answer.headers["x-definition-version"]) == (200, "2")
    shown = office.get("/v2/events/orderPlaced")
    assert (shown["version"], len(shown["fields"])) == (2, 5)
    assert [one["version"] for one in shown["versions"]] == [1, 2]
    assert shown["versions"][0]["publishedBy"] == "owner"
    assert len(office.get("/v2/events/orderPlaced?version=1")["fields"]) == 4
    missing = office.ask("GET", "/v2/events/orderPlaced?version=3")
    assert missing.status_code == 404


def test_a_version_that_drops_something_is_a_conflict(office: Office) -> None:
    """Everything that is no addition is told, with status 409."""
    office.post(ORDERED)
    answer = office.put(LESS | {"actions": ["EIConsumer"]})
    assert answer.status_code == 409
    assert problems(answer) == [
        ("NOT_ADDITIVE", "actions: EMFConsumer became EIConsumer"),
        ("NOT_ADDITIVE", "fields: note is gone"),
    ]
    assert office.get("/v2/events/orderPlaced")["version"] == 1


def test_what_is_not_there_is_not_replaced(office: Office) -> None:
    """PUT creates nothing."""
    answer = office.put(ORDERED)
    assert (answer.status_code, problems(answer)) == (
        404,
        [("NOT_FOUND", "no event orderPlaced in this org")],
    )


def test_disabling_is_for_good(office: Office) -> None:
    """A disabled event is still shown, gets no version, and disabling it again is harmless."""
    office.post(ORDERED)
    for _ in range(2):
        assert office.ask("POST", "/v2/events/orderPlaced/disable").json() == {
            "warnings": [],
            "errors": [],
        }
    assert office.get("/v2/events/orderPlaced")["state"] == "disabled"
    assert problems(office.put(WIDER))[0][0] == "DISABLED"
    history = History(TOPIC, EVENT_SCHEMA_ID)
    history.learn(office.topic.records)
    assert history.view().get(1800, "orderPlaced") is None


def test_the_list_is_by_name_and_can_be_narrowed(office: Office) -> None:
    """An event that is called as a route can be found by the list."""
    for name in ("validate", "meta", "aEvent"):
        assert office.post(ORDERED | {"eventName": name}).status_code == 200
    names = [one["eventName"] for one in office.get("/v2/events")]
    assert names == ["aEvent", "meta", "validate"]
    [found] = office.get("/v2/events?eventName=meta")
    assert found["eventName"] == "meta"


def test_a_draft_becomes_a_version_in_steps(office: Office) -> None:
    """Draft, a sample that it accepts, publication; nothing is judged by it before."""
    assert office.ask("POST", "/v2/events?state=draft", ORDERED).status_code == 200
    shown = office.get("/v2/events/orderPlaced")
    assert (shown["state"], shown["version"], shown["draft"]["state"]) == ("draft", 0, "draft")
    early = office.ask("POST", "/v2/events/orderPlaced/publish")
    assert (early.status_code, problems(early)[0][0]) == (409, "NOT_VERIFIED")
    wrong = office.ask("POST", "/v2/events/orderPlaced/verify", ORDER | {"fields": {}})
    assert wrong.json()["data"]["verdict"] == "rejected"
    assert office.get("/v2/events/orderPlaced")["state"] == "draft"
    right = office.ask("POST", "/v2/events/orderPlaced/verify", ORDER)
    assert right.json()["data"]["verdict"] == "accepted"
    assert office.get("/v2/events/orderPlaced")["state"] == "verified"
    plain = office.ask("POST", "/v2/events/validate", ORDER).json()["data"]
    assert plain["violations"][0]["code"] == "UNKNOWN_EVENT"
    assert office.ask("POST", "/v2/events/orderPlaced/publish").status_code == 200
    assert office.get("/v2/events/orderPlaced")["state"] == "published"
    again = office.ask("POST", "/v2/events/orderPlaced/publish")
    assert (again.status_code, problems(again)[0][0]) == (409, "NO_DRAFT")


def test_a_draft_of_a_next_version_leaves_the_last_one_in_force(shared: Office) -> None:
    """The event is published and drafted at once, and each can be tried."""
    shown = shared.get("/v2/events/orderPlaced")
    assert (shown["state"], shown["version"], len(shown["fields"])) == ("published", 1, 4)
    assert len(shown["draft"]["body"]["fields"]) == 5
    on_shelf = ORDER | {"fields": ORDER["fields"] | {"shelf": {}}}
    plain = shared.ask("POST", "/v2/events/validate", on_shelf).json()["data"]
    draft = shared.ask("POST", "/v2/events/validate?draft=true", on_shelf).json()["data"]
    assert (plain["verdict"], draft["verdict"]) == ("accepted", "rejected")


def test_a_dry_run_tells_everything_and_writes_nothing(shared: Office) -> None:
    """Verdict, key, destinations and every violation are told, and the topic stays as it is."""
    before = len(shared.topic.records)
    good = shared.ask("POST", "/v2/events/validate", ORDER, by="looker").json()["data"]
    assert good == {
        "verdict": "accepted",
        "eventName": "orderPlaced",
        "version": 1,
        "partitionKey": "1800|mobile|919812345678",
        "actions": ["EMFConsumer"],
        "violations": [],
    }
    bad = ORDER | {"eventId": "", "fields": {"amount": "much"}}
    told = shared.ask("POST", "/v2/events/validate", bad).json()["data"]
    assert {(found["code"], found["path"]) for found in told["violations"]} == {
        ("NO_ID", "eventId"),
        ("NO_KEY", "fields.orderId"),
        ("TYPE", "fields.amount"),
    }
    assert next(f for f in told["violations"] if f["code"] == "NO_ID")["vendorCode"] == 7306
    assert len(shared.topic.records) == before


@pytest.mark.parametrize(
    "sent", [b"", b"{", b"[]", b"\xff", b"{" * 300, b'"x"', b'{"eventName":7}']
)
def test_a_dry_run_of_anything_is_a_verdict(office: Office, sent: bytes) -> None:
    """What is no event is rejected as it would be on the topic."""
    headers = {"X-CAP-API-OAUTH-TOKEN": office.tokens["owner"]}
    answer = office.client.post("/v2/events/validate", content=sent, headers=headers)
    assert answer.status_code == 200
    trial = answer.json()["data"]
    assert trial["verdict"] == "rejected"
    assert trial["violations"]


def test_a_dry_run_may_bring_its_own_definition(office: Office) -> None:
    """A definition that is not stored is tried with an event of it, or told to be wrong."""
    sent = {"definition": ORDERED, "event": ORDER}
    trial = office.ask("POST", "/v2/events/validate", sent, by="looker").json()["data"]
    assert trial["verdict"] == "accepted"
    empty = office.ask("POST", "/v2/events/validate", {"definition": ORDERED}).json()["data"]
    assert [found["code"] for found in empty["violations"]] == ["EMPTY"]
    wrong = sent | {"definition": ORDERED | {"actions": []}}
    answer = office.ask("POST", "/v2/events/validate", wrong)
    assert (answer.status_code, problems(answer)[0][0]) == (400, 1810)
    assert office.topic.records == []


@pytest.mark.parametrize("body", [ORDERED, VIEWED])
def test_a_sample_is_accepted(office: Office, body: dict[str, Any]) -> None:
    """What is shown as a sample would be accepted."""
    office.post(body)
    sample = office.get(f"/v2/events/{body['eventName']}/sample")
    trial = office.ask("POST", "/v2/events/validate", sample).json()["data"]
    assert (trial["verdict"], trial["violations"]) == ("accepted", [])


def test_a_sample_says_what_a_person_has_to_fill_in(office: Office) -> None:
    """A required text of a pattern that no guess matches is named, not made up."""
    office.post(
        ORDERED
        | {
            "fields": [
                *ORDERED["fields"],
                field("pin", "string", isRequired="true", regex="[xyz]{7}"),
            ]
        }
    )
    answer = office.ask("GET", "/v2/events/orderPlaced/sample").json()
    assert "pin" not in answer["data"]["fields"]
    assert answer["warnings"] == ["fields.pin: fill in what its regex wants"]


def test_a_draft_has_a_sample_as_well(office: Office) -> None:
    """Whoever verifies a draft can start from its sample."""
    office.ask("POST", "/v2/events?state=draft", ORDERED)
    sample = office.get("/v2/events/orderPlaced/sample")
    answer = office.ask("POST", "/v2/events/orderPlaced/verify", sample)
    assert answer.json()["data"]["verdict"] == "accepted"


def test_standard_events_can_be_enabled(office: Office) -> None:
    """Each of the vendor's standard events is a definition, by one call, once."""
    assert office.get("/v2/standardEvents") == list(STANDARD_EVENTS)
    for name in STANDARD_EVENTS:
        assert office.ask("POST", f"/v2/standardEvents/{name}/enable").status_code == 200
        assert office.get(f"/v2/events/{name}")["state"] == "published"
    again = office.ask("POST", "/v2/standardEvents/productViewed/enable")
    assert problems(again) == [(1806, "productViewed event already exists")]
    assert office.ask("POST", "/v2/standardEvents/nothing/enable").status_code == 404


def test_standard_events_accept_their_sample(office: Office) -> None:
    """A standard event is one that can be sent."""
    for name in STANDARD_EVENTS:
        office.ask("POST", f"/v2/standardEvents/{name}/enable")
        sample = office.get(f"/v2/events/{name}/sample")
        definition = define(standard_body(name) or {})
        trial = try_event(
            raw(sample), Definitions([definition], EVENT_SCHEMA_ID), Rules(), now_ms=NOW_MS
        )
        assert trial.verdict == "accepted"


def test_while_the_broker_is_away_nothing_changes(office: Office) -> None:
    """Looking and changing are answered with 503, without the broker's own words."""
    office.log.away = RetryableBrokerError("at host 10.0.0.1")
    for answer in (office.post(ORDERED), office.ask("GET", "/v2/events")):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "10.0.0.1" not in answer.text
        assert problems(answer)[0][0] == "UNAVAILABLE"
    office.log.away = None
    assert office.post(ORDERED).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/nothing", 404),
        ("DELETE", "/v2/events", 405),
        ("POST", "/v2/events?state=other", 400),
        ("GET", "/v2/events/orderPlaced?version=x", 400),
        ("GET", "/v2/events/orderPlaced?version=0", 400),
        ("GET", "/v2/events/" + "x" * 2000, 404),
        ("GET", "/v2/events/%00", 404),
    ],
)
def test_every_failure_has_the_vendors_form(
    office: Office, method: str, path: str, status: int
) -> None:
    """Also what no route of ours answers comes as errors and warnings."""
    answer = office.ask(method, path)
    assert answer.status_code == status
    assert problems(answer)


def test_another_method_is_told_which_there_are(office: Office) -> None:
    """A path may have several: all of them are named."""
    answer = office.ask("DELETE", "/v2/events")
    assert answer.headers["allow"] == "GET, POST, PUT"
