"""Samples of definitions: what a producer may start from is an event."""

import string
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from loyaltystream.definitions.model import IDENTIFIER_TYPES, EventDefinition, FieldType
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.registry import Definitions
from loyaltystream.definitions.samples import sample_event
from loyaltystream.rules import Rules
from loyaltystream.trying import Trial, try_event
from tests.core import CUSTOMER, EVENT_SCHEMA_ID, NOW_MS, define, field, raw

KINDS = [kind for kind in FieldType if kind is not FieldType.CUSTOMER]
TEXTS = st.text(string.ascii_letters + string.digits + "-. ", min_size=1, max_size=10)
VALUES = st.sampled_from(["gold", "A-1", "2026-01-31", "EUR", "XXX", "12"]) | TEXTS
PATTERNS = st.sampled_from(["[A-Z]+", "[0-9]+", ".*", "[xyz]{7}", "[A-Z]{3}", "2026-.*", "till.*"])
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
FLAGS = st.sampled_from(["true", "false", True, False])


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a field of any type with any of its attributes."""
    attributes: dict[str, Any] = {}
    for flag in ("isRequired", "isUniqueKeyField"):
        if draw(st.booleans()):
            attributes[flag] = draw(FLAGS)
    if draw(st.booleans()):
        attributes["regex"] = draw(PATTERNS)
    kind = draw(st.sampled_from(KINDS))
    if kind is FieldType.ENUM or draw(st.booleans()):
        attributes["possibleValues"] = draw(
            st.lists(VALUES.filter(str.strip), min_size=1, max_size=3)
        )
    name = draw(NAMES)
    return field(name, draw(st.sampled_from([kind.value, kind.upper()])), **attributes)


@st.composite
def definitions(draw: st.DrawFn) -> EventDefinition | None:
    """Draw a definition of any fields and any customer; None where it is none."""
    identifier = draw(st.sampled_from(IDENTIFIER_TYPES))
    more = {"addCustomerIfNotExists": draw(FLAGS)} if draw(st.booleans()) else {}
    customer = field("who", "customer", identifierType=identifier, **more)
    found = parse_definition(
        1800,
        {
            "eventName": "anyEvent",
            "actions": ["EMFConsumer"],
            "fields": draw(st.permutations([customer, *draw(st.lists(fields(), max_size=6))])),
        },
    )
    return found if isinstance(found, EventDefinition) else None


def tried(definition: EventDefinition) -> tuple[Trial, tuple[str, ...]]:
    """Return what becomes of a definition's sample, and which fields it leaves open."""
    sample = sample_event(definition)
    judged = Definitions([definition], EVENT_SCHEMA_ID)
    trial = try_event(raw(sample), judged, Rules(strict_fields=True), now_ms=NOW_MS)
    return trial, sample.open_fields


@given(definition=definitions())
def test_a_definition_accepts_its_sample(definition: EventDefinition | None) -> None:
    """Whatever its fields are, a sample is accepted but for what a person has to fill in."""
    assume(definition is not None)
    assert definition is not None  # for the types
    trial, open_fields = tried(definition)
    assert {found["path"] for found in trial.violations} == {f"fields.{one}" for one in open_fields}
    assert (trial.verdict == "accepted") is (not open_fields)
    required = {one.name for one in definition.fields if one.required}
    assert {*open_fields} <= required


def test_every_type_and_identifier_has_a_sample() -> None:
    """Nothing is left open of any type that has no pattern and no list."""
    for kind in KINDS:
        more = {"possibleValues": ["gold"]} if kind is FieldType.ENUM else {}
        for identifier in IDENTIFIER_TYPES:
            body = {
                "eventName": "anyEvent",
                "actions": ["EMFConsumer"],
                "fields": [
                    field("customer", "customer", identifierType=identifier),
                    field("x", kind, isRequired="true", **more),
                ],
            }
            trial, open_fields = tried(define(body))
            assert (trial.verdict, open_fields) == ("accepted", ()), (kind, trial)


def test_a_list_that_does_not_fit_its_type_is_left_to_a_person() -> None:
    """A day is one of the possible values that are days, and without one the field is open."""
    for values, shown in ((["soon", "2026-01-31"], "2026-01-31"), (["soon"], None)):
        dated = field("day", "date", isRequired="true", possibleValues=values)
        body = {"eventName": "a", "actions": ["EIConsumer"], "fields": [CUSTOMER, dated]}
        sample = sample_event(define(body))
        assert sample["fields"].get("day") == shown
        assert sample.open_fields == (() if shown else ("day",))
