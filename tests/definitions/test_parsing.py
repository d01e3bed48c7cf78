"""Definitions in the vendor's words: what is taken, and with which code the rest is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from loyaltystream.definitions.model import Action, EventDefinition, FieldType
from loyaltystream.definitions.parsing import parse_definition
from tests.core import CUSTOMER, ORDERED, VIEWED, define, field

BODY: dict[str, Any] = {
    "eventName": "productViewed",
    "actions": ["EMFConsumer"],
    "fields": [CUSTOMER, field("sku", "productSku", isRequired="true")],
}


def codes(**changes: object) -> list[int | str]:
    """Return the codes of everything that is wrong with the body when it is changed so."""
    parsed = parse_definition(1800, BODY | changes)
    return [] if isinstance(parsed, EventDefinition) else [problem.code for problem in parsed]


def codes_of(*fields: object) -> list[int | str]:
    """Return the codes for a body of these fields."""
    return codes(fields=list(fields))


@pytest.mark.parametrize("name", ["a", "productViewed", "a_b_1", "A_", "a" * 100])
def test_names_of_letters_digits_and_single_underscores(name: str) -> None:
    """A name begins with a letter and goes on with letters, digits and single underscores."""
    assert codes(eventName=name) == []


@pytest.mark.parametrize(
    "name", [None, 1, "", " ", "1a", "_a", "a__b", "a b", "a-b", "café", "a" * 101, "a\n", ["a"]]
)
def test_other_names_are_1811(name: object) -> None:
    """Anything else is no event name, whatever else is wrong."""
    assert codes(eventName=name, actions=[]) == [1811]


@pytest.mark.parametrize(
    "actions",
    [None, [], {}, "", "EMF", ["EMFConsumer", "emfconsumer"], ["EMFConsumer", 1], [None], [[]], 5],
)
def test_other_actions_are_1810(actions: object) -> None:
    """Actions are the two exact words, one at least; the message names the event."""
    assert codes(actions=actions, fields=[{"type": "x"}]) == [1810]
    problems = parse_definition(1800, BODY | {"actions": actions})
    assert isinstance(problems, list)
    assert problems[0].message == "productViewed event actions invalid"


def test_one_action_may_stand_alone_and_twice_is_once() -> None:
    """The vendor calls actions an enum and writes an array: both are read."""
    alone = define(BODY | {"actions": "EIConsumer"})
    assert alone.actions == (Action.EI,)
    twice = define(BODY | {"actions": ["EIConsumer", "EMFConsumer", "EIConsumer"]})
    assert twice.actions == (Action.EI, Action.EMF)


@pytest.mark.parametrize("kind", [None, 1, True, "", "sku", "tillCod", "string ", ["string"]])
def test_other_types_are_1823_and_named(kind: object) -> None:
    """A field of no type or an unknown one is refused, and the message begins with it as sent."""
    problems = parse_definition(1800, BODY | {"fields": [CUSTOMER, {"name": "x", "type": kind}]})
    assert isinstance(problems, list)
    assert [problem.code for problem in problems] == [1823]
    said = kind if isinstance(kind, str) else json.dumps(kind)
    assert problems[0].message == f"{said} invalid event field type"


@pytest.mark.parametrize("fields", [None, {}, "x", [1], [None]])
def test_fields_that_are_none_are_1823(fields: object) -> None:
    """Fields are an array of objects."""
    assert codes(fields=fields) == [1823]


def test_every_type_is_wanted_in_any_case() -> None:
    """All types are read as the vendor's GET writes them, and as its POST does."""
    for kind in FieldType:
        if kind is not FieldType.CUSTOMER:
            more = {"possibleValues": ["a"]} if kind is FieldType.ENUM else {}
            for written in (kind.value, kind.value.upper(), kind.value.lower()):
                parsed = define(BODY | {"fields": [CUSTOMER, field("x", written, **more)]})
                assert parsed.fields[0].type is kind


