"""The public schemas: readable by all, null-able as agreed, and open for what comes."""

import json
from pathlib import Path
from typing import Any

import avro.schema
import pytest
from avro.compatibility import (
    ReaderWriterCompatibilityChecker,
    SchemaCompatibilityType,
)

from loyaltystream.avro import schemas
from loyaltystream.errors import SchemaError
from loyaltystream.notifications import targets
from loyaltystream.notifications.catalog import CATALOG, SCHEMAS

_FILES = sorted(schemas.folder().glob(f"{schemas.NOTIFICATION_NAMESPACE}.*.avsc"))
_ALWAYS = {"eventName", "eventId", "orgId", "createdAt"}
_ENVELOPE = [
    *("eventName", "eventId", "orgId", "refId", "apiRequestId", "createdAt", "loyaltyEventId"),
    *("eventLogId", "traceAttributes", "causeEventId", "causeSource"),
    *("causeDefinitionVersion", "causeRule", "data"),
]


def official(schema: dict[str, Any]) -> avro.schema.Schema:
    return avro.schema.parse(schemas.text(schema))


def is_compatible(reader: dict[str, Any], writer: dict[str, Any]) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # not annotated
    checked = checker.get_compatibility(official(reader), official(writer))
    return checked.compatibility is SchemaCompatibilityType.compatible


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem.rpartition(".")[2])
def test_every_record_parses(path: Path) -> None:
    """Each file holds one documented record that fastavro and the official library both read."""
    written = json.loads(path.read_text())
    assert f"{written['namespace']}.{written['name']}" == path.stem
    assert written["doc"]
    assert all(field["doc"] for field in written["fields"])
    loaded = schemas.load(path.stem)
    parsed = official(loaded)
    assert isinstance(parsed, avro.schema.RecordSchema)
    assert parsed.fullname == path.stem


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem.rpartition(".")[2])
def test_nearly_everything_may_be_null(path: Path) -> None:
    """All fields are null by default but the envelope's four; arrays are empty by default."""
    for field in json.loads(path.read_text())["fields"]:
        if path.stem in SCHEMAS and field["name"] in _ALWAYS:
            assert "default" not in field
            assert field["type"] != "null"
        elif isinstance(field["type"], dict) and field["type"]["type"] == "array":
            assert field["default"] == []
        else:
            assert field["type"][0] == "null"
            assert field["default"] is None
            assert len(field["type"]) == 2


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_type_has_the_same_envelope(name: str) -> None:
    """The types differ in their data only, and a type's data is a record of its own."""
    loaded = schemas.load(name)
    assert [field["name"] for field in loaded["fields"]] == _ENVELOPE
    [data] = [branch for branch in loaded["fields"][-1]["type"] if branch != "null"]
    assert data["name"] == f"{name}Data"


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_the_registry_stores_stands_alone(name: str) -> None:
    """The text for the registry needs no other file and holds nothing of a library's own."""
    text = schemas.text(schemas.load(name))
    assert "__" not in text
    standing_alone = avro.schema.parse(text)
    assert json.loads(str(standing_alone))["name"] == name.rpartition(".")[2]


def _with(schema: dict[str, Any], **field: object) -> dict[str, Any]:
    return schema | {"fields": [*schema["fields"], field]}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_contract_can_grow_both_ways(name: str) -> None:
    """A later field that may be null is compatible with readers and writers of today."""
    today = schemas.load(name)
    later = _with(today, name="later", type=["null", "string"], default=None)
    assert is_compatible(later, today)
    assert is_compatible(today, later)
    assert is_compatible(today, today)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_check_can_fail(name: str) -> None:
    """A later field that must be there breaks readers of what is written today."""
    today = schemas.load(name)
    assert not is_compatible(_with(today, name="later", type="string"), today)


@pytest.mark.parametrize("name", SCHEMAS)
def test_data_can_be_left_out(name: str) -> None:
    """A reader that knows only the envelope reads every notification of the type."""
    today = schemas.load(name)
    envelope = today | {"fields": today["fields"][:-1]}
    assert is_compatible(envelope, today)


def test_every_type_of_the_catalogue_has_its_schema() -> None:
    """The catalogue names records that are there, under the event names of the payload."""
    assert len(CATALOG) == 28
    for name, kind in CATALOG.items():
        record = kind.schema.rpartition(".")[2]
        assert record.lower() == name.lower()
        [named] = [f for f in schemas.load(kind.schema)["fields"] if f["name"] == "eventName"]
        assert named["doc"] == f"Which notification this is: {name}."


@pytest.mark.parametrize(
    "odd", ["bytes", ["null", "string", {"type": "array", "items": "long"}], {"type": "fixed"}]
)
def test_a_mapping_knows_what_it_can_fill(odd: object) -> None:
    """A schema with a type that no template can fill is refused by name, not half mapped."""
    with pytest.raises(SchemaError, match="no mapping can fill"):
        targets._read({"type": "record", "name": "R", "fields": [{"name": "f", "type": odd}]}, {})
