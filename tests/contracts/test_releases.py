"""What subscribers were promised: the form of schemas, and that every release goes with today's."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.cli import app
from loyaltystream.contracts import releases
from loyaltystream.contracts.form import check_form
from loyaltystream.contracts.gate import breaches
from loyaltystream.contracts.releases import PUBLISHED
from loyaltystream.errors import SchemaError

_FILES = releases.written()


def without_each(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a schema without a field, for each field of each record written out in it."""
    match schema:
        case {"type": "record"}:
            yield from _without_fields(schema, path)
        case {"items": inner}:
            yield from ((at, schema | {"items": less}) for at, less in without_each(inner, path))
        case {"values": inner}:
            yield from ((at, schema | {"values": less}) for at, less in without_each(inner, path))
        case list():
            # Null comes first.
            yield from ((at, [*schema[:-1], less]) for at, less in without_each(schema[-1], path))


def _without_fields(record: Any, path: str) -> Iterator[tuple[str, Any]]:
    for position, field in enumerate(record["fields"]):
        place = f"{path}.{field['name']}".lstrip(".")
        before, after = record["fields"][:position], record["fields"][position + 1 :]
        yield place, record | {"fields": before + after}
        for inner, less in without_each(field["type"], place):
            yield inner, record | {"fields": [*before, field | {"type": less}, *after]}


def test_all_schemas_are_as_they_have_to_be() -> None:
    """Every file has the form, and every record that is written goes with each of its releases."""
    checked = releases.check()
    assert checked.problems == []
    assert checked.files == len(_FILES)
    assert checked.releases >= len(PUBLISHED) == 30


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_field_may_ever_go(name: str) -> None:
    """A schema that lacks any field of any release, however deep, is refused by that field."""
    [(_, old), *_] = releases.released(name).items()
    count = 0
    for path, less in without_each(old):
        if any(
            line.replace("[]", "").replace("{}", "") == f"{path} is gone"
            for line in breaches(less, old)
        ):
            count += 1
        else:
            # The record is written out here and referred to further on: Avro itself objects.
            with pytest.raises(SchemaError):
                breaches(less, old)
    assert count > 10


def changed(record: str, field: dict[str, Any]) -> tuple[Schema, Schema]:
    """Return a record's first release, and a schema with a field of it changed, or added."""
    old = releases.released(record)[1]
    new = copy.deepcopy(old)
    known = next((each for each in new["fields"] if each["name"] == field["name"]), None)
    if known is None:
        new["fields"].append(field)
    else:
        known |= field
    return new, old


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        ({"name": "later", "type": ["null", "string"], "default": None}, []),
        ({"name": "later", "type": "string"}, ["later is new, without a default"]),
        ({"name": "orgId", "type": "string"}, ["orgId was long and is string"]),
        ({"name": "refId", "type": ["null", "long"]}, ["refId was string and is long"]),
        ({"name": "refId", "type": "string"}, ["refId was null or string and is string"]),
        (
            {"name": "createdAt", "type": "long"},
            ["createdAt was long (timestamp-millis) and is long"],
        ),
        ({"name": "refId", "doc": "Another."}, []),
    ],
)
def test_what_may_change_and_what_may_not(field: dict[str, Any], lines: list[str]) -> None:
    """A field that may be null can come; a type, a must and a logical type stay as they are."""
    new, old = changed("loyalty.notification.v1.CouponIssue", field)
    assert breaches(new, old) == lines


def test_the_official_library_has_the_last_word() -> None:
    """What our own words do not find is refused all the same if Avro's resolution fails."""
    record = {"type": "record", "name": "a.R", "fields": []}
    kinds = {"type": "enum", "name": "a.E", "symbols": ["A", "B"]}
    old = record | {"fields": [{"name": "f", "type": kinds}]}
    new = record | {"fields": [{"name": "f", "type": kinds | {"symbols": ["A"]}}]}
    [line] = breaches(new, old)
    assert line.startswith("a reader of the new schema can't read what the other writes: ")


