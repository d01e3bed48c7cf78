"""A record of the notifications' topic in, a typed notification out, or why there is none. Pure.

What the registry does not know, or gives under another name than
the record's own header has, is no fault of the record: it is waited for. So a registry that is
empty, restored from an old backup, or the wrong one makes no dead letters.
"""

from typing import Protocol

import msgspec

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE, Schema
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.errors import RetryableBrokerError, SchemaError
from loyaltystream.events import TYPE_HEADER, Record
from loyaltystream.subscriber.outcomes import Blame, Failure
from loyaltystream.subscriber.records import TYPES, Notification
from loyaltystream.verdicts import Violation


class Writers(Protocol):
    """The registry, as far as reading needs it."""

    def writer_schema(self, schema_id: int) -> Schema | None:
        """Return the schema of an id, or None if the registry has confirmed that it has none.

        Raises:
            RetryableBrokerError: if the registry does not answer.
            SchemaError: if what it has is not Avro.
        """

    def forget(self) -> None:
        """Ask for every schema anew: what was told so far may be another registry's word."""


class Unknown(msgspec.Struct, frozen=True):
    """A type of notification that this version does not know, by its schema's name."""

    name: str


class Read(msgspec.Struct, frozen=True):
    """A notification whose type is known; what it holds is decoded only for who wants it."""

    kind: type[Notification]
    writer: Schema
    content: bytes

    def decode(self) -> Notification | Failure:
        """Return the notification, resolved to this version's schema, or why it can't be."""
        reader = schemas.load(f"{NOTIFICATION_NAMESPACE}.{self.kind.__name__}")
        try:
            value = schemas.decode(self.writer, reader, self.content)
            return msgspec.convert(value, self.kind)
        except (SchemaError, msgspec.ValidationError) as error:
            return undecodable(error)


def read(value: bytes, record: Record, writers: Writers) -> Read | Unknown | Failure:
    """Return what lies in a record's value.

    Raises:
        RetryableBrokerError: if the registry can't tell, or is not the one that it was written by.
    """
    schema_id = schema_id_of(value)
    if isinstance(schema_id, Violation):
        return Failure(Blame.UNDECODABLE, str(schema_id.reason), schema_id.detail)
    told = schema_told(record)
    writer = _ask(schema_id, writers)
    name = writer if isinstance(writer, str) else str(writer.get("name"))
    if told not in (None, name):
        writers.forget()
        raise RetryableBrokerError(
            f"the record was written as {told}, and under its id {schema_id} the registry has "
            f"{name}: it is another registry, or was restored from an older state"
        )
    if isinstance(writer, str):
        return undecodable(SchemaError(f"under its id {schema_id} the registry has {writer}"))
    kind = TYPES.get(name)
    return Unknown(name) if kind is None else Read(kind, writer, value[FRAME_BYTES:])


def schema_told(record: Record) -> str | None:
    """Return the name of the schema that a record of NOTIFY's was written by, as it says itself."""
    told = (record.header(TYPE_HEADER) or b"").decode(errors="replace")
    room, _, name = told.rpartition(".")
    return schemas.of_notification(name) if room == NOTIFICATION_NAMESPACE else None


def _ask(schema_id: int, writers: Writers) -> Schema | str:
    """Return the schema of an id, or in words what the registry has instead."""
    try:
        return writers.writer_schema(schema_id) or "nothing"
    except SchemaError:
        return "what is no Avro record"


def undecodable(error: Exception) -> Failure:
    """Return why a record can't be decoded; errors of ours say nothing of what it holds."""
    return Failure(Blame.UNDECODABLE, type(error).__name__, str(error))
