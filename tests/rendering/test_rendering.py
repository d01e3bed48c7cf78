"""What a subscriber without Avro is sent: the vendor's keys, in their order, with their types."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from loyaltystream.avro import schemas
from loyaltystream.errors import SchemaError
from loyaltystream.notifications.catalog import CATALOG, SCHEMAS
from loyaltystream.notifications.targets import Composite, Listing, Table, Target, load_target
from loyaltystream.rendering.differences import fold
from loyaltystream.rendering.shapes import Rendering, render

_RENDERED: Final = sorted((Path(__file__).parent / "rendered").glob("*"))


def decoded(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as fastavro reads what it wrote."""
    schema = schemas.load(CATALOG[record["eventName"]].schema)
    return schemas.decode(schema, None, schemas.encode(schema, record))


@pytest.mark.parametrize("path", _RENDERED, ids=lambda path: path.stem)
def test_a_record_is_rendered_to_the_letter(path: Path) -> None:
    """A record becomes the JSON that stands beside it, in the order of its keys too."""
    case = json.loads(path.read_text())
    made = render(
        decoded(case["record"]),
        Rendering(case["rendering"]),
        delivered_ms=case.get("delivered_ms"),
    )
    assert json.dumps(made, indent=1) == json.dumps(case["json"], indent=1)


def test_every_rendering_has_a_case() -> None:
    """Each rendering is proved by a file."""
    assert {json.loads(path.read_text())["rendering"] for path in _RENDERED} == {*Rendering}


@pytest.mark.parametrize(
    "change", [{"eventName": "moonRisen"}, {"data": {"pointsExpired": float("inf")}}]
)
def test_what_json_cannot_say_is_refused(change: dict[str, Any]) -> None:
    """An unknown type and a number without an end are an error with a name, never bad JSON."""
    record = {"eventName": "pointsExpired", "eventId": "n-1", "orgId": 70, "createdAt": 1}
    with pytest.raises(SchemaError, match=r"moonRisen|holds inf"):
        render({**record, **change}, Rendering.FLAT)


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_two_members_are_one_key(name: str) -> None:
    """Blanks, underscores and capitals tell no two members of a record apart."""
    for record in _records(load_target(name)):
        keys = [fold(member) for member in record.members]
        assert len(keys) == len(set(keys)), record.name


def _records(target: Target) -> list[Composite]:
    match target:
        case Composite(members=members):
            return [target, *(record for part in members.values() for record in _records(part))]
        case Listing(items=part) | Table(values=part):
            return _records(part)
        case _:
            return []
