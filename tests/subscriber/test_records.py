"""The typed records are what the schemas say, and show what the golden notifications say."""

import ast
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from loyaltystream.avro import schemas
from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.subscriber import records
from loyaltystream.subscriber.generating import FOLDER, modules
from loyaltystream.subscriber.records import TYPES, Notification, PointsIssued, PointsIssuedData
from loyaltystream.subscriber.testing import example
from tests.subscriber.goldens import goldens, told, typed


def test_what_is_committed_is_what_the_generator_makes() -> None:
    """Every module of records is the one that the schemas of today give."""
    written = {path.name: path.read_text() for path in FOLDER.glob("*.py")}
    made = modules()
    assert sorted(written) == sorted(made)
    for name, text in made.items():
        assert written[name] == text, f"{name}: python -m loyaltystream.subscriber.generating"


def test_every_type_has_its_record() -> None:
    """Each of the 28 types has a record, which is told by its schema's name."""
    assert TYPES.keys() == {kind.schema for kind in CATALOG.values()}
    assert len(set(TYPES.values())) == 28
    names = {kind.schema: kind.name for kind in CATALOG.values()}
    for schema, kind in TYPES.items():
        assert example(kind).eventName == names[schema]


def test_a_record_has_the_fields_of_its_schema() -> None:
    """A record has the fields of its schema; those that may be lacking there are None."""
    for name, kind in TYPES.items():
        schema = schemas.load(name)
        assert {each.name for each in fields(kind)} == {each["name"] for each in schema["fields"]}
        bare = example(kind)
        lacking = {each["name"] for each in schema["fields"] if "default" in each}
        assert {getattr(bare, each) for each in lacking} == {None}


def described(path: Path) -> dict[str, list[str]]:
    """Return the fields of each class of a module that no docstring follows."""
    bare: dict[str, list[str]] = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            assert ast.get_docstring(node), node.name
            bare[node.name] = [
                ast.unparse(field.target)
                for field, after in zip(node.body, [*node.body[1:], ast.Pass()], strict=True)
                if isinstance(field, ast.AnnAssign) and not isinstance(after, ast.Expr)
            ]
    return bare


def test_every_field_says_what_it_means() -> None:
    """Every record has a docstring, and so has every field."""
    found = {name: bare for path in FOLDER.glob("*.py") for name, bare in described(path).items()}
    assert len(found) == len(records.__all__) - 1  # all but the table of types
    assert {name: bare for name, bare in found.items() if bare} == {}


def test_times_are_times() -> None:
    """What the schemas have as epoch milliseconds is a time, and its docstring says so."""
    for path in FOLDER.glob("*.py"):
        assert "milliseconds" not in path.read_text(), path.name


@pytest.mark.parametrize("golden", goldens(), ids=lambda each: each["notification"]["refId"])
def test_a_golden_notification_is_a_typed_record(golden: dict[str, Any]) -> None:
    """A record that was made from a golden file says all that the file says, and nothing else."""
    assert told(typed(golden)) == golden["notification"]


def test_a_record_can_not_be_changed() -> None:
    """A notification is a fact: its record is frozen, and has no room for more."""
    issued = example(PointsIssued, data=PointsIssuedData(totalPointsIssued=5.0))
    with pytest.raises(FrozenInstanceError):
        issued.orgId = 7  # type: ignore[misc]  # what is tried here
    assert not hasattr(issued, "__dict__")
    assert isinstance(issued, Notification)
