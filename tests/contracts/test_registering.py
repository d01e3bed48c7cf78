"""What differs between the schemas here and a registry's, and what is refused before it is sent."""

import copy

import pytest

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.contracts.registering import compare_all, register_all
from loyaltystream.errors import SchemaError
from tests.contracts.store import MemoryStore

_NAMES = [f"loyalty.notification.v1.{name}" for name in ("CustomerAdded", "CardUpdated")]
_WANTED = [("notifications", schemas.load(name)) for name in _NAMES]


def altered(name: str, *, without: str = "", later: str = "") -> Schema:
    """Return a schema without a field, or with one more."""
    schema = copy.deepcopy(schemas.load(name))
    schema["fields"] = [field for field in schema["fields"] if field["name"] != without]
    if later:
        schema["fields"].append({"name": later, "type": ["null", "string"], "default": None})
    return schema


def states(store: MemoryStore) -> list[tuple[str, list[str]]]:
    """Return state and differences of each schema."""
    return [(found.state, found.differences) for found in compare_all(store, _WANTED)]


def test_a_new_registry_takes_all_and_then_knows_them() -> None:
    """What is not there is new; once registered it is the same, and keeps its ids."""
    store = MemoryStore()
    assert states(store) == [("new", []), ("new", [])]
    assert register_all(store, _WANTED) == register_all(store, _WANTED) == [1, 1]
    assert states(store) == [("same", []), ("same", [])]


def test_what_was_added_since_is_told() -> None:
    """A field that the registry does not know yet is a difference, and no obstacle."""
    store = MemoryStore()
    store.register("notifications", altered(_NAMES[0], without="eventLogId"))
    assert states(store) == [("changed", ["eventLogId is new"]), ("new", [])]
    register_all(store, _WANTED)
    assert states(store) == [("same", []), ("same", [])]


def test_what_would_break_a_subscriber_is_refused_whole() -> None:
    """A field that any version has and the new schema lacks: nothing at all is registered."""
    store = MemoryStore()
    store.register("notifications", altered(_NAMES[1], later="colour"))
    store.register("notifications", altered(_NAMES[1], later="weight"))
    lines = ["colour is gone (version 1)", "weight is gone (version 2)"]
    assert states(store) == [("new", []), ("refused", lines)]
    with pytest.raises(SchemaError) as refused:
        register_all(store, _WANTED)
    assert str(refused.value).splitlines() == [
        "nothing is registered at memory; these are not compatible with what it has:",
        *(f"  - notifications-{_NAMES[1]}: {line}" for line in lines),
    ]
    assert ("notifications", _NAMES[0]) not in store.subjects


def test_a_registry_that_refuses_is_heard() -> None:
    """What only the registry finds is its own refusal."""
    with pytest.raises(SchemaError, match="is refused"):
        register_all(MemoryStore(_NAMES[0]), _WANTED)
