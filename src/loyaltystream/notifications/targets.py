"""An Avro schema in, the shape that a mapping has to fill out. Pure, but for reading the schema."""

from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec

from loyaltystream.avro import schemas
from loyaltystream.errors import SchemaError


class Kind(StrEnum):
    """What a single value has to be; the value of a member says so in a message."""

    STRING = "a text"
    INT = "an integer of 32 bits"
    LONG = "an integer"
    DOUBLE = "a number"
    BOOLEAN = "true or false"
    MOMENT = "a time (epoch milliseconds, or text with date, time and zone)"
    DYNAMIC = "a single value"


class Scalar(msgspec.Struct, frozen=True):
    """A single value."""

    kind: Kind
    nullable: bool = False


class Composite(msgspec.Struct, frozen=True):
    """A record, by its full name."""

    name: str
    members: dict[str, "Target"]
    nullable: bool = False


class Listing(msgspec.Struct, frozen=True):
    """An array; null counts as empty."""

    items: "Target"
    nullable: bool = False


class Table(msgspec.Struct, frozen=True):
    """A map from text."""

    values: "Target"
    nullable: bool = False


Target = Scalar | Composite | Listing | Table

_PRIMITIVES: Final = {
    "string": Kind.STRING,
    "int": Kind.INT,
    "long": Kind.LONG,
    "double": Kind.DOUBLE,
    "boolean": Kind.BOOLEAN,
}


@cache
def load_target(name: str) -> Composite:
    """Return the shape of the record of that full name.

    Raises:
        SchemaError: if there is no such record, or it holds what no mapping can fill.
    """
    target = _read(schemas.load(name), {})
    if not isinstance(target, Composite):
        raise SchemaError(f"schema {name} is not a record")
    return target


def _read(schema: Any, named: dict[str, Target]) -> Target:  # noqa: ANN401 (Avro's JSON)
    match schema:
        case str() if schema in _PRIMITIVES or schema in named:
            return Scalar(_PRIMITIVES[schema]) if schema in _PRIMITIVES else named[schema]
        case list():
            return _read_union(schema, named)
        case {"type": "record", "name": str(name), "fields": list(fields)}:
            members: dict[str, Target] = {}
            named[name] = Composite(name, members)
            members.update({field["name"]: _read(field["type"], named) for field in fields})
            return named[name]
        case {"type": "array", "items": items}:
            return Listing(_read(items, named))
        case {"type": "map", "values": values}:
            return Table(_read(values, named))
        case {"type": "long", "logicalType": "timestamp-millis"}:
            return Scalar(Kind.MOMENT)
    raise SchemaError(f"no mapping can fill an Avro {schema}")


def _read_union(branches: list[Any], named: dict[str, Target]) -> Target:
    rest = [branch for branch in branches if branch != "null"]
    nullable = len(rest) < len(branches)
    if len(rest) == 1:
        return msgspec.structs.replace(_read(rest[0], named), nullable=nullable)
    if all(isinstance(branch, str) and branch in _PRIMITIVES for branch in rest):
        return Scalar(Kind.DYNAMIC, nullable=nullable)
    raise SchemaError(f"no mapping can fill an Avro union of {branches}")
