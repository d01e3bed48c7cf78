"""The types of a notification, with values that no event of INGEST's holds but bytes may."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.avro import schemas
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.targets import (
    Composite,
    Kind,
    Listing,
    Scalar,
    Table,
    Target,
    load_target,
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_TYPES = ("CustomerAdded", "TransactionAdded", "CouponRedeem")


@pytest.mark.parametrize(
    ("value", "kind", "detail"),
    [
        (nan, Kind.DOUBLE, "a number is needed, not a number"),
        (-inf, Kind.STRING, "a text is needed, not a number"),
        (inf, Kind.LONG, "an integer is needed, not a number"),
        (10**308 * 9, Kind.DOUBLE, "beyond the range of a double"),
        (True, Kind.DOUBLE, "a number is needed, not a boolean"),
        ("yes", Kind.BOOLEAN, "true or false is needed, not a string"),
        (1, Kind.BOOLEAN, "true or false is needed, not a number"),
        ("\ud800", Kind.STRING, "not Unicode"),
        ("\ud800", Kind.DYNAMIC, "not Unicode"),
        (2**63, Kind.DYNAMIC, "a single value is needed, not a number"),
        ([], Kind.DYNAMIC, "a single value is needed, not an array"),
    ],
)
def test_a_value_without_meaning_is_refused(value: object, kind: Kind, detail: str) -> None:
    """Not a number, an infinity, a boolean in a number's place: none is guessed at."""
    misfits: list[Misfit] = []
    assert fit(value, Scalar(kind), misfits, ".here") is None
    assert misfits == [Misfit(".here", detail)]


@pytest.mark.parametrize(
    ("value", "kind", "fitted"),
    [
        (" TRUE ", Kind.BOOLEAN, True),
        (False, Kind.BOOLEAN, False),
        (-0.0, Kind.DOUBLE, 0.0),
        ("t", Kind.DYNAMIC, ("string", "t")),
        (True, Kind.DYNAMIC, ("boolean", True)),
        (5, Kind.DYNAMIC, ("long", 5)),
        (5.5, Kind.DYNAMIC, ("double", 5.5)),
        (1e300, Kind.STRING, "1e+300"),
    ],
)
def test_a_value_with_a_meaning_keeps_it(value: object, kind: Kind, fitted: object) -> None:
    """Each kind takes the values that say what it needs, in whatever type they came."""
    misfits: list[Misfit] = []
    assert fit(value, Scalar(kind), misfits) == fitted
    assert misfits == []


@pytest.mark.parametrize(
    ("value", "target", "fitted", "misfits"),
    [
        (None, Scalar(Kind.LONG), None, [Misfit("", "missing")]),
        (None, Scalar(Kind.LONG, nullable=True), None, []),
        (None, Listing(Scalar(Kind.LONG)), [], []),
        ([1, None, ""], Listing(Scalar(Kind.STRING)), ["1", None, ""], [Misfit("[1]", "missing")]),
        ({"a": "1"}, Table(Scalar(Kind.INT)), {"a": 1}, []),
        ([], Table(Scalar(Kind.INT)), None, [Misfit("", "an object is needed, not an array")]),
        ({}, Listing(Scalar(Kind.INT)), None, [Misfit("", "an array is needed, not an object")]),
    ],
)
def test_parts_are_fitted_one_by_one(
    value: object, target: Target, fitted: object, misfits: list[Misfit]
) -> None:
    """Arrays and maps are fitted entry by entry, and a misfit says which entry it is."""
    found: list[Misfit] = []
    assert fit(value, target, found) == fitted
    assert found == misfits


def _data(name: str) -> Composite:
    target = load_target(f"{schemas.NOTIFICATION_NAMESPACE}.{name}").members["data"]
    assert isinstance(target, Composite)
    return target


def _likely(target: Target) -> st.SearchStrategy[Any]:
    match target:
        case Composite(members=members):
            parts = {name: _likely(member) for name, member in members.items()}
            return st.fixed_dictionaries({}, optional=parts) | _JSON
        case Listing(items=items):
            return st.lists(_likely(items), max_size=2) | _JSON
        case Table(values=values):
            return st.dictionaries(st.text(max_size=3), _likely(values), max_size=2) | _JSON
        case _:
            return _JSON | st.integers(946_684_800_000, 4_102_444_799_999).map(str)


@pytest.mark.parametrize("name", _TYPES)
def test_whatever_fits_can_be_written(name: str) -> None:
    """A value without misfits is one that Avro takes; no other value makes an exception."""
    target = _data(name)
    schema = schemas.load(f"{schemas.NOTIFICATION_NAMESPACE}.{name}")
    envelope = {"eventName": name, "eventId": "e", "orgId": 1, "createdAt": 0}

    @given(_likely(target))
    def check(value: object) -> None:
        misfits: list[Misfit] = []
        fitted = fit(value, target, misfits)
        if not misfits:
            schemas.encode(schema, envelope | {"data": fitted})

    check()
