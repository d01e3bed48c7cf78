"""Whether the registry still reads what was written. Does I/O through what it is given.

A registry that was emptied, or restored from an old backup, may hand its ids out anew. Records keep
those that they were written with: what is read by them then is another record, or nothing. So the
newest record of each topic is read before a worker starts, as a subscriber would read it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from loyaltystream.audit.source import source_of
from loyaltystream.avro import schemas
from loyaltystream.avro.event_reader import WriterSchemas
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.errors import SchemaError
from loyaltystream.events import Record
from loyaltystream.tailing.reading import last_of
from loyaltystream.topology import Topics
from loyaltystream.verdicts import Violation


class Log(Protocol):
    """Topics as a read_committed consumer sees them."""

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return for each partition its first retained offset and its last stable offset."""

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the committed records with offsets in [start, end)."""


def demand_readable(log: Log, topics: Topics, find: WriterSchemas) -> None:
    """Refuse a registry that has other schemas than those that records were written with.

    Args:
        log: the topics.
        topics: their names.
        find: asks the registry.

    Raises:
        SchemaError: naming a record that can't be read, and why.
        BrokerError: if a topic can't be read, or the registry does not answer.
    """
    for topic in (topics.emf, topics.ei, topics.notifications, topics.dead_letter):
        record = _newest(log, topic)
        if record is None or source_of(record.headers) is None:  # none, or somebody else's
            continue
        if problem := _problem(record.value or b"", find, topics, topic):
            raise SchemaError(
                f"{topic}/{record.partition}/{record.offset} can't be read: {problem}. The "
                f"registry was emptied, or restored from a backup without it: put its schemas back "
                f"under the ids that records carry"
            )


def _newest(log: Log, topic: str) -> Record | None:
    """Return the last record of the longest partition."""
    bounds = log.bounds(topic)
    partition = max(bounds, key=lambda number: bounds[number][1])
    found = last_of(log, topic, partition, span=bounds[partition], count=1)
    return found[0] if found else None


def _problem(value: bytes, find: WriterSchemas, topics: Topics, topic: str) -> str | None:
    schema_id = schema_id_of(value)
    if isinstance(schema_id, Violation):
        return schema_id.detail
    try:
        schema = find(schema_id)
        if schema is None:
            return f"the registry has no schema {schema_id}"
        content = schemas.decode(schema, None, value[FRAME_BYTES:])
    except SchemaError as error:
        return f"the registry has another schema {schema_id} ({error})"
    expected = _name_of(content, topics, topic)
    if schema["name"] != expected:
        return f"the registry has {schema['name']} as schema {schema_id}, not {expected}"
    return None


def _name_of(content: Mapping[str, Any], topics: Topics, topic: str) -> str:
    """Return the full name of the record that this has to be."""
    if topic == topics.dead_letter:
        return schemas.DEAD_LETTER
    if topic != topics.notifications:
        return schemas.BEHAVIORAL_EVENT
    return schemas.of_notification(str(content.get("eventName")))
