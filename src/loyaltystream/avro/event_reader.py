"""Framed bytes of `EMFConsumer` in, the decoded `BehavioralEvent` or what is wrong out.

Pure, but for the port that asks the registry for a writer's schema.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import fastavro
from fastavro.schema import SchemaParseException

from loyaltystream.avro import schemas
from loyaltystream.avro.quick_reader import Read, compile_reader
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.errors import SchemaError
from loyaltystream.verdicts import Reason, Violation

WriterSchemas = Callable[[int], Schema | None]
"""Gives the schema of an id, None where the registry has none; fails where it can't be asked."""

_LAST_MS: Final = 253_402_300_799_999  # the end of year 9999, which text and headers can say


class EventReader:
    """Reads events by the schemas that they were written with.

    Args:
        writer_schema: asked until it knows an id, then never again for that id.
    """

    def __init__(self, writer_schema: WriterSchemas) -> None:
        self._writer_schema = writer_schema
        self._reader, self._quick = own_reader()
        self._known: dict[int, tuple[Schema, Schema | None] | Violation] = {}

    def read(self, value: bytes) -> dict[str, Any] | Violation:
        """Return the event as this release knows it, times as epoch milliseconds."""
        schema_id = schema_id_of(value)
        if isinstance(schema_id, Violation):
            return schema_id
        found = self._known.get(schema_id) or self._ask(schema_id)
        if isinstance(found, Violation):
            return found
        event = self._quick(value, FRAME_BYTES) if found[1] is None else None
        if event is None:
            try:
                event = schemas.decode(*found, value[FRAME_BYTES:])
            except SchemaError as error:
                return Violation(Reason.AVRO_DECODE, "", str(error))
        if not 0 <= event["ingestedAt"] <= _LAST_MS:
            return Violation(Reason.AVRO_DECODE, "ingestedAt", "before 1970 or after 9999")
        return event

    def _ask(self, schema_id: int) -> tuple[Schema, Schema | None] | Violation:
        """Return the writer's schema, and ours where it is another one."""
        try:
            schema = self._writer_schema(schema_id)
        except SchemaError as error:  # what has that id is no Avro record
            return Violation(Reason.SCHEMA_ID, "", str(error))
        if schema is None:  # somebody may register it yet
            return Violation(Reason.SCHEMA_ID, "", f"the registry has no schema {schema_id}")
        answer = self._known[schema_id] = self._match(schema_id, schema)
        return answer

    def _match(self, schema_id: int, schema: Schema) -> tuple[Schema, Schema | None] | Violation:
        if _full_name(schema) != schemas.BEHAVIORAL_EVENT:
            detail = f"schema {schema_id} is not one of {schemas.BEHAVIORAL_EVENT}"
            return Violation(Reason.SCHEMA_ID, "", detail)
        try:
            writer = without_logical_types(schema)
        except (SchemaParseException, ValueError) as error:
            return Violation(Reason.SCHEMA_ID, "", f"schema {schema_id}: {type(error).__name__}")
        return writer, None if writer == self._reader else self._reader


@cache
def own_reader() -> tuple[Schema, Read]:
    """Return the schema of this release, and the reader of what is written by it."""
    schema = without_logical_types(schemas.load(schemas.BEHAVIORAL_EVENT))
    return schema, compile_reader(schema)


def _full_name(schema: Schema) -> str:
    name, namespace = str(schema.get("name")), schema.get("namespace")
    return name if "." in name or not namespace else f"{namespace}.{name}"


def without_logical_types(schema: Schema) -> Schema:
    """Return the schema with plain numbers for times: as datetimes they cost more than the rest."""
    parsed = fastavro.parse_schema(_strip(json.loads(schemas.text(schema))))
    if not isinstance(parsed, dict):
        raise SchemaParseException("not a record")
    return parsed


def _strip(schema: Any) -> Any:  # noqa: ANN401 (Avro's JSON)
    if isinstance(schema, list):
        return [_strip(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _strip(value) for key, value in schema.items() if key != "logicalType"}