WRONG_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "null": {"isRequired": None},
    "no value": {"isRequired": {}},
    "a null value": {"isRequired": {"value": None}},
    "a bare value": {"isRequired": "true"},
    "no truth": {"isRequired": {"value": "yes"}},
    "a number": {"isUniqueKeyField": {"value": 1}},
    "unique and not required": {
        "isUniqueKeyField": {"value": "true"},
        "isRequired": {"value": "false"},
    },
    "unknown": {"isFancy": {"value": "true"}},
    "no regular expression": {"regex": {"value": "("}},
    "a backreference": {"regex": {"value": r"(a)\1"}},
    "an empty one": {"regex": {"value": ""}},
    "no values": {"possibleValues": {"values": []}},
    "values that are no texts": {"possibleValues": {"values": [1]}},
    "an empty source": {"source": {"value": " "}},
}


@pytest.mark.parametrize("attributes", WRONG_ATTRIBUTES.values(), ids=WRONG_ATTRIBUTES.keys())
def test_other_attributes_are_1802(attributes: dict[str, Any]) -> None:
    """An attribute without a right value is refused with the name of the failed validation."""
    problems = parse_definition(
        1800,
        BODY | {"fields": [CUSTOMER, {"name": "x", "type": "string", "attributes": attributes}]},
    )
    assert isinstance(problems, list)
    told = "field attribute value fails for validation type"
    [problem] = problems
    assert (problem.code, problem.field) == (1802, "x")
    assert problem.message in {f"{told} {attribute}" for attribute in attributes}
    assert problem.line == f"1802 {problem.message} (x)"


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [field("sku", "string")],
        [CUSTOMER, field("other", "customer")],
        [field("customer", "customer", identifierType="passport")],
        [field("customer", "customer", isPsiData="true")],
        [CUSTOMER, field("tier", "enum")],
        [CUSTOMER, {"type": "string"}],
        [CUSTOMER, {"name": "", "type": "string"}],
        [CUSTOMER, {"name": "a\nb", "type": "string"}],
        [CUSTOMER, {"name": 1, "type": "string"}],
        [CUSTOMER, {"name": "a", "type": "string", "attributes": ["x"]}],
    ],
)
def test_exactly_one_customer_and_a_name_each(fields: list[object]) -> None:
    """An event has one customer field of a known identifier type, and named fields: else 1802."""
    assert set(codes_of(*fields)) == {1802}


def test_a_name_that_is_there_twice_is_refused_twice() -> None:
    """Of two fields of one name neither is right, and all mistakes of a stage are told at once."""
    assert codes_of(CUSTOMER, field("a", "string"), field("a", "double")) == [1802, 1802]


def test_some_types_may_be_sensitive() -> None:
    """Texts, numbers, days and choices may be hidden; what names a thing, or is none, may not."""
    taken = {"enum", "string", "double", "date", "integer"}
    for kind in FieldType:
        more = {"possibleValues": ["a"]} if kind is FieldType.ENUM else {}
        if kind is not FieldType.CUSTOMER:
            made = codes_of(CUSTOMER, field("x", kind.value.upper(), isPsiData="true", **more))
            assert made == ([] if kind.value in taken else [1802]), kind
    definition = define(
        BODY | {"fields": [CUSTOMER, field("pan", "string", isPsiData="true"), field("a", "date")]}
    )
    assert [one.psi for one in definition.fields] == [True, False]
    no_psi = field("sku", "productSku", isPsiData="false")
    assert codes_of(CUSTOMER, no_psi) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"colour": "red"}, "UNKNOWN_KEY"),
        ({"uniquenessWindow": 8}, "WINDOW"),
        ({"uniquenessWindow": True}, "WINDOW"),
        ({"uniquenessWindow": "7"}, "WINDOW"),
        ({"version": 0}, "VERSION"),
        ({"version": True}, "VERSION"),
        ({"version": 2**31}, "VERSION"),
        ({"uniqueKeyConflicts": "true"}, "TYPE"),
        ({"acceptsLate": 1}, "TYPE"),
        ({"notifications": {}}, "NOTIFICATION"),
        ({"notifications": [{"data": {}}]}, "NOTIFICATION"),
    ],
)
def test_our_own_keys_have_codes_of_our_own(changes: dict[str, object], code: str) -> None:
    """What the vendor's API does not know is refused with a word, never with a made-up number."""
    assert codes(**changes) == [code]


