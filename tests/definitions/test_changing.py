"""Changes of definitions: what the next version may be, and what is told of the rest."""

from typing import Any

import pytest

from loyaltystream.definitions.additive import additions
from loyaltystream.definitions.changing import (
    DISABLED,
    LIMIT_EXCEEDED,
    NO_DRAFT,
    NOT_ADDITIVE,
    NOT_FOUND,
    NOT_VERIFIED,
    Changed,
    create,
    disable,
    publish,
    replace,
    verify,
)
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.stored import StoredEvent
from tests.core import CUSTOMER, ORDERED, VIEWED, define, field
from tests.definitions.topic import Topic


def problems(changed: Changed) -> list[tuple[int | str, str]]:
    """Return what is told against a change."""
    assert isinstance(changed, list), changed
    return [(problem.code, problem.message) for problem in changed]


def replaced(old: dict[str, Any], new: dict[str, Any]) -> Changed:
    """Return what becomes of a published event when a new body is put."""
    topic = Topic()
    known = topic.create(old)
    return replace(known, define(new), new, mark=topic.mark)


def with_fields(*fields: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Return the order's definition with other fields."""
    return ORDERED | {"fields": [CUSTOMER, *fields], **changes}


ORDER_ID = field("orderId", "string", isUniqueKeyField="true")
AMOUNT = field("amount", "double", isUniqueKeyField="true")
NOTE = field("note", "string")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (with_fields(ORDER_ID, AMOUNT), ["fields: note is gone"]),
        (with_fields(ORDER_ID, AMOUNT, field("note", "double")), ["fields: note has another type"]),
        (
            with_fields(ORDER_ID, AMOUNT, field("note", "string", isRequired="true", regex="a")),
            ["fields: note has another isRequired, regex"],
        ),
        (
            with_fields(ORDER_ID, field("amount", "double", isRequired="true"), NOTE),
            [
                "fields: amount has another isUniqueKeyField",
                "fields: those of the unique key stand in another order",
            ],
        ),
        (
            with_fields(AMOUNT, ORDER_ID, NOTE),
            ["fields: those of the unique key stand in another order"],
        ),
        (
            with_fields(ORDER_ID, AMOUNT, NOTE, field("till", "tillCode", isRequired="true")),
            ["fields: till is new and required, which older events can't satisfy"],
        ),
        (
            with_fields(ORDER_ID, AMOUNT, NOTE, field("till", "tillCode", isUniqueKeyField=True)),
            ["fields: till is new and required, which older events can't satisfy"],
        ),
        (
            ORDERED | {"actions": ["EIConsumer"]},
            ["actions: EMFConsumer became EIConsumer"],
        ),
        (
            ORDERED
            | {
                "fields": [
                    field("customer", "customer", identifierType="email"),
                    *ORDERED["fields"][1:],
                ]
            },
            ["fields: the customer field may not change"],
        ),
        (
            ORDERED | {"uniquenessWindow": 7, "uniqueKeyConflicts": True, "acceptsLate": True},
            [
                "uniquenessWindow: 30 became 7",
                "uniqueKeyConflicts: false became true",
                "acceptsLate: false became true",
            ],
        ),
    ],
)
def test_what_is_no_addition_is_told_in_full(body: dict[str, Any], told: list[str]) -> None:
    """A version that drops or changes anything is refused, with everything that it would."""
    assert problems(replaced(ORDERED, body)) == [(NOT_ADDITIVE, text) for text in told]


def test_what_is_hidden_stays_hidden() -> None:
    """Subscribers were not to see it: no later version shows it, nor without being told so."""
    hidden = with_fields(ORDER_ID, AMOUNT, field("note", "string", isPsiData="true"))
    told = [(NOT_ADDITIVE, "fields: note has another isPsiData")]
    assert problems(replaced(hidden, ORDERED)) == told
    assert additions(define(ORDERED), define(hidden)) == [
        "fields: note is potentially sensitive from now on"
    ]
    mapped = hidden | {
        "notifications": [{"type": "transactionAdded", "data": {"billNumber": "fields.note"}}]
    }
    assert isinstance(parse_definition(1800, mapped), list)


def test_the_order_of_actions_may_not_change() -> None:
    """Outputs are counted in the order of actions, so it is part of what was routed."""
    turned = VIEWED | {"actions": VIEWED["actions"][::-1]}
    [(code, _)] = problems(replaced(VIEWED, turned))
    assert code == NOT_ADDITIVE


@pytest.mark.parametrize(
    "body",
    [
        with_fields(ORDER_ID, AMOUNT, NOTE, field("shelf", "enum", possibleValues=["a"])),
        with_fields(field("first", "json"), ORDER_ID, AMOUNT, NOTE),
        ORDERED | {"description": "of any shop"},
        ORDERED | {"notifications": [{"type": "transactionAdded", "data": {}}]},
        with_fields(ORDER_ID, AMOUNT, field("note", "string", isPsiData="true")),
    ],
)
def test_an_addition_is_the_next_version(body: dict[str, Any]) -> None:
    """Optional fields, other words or notifications, and more that is hidden make version 2."""
    made = replaced(ORDERED, body)
    assert isinstance(made, StoredEvent)
    assert (made.version, [one.version for one in made.versions]) == (2, [1, 2])


