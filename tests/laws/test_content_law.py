"""Two contents have one text exactly if they are equal by value."""

import json
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.content import canonical_json, fields_text
from tests.laws.strategies import LAW, TEXTS, VALUES

FIELDS = st.dictionaries(TEXTS, VALUES, max_size=3)


def by_value(value: Any) -> object:
    """Return what a value is, without how it is written."""
    match value:
        case bool() | None:
            return ("constant", value)
        case int() | float():
            return ("number", Fraction(value))
        case str():
            return ("text", value)
        case list():
            return ("array", tuple(map(by_value, value)))
        case _:
            return ("object", frozenset((key, by_value(child)) for key, child in value.items()))


def fields_by_value(fields: dict[str, Any]) -> object:
    """Return what fields say: null ones say nothing."""
    return by_value({name: value for name, value in fields.items() if value is not None})


@LAW
@given(FIELDS, FIELDS)
def test_contents_are_equal_exactly_if_their_texts_are(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Canonical texts agree if and only if the fields are equal by value."""
    assert (fields_text(one) == fields_text(other)) == (
        fields_by_value(one) == fields_by_value(other)
    )


@LAW
@given(FIELDS, st.randoms(use_true_random=False))
def test_another_spelling_is_the_same_content(fields: dict[str, Any], random: Any) -> None:
    """Order of keys and the spelling of whole numbers do not enter the content."""
    assert fields_text(respelled(fields, random)) == fields_text(fields)


def respelled(value: Any, random: Any) -> Any:
    """Return an equal value, written in another way."""
    match value:
        case dict():
            names = list(value)
            random.shuffle(names)
            return {name: respelled(value[name], random) for name in names}
        case list():
            return [respelled(child, random) for child in value]
        case float() if value.is_integer():
            return int(value)
        case int() if not isinstance(value, bool) and float(value) == value:
            return float(value)
        case _:
            return value


@LAW
@given(VALUES)
def test_canonical_json_is_json_of_the_same_value(value: Any) -> None:
    """Whoever parses canonical JSON has the value, and never much more text than was sent."""
    text = canonical_json(value)
    assert by_value(json.loads(text)) == by_value(value)
    assert len(text) <= 23 * len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
