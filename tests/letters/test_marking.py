"""Marks stand where an event is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.letters.letter import Complaint
from loyaltystream.letters.marking import mark


def wrong(path: str) -> Complaint:
    """Return a complaint about a path."""
    return Complaint("TYPE", path, "wrong")


def marked(event: Any, path: str) -> str:
    """Return the one line that is marked."""
    [line] = [line for line in mark(event, [wrong(path)]) if line.complaints]
    return line.text.strip()


EVENT = {
    "eventId": 5,
    "customer": {"identifiers": [{"type": "mobile", "value": "x"}, {"type": "email"}]},
    "fields": {"sku": "a", "dotted.name": 1, "empty": {}},
}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("eventId", '"eventId": 5'),
        ("fields", '"fields": {'),
        ("fields.sku", '"sku": "a"'),
        ("fields.dotted.name", '"dotted.name": 1'),
        ("customer.identifiers[0].value", '"value": "x"'),
        ("customer.identifiers[1]", "{"),
        ("customer.identifiers[1].value", "value: ?"),
        ("fields.price", "price: ?"),
        ("fields.empty.deep.deeper", "deep.deeper: ?"),
        ("orgId", "orgId: ?"),
        ("eventId.inside", '"eventId": 5'),
        ("", "{"),
        ("..", "..: ?"),
    ],
)
def test_a_mark_stands_at_its_path(path: str, line: str) -> None:
    """A wrong value's line is marked; what is missing has a line in the object that lacks it."""
    assert marked(EVENT, path).lstrip(".") == line.lstrip(".")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(JSON, st.lists(st.text("ab.[]0", max_size=8)))
def test_every_complaint_has_one_mark(event: Any, paths: list[str]) -> None:
    """Whatever the event and the paths are, no complaint is lost and none is shown twice."""
    lines = mark(event, [wrong(path) for path in paths])
    shown = [found.path for line in lines for found in line.complaints]
    assert sorted(shown) == sorted(paths)


@settings(deadline=None)
@given(JSON)
def test_without_complaints_the_lines_are_the_event(event: Any) -> None:
    """What is shown of an event that nobody complains about is the event."""
    assert all(not line.complaints for line in mark(event, []))
    text = "".join(line.text.strip() + "\n" for line in mark(event, []))
    assert json.loads(_with_commas(text)) == event


def _with_commas(text: str) -> str:
    """Return lines of JSON with the commas that people do not miss."""
    lines = text.removesuffix("\n").split("\n")
    pairs = zip(lines, [*lines[1:], "]"], strict=True)
    return "\n".join(
        line if (line.endswith(("{", "[")) and _opens(line)) or after in "]}" else line + ","
        for line, after in pairs
    ).removesuffix(",")


def _opens(line: str) -> bool:
    return line in "{[" or line.endswith((": {", ": ["))
