"""A notification's bytes in, what it says out, or why it says nothing. Pure.

The registry is asked for writers' schemas through a function. What is wrong with a record is told;
what is wrong with the registry stops whoever reads, lest a customer's notifications be passed over.
"""

from collections.abc import Callable
from typing import Any

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.errors import SchemaError
from loyaltystream.reemit.choosing import Read
from loyaltystream.verdicts import Violation


def reader(find: Callable[[int], Schema | None]) -> Read:
    """Return what decodes notifications.

    It raises SchemaError where the registry lacks a schema, and whatever `find` raises.
    """

    def read(value: bytes | None) -> dict[str, Any] | str:
        if value is None:
            return "it has no value"
        schema_id = schema_id_of(value)
        if isinstance(schema_id, Violation):
            return schema_id.detail
        schema = find(schema_id)
        if schema is None:
            raise SchemaError(
                f"the registry has no schema {schema_id}, which a notification was written with: "
                f"it can't be told whose that is; nothing behind it was sent"
            )
        try:
            return schemas.decode(schema, None, value[FRAME_BYTES:])
        except SchemaError as error:
            return str(error)

    return read
