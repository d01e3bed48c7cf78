"""Where definitions are kept that many share: a topic and a service before it do the same."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from loyaltystream.definitions.history import History
from loyaltystream.definitions.limits import Limits
from loyaltystream.definitions.written import Written
from loyaltystream.desk import Desk
from loyaltystream.errors import BrokerError, ConfigurationError, RetryableBrokerError
from loyaltystream.places.line import Answer, answer_of
from loyaltystream.places.place import Place
from loyaltystream.places.remote import RemotePlace
from loyaltystream.places.topic import TopicPlace
from loyaltystream.testing.definitions import MemoryLog, MemoryWriter
from tests.core import EVENT_SCHEMA_ID, NOW_MS, ORDERED, VIEWED, define, field
from tests.web.conftest import TOPIC, Office

WIDER = ORDERED | {"fields": [*ORDERED["fields"], field("shelf", "string")]}
LESS = ORDERED | {"fields": ORDERED["fields"][:-1]}
LIMITS = Limits(window_days=30)


class Shared:
    """One place, and what goes wrong before it."""

    def __init__(self, office: Office, place: Place, log: MemoryLog) -> None:
        self.office = office
        self.place = place
        self.log = log


def on_topic(office: Office) -> Shared:
    log = MemoryLog(office.topic)
    desk = Desk(
        History(TOPIC, EVENT_SCHEMA_ID),
        log,
        MemoryWriter(office.topic),
        clock_ms=lambda: NOW_MS,
        pause=lambda _seconds: None,
    )
    return Shared(office, TopicPlace(TOPIC, desk, "owner", LIMITS), log)


def behind_service(office: Office) -> Shared:
    def line(method: str, path: str, body: object = None) -> Answer:
        answer = office.ask(method, path, body)
        return answer_of(answer.status_code, answer.content)

    return Shared(office, RemotePlace("http://definitions", line), office.log)


@pytest.fixture(params=[on_topic, behind_service])
def shared(request: pytest.FixtureRequest) -> Shared:
    """Return an empty place, on each of both sides."""
    make: Callable[[Office], Shared] = request.param
    return make(Office(LIMITS))


def written(*bodies: dict[str, Any], org: int = 1800) -> list[Written]:
    """Return definitions as files have them."""
    return [Written(define(body, org), json.loads(json.dumps(body))) for body in bodies]


def became(steps: Sequence[Any]) -> list[tuple[str, str, int]]:
    """Return what became of each definition."""
    return [(step.event_name, step.action, step.version) for step in steps]


def test_what_is_applied_is_there(shared: Shared) -> None:
    """New definitions are created, the same ones left alone, others get a next version."""
    place = shared.place
    assert became(place.apply(written(ORDERED, VIEWED))) == [
        ("orderPlaced", "create", 1),
        ("productViewed", "create", 1),
    ]
    assert became(place.apply(written(ORDERED, VIEWED))) == [
        ("orderPlaced", "keep", 1),
        ("productViewed", "keep", 1),
    ]
    [step] = place.apply(written(WIDER))
    assert (step.org_id, step.action, step.version) == (1800, "update", 2)
    assert step.told == ("fields: shelf is new",)
    found = place.find(1800, "orderPlaced")
    assert found is not None
    assert [(one.version, one.published_by) for one in found.versions] == [
        (1, "owner"),
        (2, "owner"),
    ]
    assert len(found.versions[1].body["fields"]) == 5


def test_a_preview_changes_nothing(shared: Shared) -> None:
    """What would become of definitions is what becomes of them."""
    wanted = written(ORDERED, VIEWED)
    before = shared.place.preview(wanted)
    assert shared.office.topic.records == []
    assert shared.place.apply(wanted) == before


def test_all_is_stored_or_nothing(shared: Shared) -> None:
    """One that drops something keeps all others out, and each reason is told."""
    shared.place.apply(written(ORDERED))
    before = len(shared.office.topic.records)
    steps = shared.place.apply(written(LESS, VIEWED))
    assert became(steps) == [("orderPlaced", "refuse", 1), ("productViewed", "create", 1)]
    assert steps[0].told == ("NOT_ADDITIVE fields: note is gone",)
    assert shared.place.preview(written(LESS, VIEWED)) == steps
    assert len(shared.office.topic.records) == before


def test_limits_are_those_of_the_place(shared: Shared) -> None:
    """What is beyond the deployment's bounds is refused."""
    [step] = shared.place.apply(written(ORDERED | {"uniquenessWindow": 400}))
    assert step.action == "refuse"
    assert step.told[0].startswith("LIMIT_EXCEEDED orderPlaced: a uniquenessWindow of 400 days")


def test_events_are_listed_with_their_last_body(shared: Shared) -> None:
    """State, version and fields of each event are listed by name, in the spelling of files."""
    assert shared.place.listed() == []
    shared.place.apply(written(VIEWED, ORDERED))
    shared.place.apply(written(WIDER))
    shared.place.disable(1800, "productViewed")
    assert shared.office.ask("POST", "/v2/events?state=draft", RESERVED).status_code == 200
    told = [(one.event_name, one.state, one.version) for one in shared.place.listed()]
    assert told == [
        ("orderPlaced", "published", 2),
        ("productViewed", "disabled", 1),
        ("roomReserved", "draft", 0),
    ]
    [listed, *_] = shared.place.listed()
    assert listed.org_id == 1800
    assert [one["type"] for one in listed.body["fields"]] == [
        "customer",
        "string",
        "double",
        "string",
        "string",
    ]


RESERVED: dict[str, Any] = ORDERED | {"eventName": "roomReserved"}


def test_what_is_not_there_is_not_found(shared: Shared) -> None:
    """Neither an unknown event nor one of another org is there."""
    shared.place.apply(written(ORDERED))
    assert shared.place.find(1800, "nothing") is None
    assert shared.place.find(1801, "orderPlaced") is None
    assert shared.place.find(1800, "../events") is None


def test_disabling_is_for_good(shared: Shared) -> None:
    """A disabled event is no longer in force, and nothing is applied to it."""
    shared.place.apply(written(ORDERED))
    for _ in range(2):
        shared.place.disable(1800, "orderPlaced")
    found = shared.place.find(1800, "orderPlaced")
    assert found is not None
    assert found.state == "disabled"
    [step] = shared.place.apply(written(WIDER))
    assert (step.action, step.told[0].split()[0]) == ("refuse", "DISABLED")
    for org, name in ((1800, "nothing"), (1801, "orderPlaced")):
        with pytest.raises(ConfigurationError, match=r"\A[^\n]+\Z"):
            shared.place.disable(org, name)


def test_a_place_that_is_away_is_told(shared: Shared) -> None:
    """Whatever is asked, there is one line and no change."""
    shared.log.away = RetryableBrokerError("no broker at all")
    for ask in (
        shared.place.listed,
        lambda: shared.place.find(1800, "orderPlaced"),
        lambda: shared.place.preview(written(ORDERED)),
        lambda: shared.place.apply(written(ORDERED)),
        lambda: shared.place.disable(1800, "orderPlaced"),
    ):
        with pytest.raises(BrokerError, match=r"\A[^\n]+\Z"):
            ask()
    assert shared.office.topic.records == []
