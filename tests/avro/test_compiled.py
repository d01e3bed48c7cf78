"""Encoders that are made for a schema, held against fastavro."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.avro import compiled, schemas
from loyaltystream.avro.compiled import compile_encoder
from loyaltystream.avro.schemas import Schema
from loyaltystream.errors import SchemaError
from loyaltystream.notifications.catalog import SCHEMAS
from tests.laws.strategies import LAW

_ALL = sorted(path.stem for path in schemas.folder().glob("*.avsc"))
_TEXTS = st.text(max_size=12) | st.sampled_from(["", "é", "x" * 63, "x" * 64, "é" * 40, "\ud800"])
_LONGS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 63, 64, 8191, 8192, -1, 2**31])
_SINGLE: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": _LONGS,
    "double": st.floats(),
    "string": _TEXTS,
    "bytes": st.binary(max_size=9),
}
_ODD: st.SearchStrategy[Any] = st.one_of(
    *_SINGLE.values(),
    st.sampled_from([2**63, -(2**63) - 1, [], {}, (), ("string", "x"), [None], {"a": 1}, {1: "a"}]),
    st.just(datetime(2025, 11, 24, 16, tzinfo=UTC)),
    st.just("y" * 9000),
)
_MIXED: Schema = {
    "type": "record",
    "name": "Mixed",
    "fields": [
        {"name": "it's {odd}", "type": "string", "default": 'a "default"'},
        {"name": "one", "type": ["null", "boolean", "long", "double", "string"]},
        {"name": "sure", "type": ["boolean", "double", "int"]},
        {"name": "many", "type": {"type": "map", "values": ["null", "long", "string"]}},
        {"name": "rows", "type": {"type": "array", "items": {"type": "array", "items": "int"}}},
        {"name": "table", "type": {"type": "map", "values": {"type": "map", "values": "double"}}},
        {"name": "more", "type": ["null", "Mixed"], "default": None},
    ],
}


def values(schema: Any, named: dict[str, Any], odd: int, depth: int = 4) -> st.SearchStrategy[Any]:
    """Return values of a schema; of those `odd` in a hundred parts are anything."""
    match schema:
        case str() if schema in _SINGLE:
            fitting = _SINGLE[schema]
        case str():
            return values(named[schema], named, odd, depth)
        case {"type": "record"}:
            named[schema["name"]] = schema
            fitting = _records(schema, named, odd, depth - 1)
        case {"type": "array", "items": items}:
            fitting = st.lists(values(items, named, odd, depth), max_size=3)
        case {"type": "map", "values": inner}:
            fitting = st.dictionaries(_TEXTS, values(inner, named, odd, depth), max_size=3)
        case list():
            fitting = st.one_of(*[_branch(each, schema, named, odd, depth) for each in schema])
        case _:
            fitting = values(schema["type"], named, odd, depth)
    return st.integers(0, 99).flatmap(lambda drawn: _ODD if drawn < odd else fitting)


def _branch(
    branch: object, union: list[Any], named: dict[str, Any], odd: int, depth: int
) -> st.SearchStrategy[Any]:
    if branch != "null" and not depth:
        return st.none()
    fitting = values(branch, named, odd, depth)
    several = len(union) > 2 and branch != "null"
    return fitting.map(lambda value: (branch, value)) if several else fitting


def _records(
    schema: Schema, named: dict[str, Any], odd: int, depth: int
) -> st.SearchStrategy[dict[str, Any]]:
    needed: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {"a key of nobody": st.just(5)}
    for field in schema["fields"]:
        part = values(field["type"], named, odd, depth)
        lacking = "default" in field or odd
        (optional if lacking else needed)[field["name"]] = part
    return st.fixed_dictionaries(needed, optional=optional)


def made(encode: Any, *arguments: object) -> bytes | str:
    """Return what is written, or why nothing is."""
    try:
        written = encode(*arguments)
    except SchemaError as error:
        return str(error)
    assert isinstance(written, bytes)
    return written


@pytest.mark.parametrize("name", ["Mixed", *_ALL])
def test_the_bytes_are_those_of_fastavro(name: str) -> None:
    """A value of any schema of ours has the bytes that fastavro gives it, to the last."""
    schema = parsed(name)
    encode = compile_encoder(schema)

    @settings(LAW, max_examples=60)
    @given(values(schema, {}, odd=0))
    def check(value: dict[str, Any]) -> None:
        assert made(encode, value) == made(schemas.encode, schema, value)

    check()


@pytest.mark.parametrize("name", ["Mixed", *SCHEMAS])
def test_what_does_not_fit_is_refused_alike(name: str) -> None:
    """A value with parts of any other type is taken or refused as fastavro does, in its words."""
    schema = parsed(name)
    encode = compile_encoder(schema)

    @settings(LAW, max_examples=100)
    @given(values(schema, {}, odd=5))
    def check(value: dict[str, Any]) -> None:
        assert made(encode, value) == made(schemas.encode, schema, value)

    check()


def parsed(name: str) -> Schema:
    """Return a schema of ours, or the one of this test."""
    if name != "Mixed":
        return schemas.load(name)
    found = fastavro.parse_schema(_MIXED)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", ["Mixed", *SCHEMAS])
def test_every_notification_takes_the_quick_way(name: str) -> None:
    """No schema of a notification is left to fastavro as a whole."""
    schema = parsed(name)
    quick = compiled._Compiler().compile(schema)
    value: Mapping[str, Any] = {"eventName": name, "eventId": "é", "orgId": 1, "createdAt": 2}
    if name == "Mixed":
        value = {"one": ("long", 5), "sure": ("boolean", True), "many": {}, "rows": [], "table": {}}
    assert quick(value).encode("latin-1") == schemas.encode(schema, dict(value))


def test_a_schema_of_another_kind_is_left_to_fastavro() -> None:
    """Bytes and unions of records are written as ever, though no function is made for them."""
    record = {"type": "record", "name": "A", "fields": [{"name": "b", "type": "bytes"}]}
    schema = fastavro.parse_schema(record)
    assert isinstance(schema, dict)
    assert compile_encoder(schema)({"b": b"\xff"}) == b"\x02\xff"


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("int", 2**31),
        ("int", -(2**31) - 1),
        ("long", 2**63),
        ("long", -(2**63) - 1),
        ("long", True),
        ("long", 5.0),
        ("double", 5),
        ("double", True),
        ("string", b"x"),
        ("string", "\ud800"),
        ("string", "x" * 9000),
        ("string", "é" * 5000),
        ("boolean", 1),
        ({"type": "array", "items": "string"}, "xy"),
        ({"type": "array", "items": "string"}, ("x", "y")),
        ({"type": "map", "values": "string"}, {5: "x"}),
        (["null", "string"], 5),
        (["null", "long", "string"], ["long", 5]),
        (["null", "long", "string"], ("double", 5.0)),
        (["null", "long", "string"], ("long", 2**63)),
        (["null", "long", "string"], 5),
    ],
)
def test_a_value_at_the_edge_is_fastavros(kind: object, odd: object) -> None:
    """Too large, of a class that only looks alike, too long: what fastavro says of it counts."""
    record = {"type": "record", "name": "A", "fields": [{"name": "a", "type": kind}]}
    schema = fastavro.parse_schema(record)
    assert isinstance(schema, dict)
    compiled._Compiler().compile(schema)
    assert made(compile_encoder(schema), {"a": odd}) == made(schemas.encode, schema, {"a": odd})
