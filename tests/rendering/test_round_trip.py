"""A law: a notification that was rendered, whatever it holds, is read as the very same record."""

import json
import string
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.notifications.catalog import CATALOG, CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.targets import (
    Composite,
    Kind,
    Listing,
    Scalar,
    Table,
    Target,
    load_target,
)
from loyaltystream.rendering.reader import Notification, read_text
from loyaltystream.rendering.shapes import EPOCH, MILLISECOND, Rendering, render
from loyaltystream.tailing.decoding import plain
from loyaltystream.times import LAST_DUE_MS
from tests.rendering.test_rendering import decoded

# Strict JSON has neither NUL nor half a surrogate pair; blank texts and capitals are of interest.
_TEXT: Final = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4),
    st.text(string.ascii_letters + " _", max_size=3),
)
_LONGS: Final = st.integers(-(2**63), 2**63 - 1)
_DOUBLES: Final = st.floats(allow_nan=False, allow_infinity=False)
_SOURCES: Final = _TEXT | st.sampled_from(("instore", "Instore", "we chat", "otherSources", "line"))
_SCALARS: Final[dict[Kind, st.SearchStrategy[Any]]] = {
    Kind.STRING: _TEXT,
    Kind.INT: st.integers(-(2**31), 2**31 - 1),
    Kind.LONG: _LONGS,
    Kind.DOUBLE: _DOUBLES,
    Kind.BOOLEAN: st.booleans(),
    Kind.MOMENT: st.integers(-60_000_000_000_000, LAST_DUE_MS - 1).map(
        lambda moment_ms: EPOCH + moment_ms * MILLISECOND
    ),
    Kind.DYNAMIC: st.one_of(
        st.tuples(st.just("string"), _TEXT),
        st.tuples(st.just("long"), _LONGS),
        st.tuples(st.just("double"), _DOUBLES),
        st.tuples(st.just("boolean"), st.booleans()),
    ),
}


_KEYS: Final = st.sampled_from(
    sorted(
        {
            *("body", "event", "attributes", "eventType", "customerIdentifiers", "name"),
            *("enteredAt", "Instore", "accounts", "identifiers", "triggeringActivity"),
            *load_target(CUSTOMER_IDENTIFIERS).members,
            *load_target(CATALOG["requestUpdated"].schema).members,
        }
    )
)


def values(target: Target) -> st.SearchStrategy[Any]:
    """Return everything that a schema allows."""
    made: st.SearchStrategy[Any]
    match target:
        case Scalar(kind=kind):
            made = _SCALARS[kind]
        case Composite(members=members):
            made = st.fixed_dictionaries({name: values(part) for name, part in members.items()})
        case Listing(items=items):
            made = st.lists(values(items), max_size=2)
        case Table(values=part):
            made = st.dictionaries(_SOURCES, values(part), max_size=3)
    return st.none() | made if target.nullable else made


def named(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return records of a type, as fastavro reads them."""
    records = values(load_target(CATALOG[name].schema))
    return records.map(lambda record: decoded({**record, "eventName": name}))


@pytest.mark.parametrize("name", CATALOG)
@settings(max_examples=20, deadline=None)
@given(choices=st.data())
def test_what_was_rendered_is_read_as_the_same(name: str, choices: st.DataObject) -> None:
    """Every record of every type survives each rendering, and nothing of it stays unread."""
    record = choices.draw(named(name))
    for rendering in Rendering:
        text = json.dumps(render(record, rendering, delivered_ms=0), allow_nan=False)
        found = read_text(text)
        assert isinstance(found, Notification), found
        assert found.record == record
        assert found.unread == ()


@pytest.mark.parametrize("name", CATALOG)
@settings(max_examples=10, deadline=None)
@given(choices=st.data())
def test_what_tail_shows_is_read_as_the_same(name: str, choices: st.DataObject) -> None:
    """The value that `tail --json` shows is one more shape of the notification."""
    record = choices.draw(named(name))
    found = read_text(json.dumps(plain(record)))
    assert isinstance(found, Notification), found
    assert found.record == record


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.recursive(_TEXT | _LONGS, st.lists).map(repr)))
def test_no_text_is_an_error(text: bytes | str) -> None:
    """Whatever is read is a notification or a refusal."""
    read_text(text)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_json_is_an_error(choices: st.DataObject) -> None:
    """Any JSON at all in the keys of a notification is read or refused."""
    anything = st.recursive(
        st.none() | st.booleans() | _LONGS | _DOUBLES | _TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
        max_leaves=8,
    )
    facts = choices.draw(st.dictionaries(_KEYS, anything, max_size=6))
    event = {
        "eventName": choices.draw(st.sampled_from(sorted(CATALOG))),
        "eventId": "n",
        "orgId": 1,
    }
    read_text(json.dumps({**event, "createdAt": 1, "data": facts, **facts}))
