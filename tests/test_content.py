"""The canonical text of what an event says, and its fingerprint."""

from typing import Any

import pytest

from loyaltystream.content import (
    canonical_json,
    escape,
    fields_text,
    fingerprint,
    number_content,
    number_text,
    unique_texts,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5, "5"),
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (2**53 + 1, "9007199254740993"),
        (float(2**53), "9007199254740992"),
        (10**21, "1000000000000000000000"),
        (1e21, "1000000000000000000000"),
        (1e308, "1e+308"),
        (-1e308, "-1e+308"),
        (10**308, "1" + "0" * 308),
        (2**80, "1.2089258196146292e+24"),
        (float(2**80), "1.2089258196146292e+24"),
        (2**80 + 1, "1208925819614629174706177"),
        (5e-324, "5e-324"),
    ],
)
def test_a_number_is_written_by_value_and_briefly(number: float, text: str) -> None:
    """Numbers of one value have one text, whole ones without a point, and large ones stay short."""
    assert number_text(number) == text


def test_content_tells_a_number_from_its_text() -> None:
    """A field that was sent as 5 and as "5" has two contents."""
    assert fields_text({"a": 5}) == fields_text({"a": 5.0})
    assert fields_text({"a": 5}) != fields_text({"a": "5"})
    assert number_content(5) == number_content(5.0) != number_content(5.5)


def test_nothing_in_a_name_or_value_ends_a_part() -> None:
    """Separators inside names and values are escaped, so that fields do not run together."""
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"a": "x\x1eb=y"}, {"a": "x", "b": "y"}),
        ({"a=": "b"}, {"a": "=b"}),
        ({"a\\": "b"}, {"a": "\\b"}),
        ({"a": "true"}, {"a": True}),
        ({"a": "[1]"}, {"a": [1]}),
        ({"a": "\\u001e"}, {"a": "\x1e"}),
    ]
    for one, other in pairs:
        assert fields_text(one) != fields_text(other)


def test_escaping_leaves_usual_text_alone() -> None:
    """Text without control characters and backslashes is itself, in UTF-8."""
    assert escape("café |=\x7f\u2028").encode("latin-1").decode() == "café |=\x7f\u2028"
    assert escape("a\x1e\\") == "a\\u001e\\\\"


def test_objects_are_sorted_and_tight() -> None:
    """Canonical JSON has sorted keys, no white space, and letters as they are."""
    assert canonical_json({"b": [1.0, None, True], "a": {"é": "\n"}}) == (
        '{"a":{"é":"\\n"},"b":[1,null,true]}'
    )


def test_a_unique_key_ignores_blanks_around_and_spelling_of_numbers() -> None:
    """Text is trimmed and keeps its case; numbers count by value."""
    assert unique_texts([" O-1 ", 5, True]) == unique_texts(["O-1", 5.0, True])
    assert unique_texts(["o-1"]) != unique_texts(["O-1"])
    assert unique_texts(["5"]) != unique_texts([5])


def test_name_key_and_fields_do_not_run_together() -> None:
    """An event's name, its key and its fields each enter the fingerprint in their own place."""
    parts = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("", "ab", "c"), ("b", "a", "c")]
    assert len({fingerprint(*three) for three in parts}) == len(parts)
    assert all(0 <= fingerprint(*three) < 2**32 for three in parts)


def test_fingerprints_do_not_change_between_releases() -> None:
    """The memory outlives a release: this content has this fingerprint for good."""
    text = fields_text({"sku": "SKU-001234", "price": 1299.5, "quantity": 2, "größe": "\u20ac"})
    assert text.split("\x1e") == [
        'größe="\u20ac'.encode().decode("latin-1"),
        "price=#\x00\x00\x00\x00\x00N\x94@",
        "quantity=#\x00\x00\x00\x00\x00\x00\x00@",
        'sku="SKU-001234',
        "",
    ]
    assert fingerprint("productViewed", "1800|mobile|919812345678", text) == 395_890_505
