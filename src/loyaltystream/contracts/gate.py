"""A schema and the versions that it has to go with in, a line for each that it breaks out. Pure.

Full transitive compatibility: whoever reads or writes by any released version goes on working.
`changes.py` says what is wrong in words, and is stricter: no field ever goes. The official library
has the last word.
"""

from collections.abc import Mapping
from typing import Any

import avro.errors
import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from loyaltystream.avro import schemas
from loyaltystream.contracts.changes import compare
from loyaltystream.errors import SchemaError


def breaches(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Return why `new` may not follow `old`, nothing if it may.

    Args:
        new: standing alone.
        old: standing alone, of the same record.

    Raises:
        SchemaError: if one of them is not Avro.
    """
    told = [str(change) for change in compare(old, new) if change.breaks]
    if told:
        return told
    reader, writer = _parsed(new), _parsed(old)
    return [
        f"a reader of the {who} schema can't read what the other writes: {', '.join(why)}"
        for who, why in (("new", _refusals(reader, writer)), ("old", _refusals(writer, reader)))
        if why
    ]


def _refusals(reader: avro.schema.Schema, writer: avro.schema.Schema) -> list[str]:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # not annotated
    checked = checker.get_compatibility(reader, writer)
    if checked.compatibility is SchemaCompatibilityType.compatible:
        return []
    return sorted(checked.messages) or ["incompatible"]


def _parsed(schema: Mapping[str, Any]) -> avro.schema.Schema:
    try:
        return avro.schema.parse(schemas.text(dict(schema)))
    except (avro.errors.AvroException, ValueError) as error:
        raise SchemaError(f"schema {schema.get('name')} is not Avro: {error}") from error