@pytest.mark.parametrize("body", [None, [], "x", 1])
def test_a_body_is_an_object(body: object) -> None:
    """Anything but a JSON object is no definition."""
    problems = parse_definition(1800, body)
    assert isinstance(problems, list)
    assert [problem.code for problem in problems] == ["NOT_OBJECT"]


def test_stages_come_in_the_vendors_order() -> None:
    """Name, actions, types, attributes: only the first stage with mistakes speaks."""
    body: dict[str, Any] = {
        "eventName": "1",
        "actions": "x",
        "fields": [{"name": "a", "type": "x"}, {"name": "a", "type": "string"}],
        "colour": "red",
    }
    mend: list[Callable[[], object]] = [
        lambda: body.update(eventName="a"),
        lambda: body.update(actions=["EMFConsumer"]),
        lambda: body["fields"][0].update(type="string"),
        lambda: body.update(fields=[CUSTOMER]),
    ]
    told = []
    for step in mend:
        problems = parse_definition(1800, body)
        assert isinstance(problems, list)
        told.append(problems[0].code)
        step()
    last = parse_definition(1800, body)
    assert isinstance(last, list)
    assert [*told, last[0].code] == [1811, 1810, 1823, 1802, "UNKNOWN_KEY"]


def test_unique_fields_are_required_and_in_their_order() -> None:
    """A part of the unique key is required without saying so, and keeps its place."""
    definition = define(ORDERED)
    assert [unique.name for unique in definition.unique_fields] == ["orderId", "amount"]
    assert all(unique.required for unique in definition.unique_fields)


def test_flags_may_be_truths_or_texts_in_any_case() -> None:
    """`true`, "true" and "TRUE" are one; what is not said is not required."""
    for written in (True, "true", "TRUE"):
        assert (
            define(BODY | {"fields": [CUSTOMER, field("x", "string", isRequired=written)]})
            .fields[0]
            .required
        )
    assert not define(BODY | {"fields": [CUSTOMER, field("x", "string")]}).fields[0].required


def test_a_unique_customer_is_no_field_of_the_key() -> None:
    """The customer is part of every unique key already: marking it changes nothing."""
    marked = field("customer", "customer", isUniqueKeyField="true", identifierType="EMAIL")
    definition = define(BODY | {"fields": [marked]})
    assert definition.unique_fields == ()
    assert definition.customer.identifier_type == "email"


def test_defaults_are_the_vendors() -> None:
    """Mobile, no new customers, version 1, 30 days: what a definition means where it is silent."""
    bare = define({"eventName": "a", "actions": ["EIConsumer"], "fields": [field("c", "customer")]})
    assert bare.customer.identifier_type == "mobile"
    assert not bare.customer.add_if_not_exists
    assert (bare.version, bare.uniqueness_window_days) == (1, 30)
    assert not bare.accepts_late
    assert not bare.unique_key_conflicts
    assert len(define(VIEWED).fields) == 10


@pytest.mark.parametrize("key", ["isRequired", "attribute", "description", "NAME"])
def test_a_key_beside_a_fields_own_is_told(key: str) -> None:
    """An attribute written beside a field's name would mean nothing, so it is refused."""
    problems = parse_definition(
        1800, BODY | {"fields": [CUSTOMER, {"name": "x", "type": "string", key: "true"}]}
    )
    assert isinstance(problems, list)
    assert [(problem.code, problem.field) for problem in problems] == [("UNKNOWN_KEY", "x")]
    assert problems[0].message.startswith(f"{key} is not part of a field")