def test_the_same_once_more_is_no_version() -> None:
    """Putting what is there changes nothing, in whatever spelling."""
    shouted = ORDERED | {
        "version": 9,
        "fields": [one | {"type": one["type"].upper()} for one in ORDERED["fields"]],
    }
    made = replaced(ORDERED, shouted)
    assert isinstance(made, StoredEvent)
    assert made.version == 1


def test_a_name_is_taken_for_good() -> None:
    """Neither a published, a drafted nor a disabled event can be created again."""
    topic = Topic()
    for known in (topic.create(ORDERED), topic.disable("orderPlaced")):
        made = create(known, define(ORDERED), ORDERED, mark=topic.mark)
        assert problems(made) == [(1806, "orderPlaced event already exists")]
    drafted = topic.create(VIEWED, draft=True)
    assert problems(create(drafted, define(VIEWED), VIEWED, mark=topic.mark))[0][0] == 1806


def test_a_disabled_event_stays_as_it_is() -> None:
    """It gets no version any more, and disabling it again changes nothing."""
    topic = Topic()
    topic.create(ORDERED)
    known = topic.disable("orderPlaced")
    made = replace(known, define(ORDERED), ORDERED, mark=topic.mark)
    assert [code for code, _ in problems(made)] == [DISABLED]
    assert disable(known, "orderPlaced", mark=topic.mark) == known


def test_what_is_not_there_cannot_be_changed() -> None:
    """An unknown event is told by its name."""
    topic, definition = Topic(), define(ORDERED)
    told = [(NOT_FOUND, "no event orderPlaced in this org")]
    assert problems(replace(None, definition, ORDERED, mark=topic.mark)) == told
    assert problems(disable(None, "orderPlaced", mark=topic.mark)) == told
    assert problems(verify(None, "orderPlaced", mark=topic.mark)) == told
    assert problems(publish(None, "orderPlaced", mark=topic.mark)) == told


def test_a_draft_is_published_once_it_is_verified() -> None:
    """A draft becomes a version in two steps, neither of which can be left out."""
    topic = Topic()
    drafted = topic.create(ORDERED, draft=True)
    assert (drafted.state, drafted.version) == ("draft", 0)
    refused = publish(drafted, "orderPlaced", mark=topic.mark)
    assert [code for code, _ in problems(refused)] == [NOT_VERIFIED]
    verified = topic.write(verify(drafted, "orderPlaced", mark=topic.mark))
    assert verified.state == "verified"
    published = topic.write(publish(verified, "orderPlaced", mark=topic.mark))
    assert (published.state, published.version, published.draft) == ("published", 1, None)
    again = publish(published, "orderPlaced", mark=topic.mark)
    assert [code for code, _ in problems(again)] == [NO_DRAFT]


def test_a_draft_of_the_next_version_is_held_against_the_last_one() -> None:
    """Neither drafting nor publishing a draft is a way around the rule of additions."""
    topic = Topic()
    known = topic.create(ORDERED)
    less = with_fields(ORDER_ID, AMOUNT)
    made = replace(known, define(less), less, mark=topic.mark, draft=True)
    assert [code for code, _ in problems(made)] == [NOT_ADDITIVE]
    same = topic.replace(ORDERED, draft=True)
    topic.write(verify(same, "orderPlaced", mark=topic.mark))
    wider = topic.replace(with_fields(ORDER_ID, AMOUNT, NOTE, field("shelf", "string")))
    assert wider.draft is None


def test_a_version_of_a_file_is_kept_where_it_is_ahead() -> None:
    """What files called version 4 is version 4 on the topic, and the next one 5."""
    topic = Topic()
    assert topic.create(ORDERED | {"version": 4}).version == 4
    assert topic.replace(ORDERED | {"description": "more"}).version == 5


def test_bodies_are_stored_in_the_vendors_spelling() -> None:
    """Types and value types in any case, flags as JSON or text, all come out the same."""
    shouted = {
        "eventName": "orderPlaced",
        "actions": "EMFConsumer",
        "fields": [
            {
                "name": "customer",
                "type": "CUSTOMER",
                "attributes": {
                    "identifierType": {"valueType": "ENUM", "value": "MOBILE"},
                    "addCustomerIfNotExists": {"value": True},
                },
            },
            {"name": "orderId", "type": "STRING", "attributes": {"isRequired": {"value": "TRUE"}}},
            {"name": "note", "type": "Enum", "attributes": {"possibleValues": {"value": ["a"]}}},
        ],
    }
    [version] = Topic().create(shouted).versions
    customer, order_id, note = version.body["fields"]
    assert version.body["actions"] == ["EMFConsumer"]
    assert customer["type"] == "customer"
    assert customer["attributes"]["identifierType"] == {"valueType": "Enum", "value": "mobile"}
    assert customer["attributes"]["addCustomerIfNotExists"] == {
        "valueType": "Boolean",
        "value": "true",
    }
    assert order_id["attributes"]["isRequired"]["value"] == "true"
    assert note["attributes"]["possibleValues"] == {"valueType": "Enum", "values": ["a"]}


def test_what_takes_too_much_room_is_refused() -> None:
    """An event has to fit into one record with all its versions."""
    topic = Topic()
    large = ORDERED | {"description": "x" * 3_000_000}
    [(code, text)] = problems(create(None, define(large), large, mark=topic.mark))
    assert code == LIMIT_EXCEEDED
    assert "2097152 at most" in text
