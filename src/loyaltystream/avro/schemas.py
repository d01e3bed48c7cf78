"""The Avro schemas that the package carries, each parsed once. Does I/O: reads its own files."""

import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import fastavro
import fastavro.schema
from fastavro.repository import SchemaRepositoryError
from fastavro.schema import SchemaParseException, UnknownType

from loyaltystream.avro.walking import broken
from loyaltystream.errors import SchemaError

BEHAVIORAL_EVENT: Final = "loyalty.event.v1.BehavioralEvent"
DEAD_LETTER: Final = "loyalty.event.v1.DeadLetter"
NOTIFICATION_NAMESPACE: Final = "loyalty.notification.v1"

# In a wheel the schemas lie inside the package, in a checkout beside `src`.
_PACKAGE = Path(__file__).parent.parent
_FOLDERS = (_PACKAGE / "schemas", _PACKAGE.parent.parent / "schemas")

Schema = dict[str, Any]


def of_notification(event_name: str) -> str:
    """Return the full name of a notification's record: pointsIssued is told by PointsIssued."""
    return f"{NOTIFICATION_NAMESPACE}.{event_name[:1].upper()}{event_name[1:]}"


def folder() -> Path:
    """Return the folder of the schema files.

    Raises:
        SchemaError: if the installation lacks it.
    """
    for candidate in _FOLDERS:
        if candidate.is_dir():
            return candidate
    raise SchemaError("the installation has no schemas folder; install loyaltystream again")


@cache
def load(name: str) -> Schema:
    """Return the schema of that full name, with everything that it refers to inlined.

    Raises:
        SchemaError: if there is none, or it is not Avro.
    """
    try:
        loaded = fastavro.schema.load_schema(str(folder() / f"{name}.avsc"))
    except (SchemaRepositoryError, SchemaParseException, UnknownType, ValueError) as error:
        raise SchemaError(f"schema {name}: {error}") from error
    if not isinstance(loaded, dict):
        raise SchemaError(f"schema {name} is not a record")
    return loaded


def parse(content: object) -> Schema:
    """Return a schema that stands alone, from its JSON.

    Raises:
        SchemaError: if it is not Avro, or not a record.
    """
    try:
        parsed = fastavro.schema.parse_schema(content)  # type: ignore[arg-type]  # it is checked there
    except (SchemaParseException, UnknownType, ValueError, LookupError, TypeError) as error:
        raise SchemaError(f"not an Avro schema: {error}") from error
    except RecursionError as error:
        raise SchemaError("not an Avro schema: nested too deep") from error
    if not isinstance(parsed, dict):
        raise SchemaError("an Avro schema, but not of a record")
    return parsed


def text(schema: Schema) -> str:
    """Return a schema as the registry stores it, the same text in every process."""
    visible = {key: value for key, value in schema.items() if not key.startswith("__")}
    # fastavro leaves the keys of a field in the order of a set, which changes from run to run.
    return json.dumps(visible, separators=(",", ":"), sort_keys=True)


def encode(schema: Schema, value: Mapping[str, Any]) -> bytes:
    """Return `value` as Avro.

    Raises:
        SchemaError: if the value does not fit the schema.
    """
    buffer = io.BytesIO()
    try:
        fastavro.schemaless_writer(buffer, schema, value)
    except (TypeError, ValueError, OverflowError, AttributeError, KeyError) as error:
        raise SchemaError(f"a value does not fit {schema.get('name')}: {error}") from error
    return buffer.getvalue()


def decode(writer: Schema, reader: Schema | None, content: bytes) -> dict[str, Any]:
    """Return the value in `content`, all of which has to be used up.

    Raises:
        SchemaError: if it is not what the writer's schema says, or not readable by the reader's.
    """
    if problem := broken(writer, content):
        raise SchemaError(f"not a {writer.get('name')}: {problem}")
    try:
        value = fastavro.schemaless_reader(io.BytesIO(content), writer, reader)
    except Exception as error:
        raise SchemaError(f"not a {writer.get('name')}: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise SchemaError(f"{writer.get('name')} is not a record")
    return value
