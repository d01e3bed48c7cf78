"""Files held against the topic: what is written, what is left, what is refused."""

from collections.abc import Mapping
from typing import Any

from loyaltystream.definitions.applying import Applied, apply
from loyaltystream.definitions.limits import VENDOR, Limits
from loyaltystream.definitions.stored import StoredEvent
from loyaltystream.definitions.written import Written
from tests.core import BILLED, CUSTOMER, ORDERED, VIEWED, define, field
from tests.definitions.topic import Topic

WIDER = ORDERED | {"fields": [*ORDERED["fields"], field("shelf", "string")]}
LESS = ORDERED | {"fields": ORDERED["fields"][:-1]}


def applied(topic: Topic, *bodies: Mapping[str, Any], limits: Limits | None = None) -> Applied:
    """Return what files with these bodies change."""
    written = [Written(define(body), dict(body)) for body in bodies]
    return apply(topic.events, written, mark=topic.mark, limits=limits or Limits())


def actions(made: Applied) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return what becomes of each definition."""
    return [(step.action, step.version, step.told) for step in made.steps]


def test_what_is_not_there_is_created() -> None:
    """Each new event is version 1, on a revision of its own."""
    made = applied(Topic(), ORDERED, VIEWED)
    assert actions(made) == [("create", 1, ()), ("create", 1, ())]
    assert [stored.revision for stored in made.stored] == [1, 2]


def test_what_is_the_same_is_left_alone() -> None:
    """Applying files again writes nothing, whatever they say of versions."""
    topic = Topic()
    topic.create(ORDERED)
    made = applied(topic, ORDERED | {"version": 7})
    assert actions(made) == [("keep", 1, ())]
    assert made.stored == []


def test_an_addition_is_told() -> None:
    """A next version says what it adds."""
    topic = Topic()
    topic.create(ORDERED)
    made = applied(topic, WIDER | {"description": "more"})
    told = ("fields: shelf is new", "description is another one")
    assert actions(made) == [("update", 2, told)]


def test_what_is_no_addition_is_refused() -> None:
    """The reason stands beside the definition."""
    topic = Topic()
    topic.create(ORDERED)
    made = applied(topic, LESS, VIEWED)
    assert actions(made)[0] == ("refuse", 1, ("NOT_ADDITIVE fields: note is gone",))
    assert [step.event_name for step in made.refused] == ["orderPlaced"]


def test_files_disable_an_event() -> None:
    """An event whose file says so is disabled on the topic, once."""
    topic = Topic()
    topic.create(ORDERED)
    made = applied(topic, ORDERED | {"disabled": True})
    assert actions(made) == [("disable", 1, ("disabled for good",))]
    [stored] = made.stored
    assert isinstance(stored, StoredEvent)
    assert stored.disabled_from == stored.revision == 2
    topic.write(stored)
    assert actions(applied(topic, ORDERED | {"disabled": True})) == [("keep", 1, ())]
    assert actions(applied(topic, ORDERED))[0][0] == "refuse"


def test_an_event_may_be_disabled_from_the_start() -> None:
    """What was disabled in files keeps its name taken on the topic."""
    [stored] = applied(Topic(), ORDERED | {"disabled": True}).stored
    assert (stored.state, stored.version, stored.disabled_from) == ("disabled", 1, 1)


def test_the_vendors_limits_hold_for_files_as_well() -> None:
    """Types, events of an org, fields and names that the vendor does not allow are refused."""
    limits = VENDOR
    assert actions(applied(Topic(), VIEWED, limits=limits))[0][2][0].startswith("1823 integer inv")
    many = [ORDERED | {"eventName": f"order{number}"} for number in range(11)]
    made = applied(Topic(), *many, limits=limits)
    assert [step.action for step in made.steps] == ["create"] * 10 + ["refuse"]
    assert made.refused[0].told == (
        "LIMIT_EXCEEDED order10: the org has 10 active events, 10 at most",
    )
    wide = ORDERED | {"fields": [CUSTOMER, *(field(f"{'n' * 50}{n}", "string") for n in range(20))]}
    told = actions(applied(Topic(), wide, limits=limits))[0][2]
    assert told[0] == "LIMIT_EXCEEDED orderPlaced: 21 fields, 20 at most"
    assert len(told) == 21


def test_a_full_org_may_still_add_to_its_events() -> None:
    """The bound on events is one for new ones."""
    topic = Topic()
    for number in range(10):
        topic.create(ORDERED | {"eventName": f"order{number}"})
    made = applied(topic, WIDER | {"eventName": "order3"}, limits=VENDOR)
    assert actions(made)[0][0] == "update"


def test_a_window_that_the_changelog_does_not_reach_is_refused() -> None:
    """Unique keys can't be remembered for longer than what remembers them is kept."""
    long = ORDERED | {"uniquenessWindow": 400}
    told = actions(applied(Topic(), long, limits=Limits(window_days=90)))[0][2]
    assert "the changelog is kept for 90" in told[0]


def test_a_unique_key_is_refused_where_events_are_placed_by_their_ids() -> None:
    """What lies anywhere can't be told from its like, so that no such key is promised."""
    told = actions(applied(Topic(), BILLED, limits=Limits(unique_keys=False)))[0][2]
    assert "placed by their ids" in told[0]
    assert actions(applied(Topic(), BILLED))[0][0] == "create"
