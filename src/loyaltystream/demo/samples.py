"""Decodes what subscribers and operators get, for people to look at.

Does I/O: reads topics through what it is given, and has the registry asked for schemas, as any
subscriber does.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from loyaltystream.avro import schemas
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.demo.counting import Seen, look
from loyaltystream.errors import SchemaError
from loyaltystream.events import Record
from loyaltystream.topology import Topics
from loyaltystream.verdicts import Violation

NOTIFICATIONS: Final = 3

FindSchema = Callable[[int], schemas.Schema | None]
"""Returns the schema of an id, or None if there is none."""


class Log(Protocol):
    """Topics as a read_committed consumer sees them."""

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return for each partition its first retained offset and its last stable offset."""

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the committed records with offsets in [start, end)."""


def decode(value: bytes, find: FindSchema) -> tuple[str, dict[str, Any]]:
    """Return the name of a framed value's record type, and the value.

    Raises:
        SchemaError: if it is not framed, or not what its schema says.
    """
    schema_id = schema_id_of(value)
    if isinstance(schema_id, Violation):
        raise SchemaError(schema_id.detail)
    schema = find(schema_id)
    if schema is None:
        raise SchemaError(f"the registry has no schema {schema_id}")
    return schema["name"].rpartition(".")[2], schemas.decode(schema, None, value[FRAME_BYTES:])


def notifications(log: Log, topics: Topics, find: FindSchema) -> list[tuple[str, dict[str, Any]]]:
    """Return a few notifications, of as many different types as there are.

    Raises:
        LoyaltyStreamError: if they can't be read or decoded.
    """
    others, by_type = list[tuple[str, dict[str, Any]]](), dict[str, dict[str, Any]]()
    for record in _all(log, topics.notifications):
        name, value = decode(record.value or b"", find)
        if name not in by_type:
            by_type[name] = value
        elif len(others) < NOTIFICATIONS:
            others.append((name, value))
        if len(by_type) == NOTIFICATIONS:
            break
    return [*by_type.items(), *others][:NOTIFICATIONS]


def dead_letter(log: Log, topics: Topics, find: FindSchema) -> dict[str, Any] | None:
    """Return the rejected event's letter with the most to say, or None where there is none.

    Raises:
        LoyaltyStreamError: if they can't be read or decoded.
    """
    letters = [
        decode(record.value or b"", find)[1]
        for record in _all(log, topics.dead_letter)
        if look(topics, topics.dead_letter, record) is Seen.REJECTED
    ]
    return max(letters, key=lambda letter: len(letter["violations"]), default=None)


def _all(log: Log, topic: str) -> Iterator[Record]:
    for partition, (first, end) in log.bounds(topic).items():
        yield from log.records(topic, partition, first, end)