_GOOD: dict[str, Any] = {
    "type": "record",
    "name": "R",
    "namespace": "loyalty.notification.v1",
    "doc": "A thing.",
}
_FIELD: dict[str, Any] = {
    "name": "size",
    "type": ["null", "long"],
    "default": None,
    "doc": "How large, in bytes.",
}
_MS = {"type": "long", "logicalType": "timestamp-millis"}
_NULLABLE = "the field may be null, and is by default"
_MOMENT = (
    "what is timestamp-millis has a doc that says epoch milliseconds, UTC, and nothing else has"
)


@pytest.mark.parametrize(
    ("record", "field", "lines"),
    [
        ({}, {}, []),
        ({"doc": " "}, {}, ["R: the record has no doc that ends in a full stop"]),
        ({}, {"doc": None}, ["size: the field has no doc that ends in a full stop"]),
        ({}, {"name": "Size"}, ["Size: a field's name is written likeThis or like_this"]),
        ({}, {"name": "valid_till"}, []),
        ({}, {"type": "long"}, [f"size: {_NULLABLE}"]),
        ({}, {"type": ["long", "null"]}, [f"size: {_NULLABLE}"]),
        ({}, {"default": 0}, [f"size: {_NULLABLE}"]),
        (
            {},
            {"type": {"type": "array", "items": "string"}},
            ["size: an array is empty by default"],
        ),
        ({}, {"type": ["null", "float"]}, ["size: the type float is none that we use"]),
        ({}, {"type": ["null", {"type": "enum"}]}, ["size: the type enum is none that we use"]),
        ({}, {"type": ["null", _MS]}, [f"size: {_MOMENT}"]),
        ({}, {"doc": "When; epoch milliseconds, UTC."}, [f"size: {_MOMENT}"]),
        ({}, {"type": ["null", _MS], "doc": "When; epoch milliseconds, UTC."}, []),
        (
            {"name": "r"},
            {},
            [
                "the file is named loyalty.notification.v1.R, the record loyalty.notification.v1.r",
                "r: a record's name is written LikeThis",
            ],
        ),
    ],
)
def test_the_form_of_a_schema_is_checked(
    record: dict[str, Any], field: dict[str, Any], lines: list[str]
) -> None:
    """Docs, names, nulls, defaults and logical types are as subscribers may count on."""
    written = _GOOD | record | {"fields": [_FIELD | field]}
    assert check_form("loyalty.notification.v1.R", written) == lines


@pytest.mark.parametrize("name", sorted(_FILES))
def test_a_doc_that_is_lost_is_told(name: str) -> None:
    """No record and no field of any file can lose its doc in silence."""
    for position, field in enumerate(_FILES[name]["fields"]):
        bare = {key: part for key, part in field.items() if key != "doc"}
        fields = [*_FILES[name]["fields"]]
        fields[position] = bare
        assert f"{field['name']}: the field has no doc that ends in a full stop" in check_form(
            name, _FILES[name] | {"fields": fields}
        )


def test_what_is_exported_stands_alone(tmp_path: Path) -> None:
    """Every exported file is parsed without any other, and means what topics are written with."""
    made = releases.export(tmp_path / "new")
    assert [path.stem for path in made] == list(PUBLISHED)
    for path in made:
        alone = schemas.parse(json.loads(path.read_text()))
        assert schemas.text(alone) == schemas.text(schemas.load(path.stem))


def test_check_and_export_are_commands(tmp_path: Path) -> None:
    """`schemas check` and `schemas export` need neither a broker nor a registry."""
    run = CliRunner()
    checked = run.invoke(app, ["schemas", "check", "--json"])
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["problems"] == []
    assert run.invoke(app, ["schemas", "check"]).stdout.startswith("valid: ")
    exported = run.invoke(app, ["schemas", "export", str(tmp_path)])
    assert exported.exit_code == 0
    assert len(list(tmp_path.glob("*.avsc"))) == len(PUBLISHED)
