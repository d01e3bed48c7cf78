"""A what-if over HTTP: what a definition would have done, to its own org's events only."""

import threading
from typing import Any

import pytest

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.web.answers import RefusedError
from loyaltystream.web.turnstile import Turnstile
from tests.audit.world import CUSTOMERS, viewed
from tests.core import ORDERED, VIEWED, event, field
from tests.web.conftest import Office, problems

PATH = "/v2/events/productViewed/what-if"
SHELF = field("shelf", "enum", possibleValues=["upper"])
STRICT: dict[str, Any] = VIEWED | {"fields": [*VIEWED["fields"], SHELF]}
EMF_ONLY: dict[str, Any] = STRICT | {"actions": ["EMFConsumer"]}


@pytest.fixture
def busy(office: Office) -> Office:
    """Return a service with a drafted next version, where events were judged already."""
    for by in ("owner", "stranger"):
        assert office.post(VIEWED, by=by).status_code == 200
    assert office.ask("PUT", "/v2/events?state=draft", STRICT).status_code == 200
    world = office.world
    for number in range(7):
        world.place(viewed(number, number, fields={"sku": "S", "shelf": "floor"}))
        world.place(viewed(number + 100, number, fields={"sku": "S", "shelf": "upper"}))
        world.place(viewed(number + 200, number, orgId=1801, fields={"sku": "S", "shelf": "x"}))
    world.run()
    return office


def ask(office: Office, body: object = None, *, query: str = "", by: str = "owner") -> Any:
    """Return the answer, an org's rest after the last one being over."""
    office.passing_s += 1000
    return office.ask("POST", PATH + query, body, by=by)


def test_a_draft_is_held_against_what_was_judged(busy: Office) -> None:
    """Counts and samples are told, of events and of letters, and nothing is written."""
    definitions, events = len(busy.topic.records), dict(busy.world.log.ends)
    answer = ask(busy, by="looker")
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert (told["definition"], told["version"], told["hours"]) == ("draft", 1, 24.0)
    assert {name: told["events"][name] for name in ("fixes", "rejects", "reroutes", "same")} == {
        "fixes": 0,
        "rejects": 7,
        "reroutes": 0,
        "same": 7,
    }
    assert (told["events"]["complete"], told["letters"]["complete"]) == (True, True)
    assert len(told["events"]["cases"]) == 5
    assert told["events"]["cases"][0]["told"] == [
        "NOT_POSSIBLE fields.shelf: not among possibleValues"
    ]
    assert (len(busy.topic.records), busy.world.log.ends) == (definitions, events)


def test_a_definition_may_come_along(busy: Office) -> None:
    """One that nobody stored is looked at, and what stands against publishing it is a warning."""
    answer = ask(busy, EMF_ONLY).json()
    assert answer["data"]["definition"] == "body"
    assert (answer["data"]["events"]["reroutes"], answer["data"]["events"]["rejects"]) == (7, 7)
    [warning] = answer["warnings"]
    assert warning.startswith("NOT_ADDITIVE actions: ")


def test_an_event_that_is_not_defined_yet_can_be_looked_at(office: Office) -> None:
    """What came under an unknown name is what a new definition would fix."""
    office.world.place(event(eventName="productSeen"))
    office.world.run()
    body = VIEWED | {"eventName": "productSeen"}
    told = office.ask("POST", "/v2/events/productSeen/what-if", body).json()["data"]
    assert (told["version"], told["events"]["fixes"]) == (0, 1)


def test_an_answer_tells_of_no_other_org_and_no_customer(busy: Office) -> None:
    """Neither counts nor samples show what another org sent, or whose an event is."""
    theirs = ask(busy, STRICT, by="stranger")
    assert theirs.json()["data"]["events"]["rejects"] == 7
    ours = ask(busy).text
    offsets = {f"{one.partition}/{one.offset}" for one in busy.world.log.all("behavioral-events")}
    shown = {case["place"] for case in ask(busy).json()["data"]["events"]["cases"]}
    assert {place.partition("/")[2] for place in shown} <= offsets
    assert not {case["place"] for case in theirs.json()["data"]["events"]["cases"]} & shown
    for text in (ours, theirs.text):
        assert not [mobile for mobile in CUSTOMERS if mobile in text]
        assert "records" not in text


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (PATH, None, 409, "NO_DRAFT"),
        (PATH, {"eventName": "productViewed"}, 400, 1810),
        (PATH, ORDERED, 400, "PARAMETER"),
        ("/v2/events/nothing/what-if", None, 404, "NOT_FOUND"),
        (f"{PATH}?hours=0", STRICT, 400, "PARAMETER"),
        (f"{PATH}?hours=169", STRICT, 400, "PARAMETER"),
        (f"{PATH}?hours=nan", STRICT, 400, "PARAMETER"),
        (f"{PATH}?hours=inf", STRICT, 400, "PARAMETER"),
    ],
)
def test_what_can_not_be_looked_at_is_told(
    office: Office, path: str, body: object, status: int, code: int | str
) -> None:
    """Without a usable definition, or beyond the bounds, nothing is read."""
    office.post(VIEWED)
    office.judged.away = AssertionError("read")
    answer = office.ask("POST", path, body)
    assert (answer.status_code, problems(answer)[0][0]) == (status, code)


def test_a_disabled_event_gets_no_other_definition(office: Office) -> None:
    """It is disabled for good, so there is nothing to foresee."""
    office.post(VIEWED)
    office.ask("POST", "/v2/events/productViewed/disable")
    answer = ask(office, STRICT)
    assert (answer.status_code, problems(answer)[0][0]) == (409, "DISABLED")


def test_an_org_rests_after_each(busy: Office) -> None:
    """The next one of an org is answered 429 and told when to come back; another org may ask."""
    assert ask(busy).status_code == 200
    busy.passing_s += 3.5
    early = busy.ask("POST", PATH)
    assert (early.status_code, problems(early)[0][0]) == (429, "BUSY")
    assert early.headers["retry-after"] == "7"
    assert busy.ask("POST", PATH, STRICT, by="stranger").status_code == 200
    busy.passing_s += 6.5
    assert busy.ask("POST", PATH).status_code == 200


def test_while_the_broker_is_away_nothing_is_told(busy: Office) -> None:
    """Topics that can't be read are answered 503, and the org may ask again in its turn."""
    busy.judged.away = RetryableBrokerError("at host 10.0.0.1")
    answer = ask(busy)
    assert (answer.status_code, problems(answer)[0][0]) == (503, "UNAVAILABLE")
    assert "10.0.0.1" not in answer.text
    busy.judged.away = None
    assert ask(busy).status_code == 200


def test_an_org_passes_once_at_a_time() -> None:
    """Whoever is inside keeps its own org out, and others where there are too many."""
    turnstile = Turnstile(2, 10.0, clock=lambda: 0.0)
    with turnstile.passing(1):
        with pytest.raises(RefusedError, match="this org"), turnstile.passing(1):
            raise AssertionError
        with turnstile.passing(2):
            with pytest.raises(RefusedError, match="other orgs"), turnstile.passing(3):
                raise AssertionError
            told: list[Exception] = []
            thread = threading.Thread(target=lambda: told.append(refusal(turnstile, 4)))
            thread.start()
            thread.join()
            assert isinstance(told[0], RefusedError)
        with turnstile.passing(3):
            pass


def refusal(turnstile: Turnstile, org: int) -> Exception:
    """Return what keeps an org out."""
    with pytest.raises(RefusedError) as caught, turnstile.passing(org):
        raise AssertionError
    return caught.value
