"""Schemas and a registry in, what differs and what it would refuse out. Does I/O: asks it.

All of it is asked before any of it is registered, and refused in words of ours.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from loyaltystream.avro.schemas import Schema, text
from loyaltystream.contracts.changes import compare
from loyaltystream.contracts.gate import breaches
from loyaltystream.errors import SchemaError


class SchemaStore(Protocol):
    """What is asked of a registry; see `avro.registry.Registry`."""

    @property
    def url(self) -> str:
        """Return where it is."""

    def versions(self, topic: str, schema: Schema) -> Sequence[Schema]:
        """Return every version that a schema's record has on a topic, the oldest first."""

    def register(self, topic: str, schema: Schema) -> int:
        """Register a schema on a topic; return its id."""


class Compared(msgspec.Struct, frozen=True):
    """One subject: what is different here from what was last registered there.

    Attributes:
        state: `new`, `same`, `changed` or `refused`.
        differences: a line each; for what is refused, the reasons.
    """

    topic: str
    schema: Schema
    state: str
    differences: list[str]


def compare_all(store: SchemaStore, wanted: Iterable[tuple[str, Schema]]) -> list[Compared]:
    """Return how each schema on its topic compares with the registry."""
    return [_compared(store, topic, schema) for topic, schema in wanted]


def register_all(store: SchemaStore, wanted: Sequence[tuple[str, Schema]]) -> list[int]:
    """Register all schemas and return their ids, or none of them.

    Raises:
        SchemaError: with a line for everything that subscribers of a version before it would miss.
    """
    refused = [
        f"  - {found.topic}-{found.schema['name']}: {line}"
        for found in compare_all(store, wanted)
        if found.state == "refused"
        for line in found.differences
    ]
    if refused:
        head = f"nothing is registered at {store.url}; these are not compatible with what it has:"
        raise SchemaError("\n".join([head, *refused]))
    return [store.register(topic, schema) for topic, schema in wanted]


def _compared(store: SchemaStore, topic: str, schema: Schema) -> Compared:
    versions = store.versions(topic, schema)
    if not versions:
        return Compared(topic, schema, "new", [])
    broken = [
        f"{line} (version {number})"
        for number, version in enumerate(versions, 1)
        for line in breaches(schema, version)
    ]
    if broken:
        return Compared(topic, schema, "refused", broken)
    if any(text(version) == text(schema) for version in versions):
        return Compared(topic, schema, "same", [])
    return Compared(topic, schema, "changed", [str(each) for each in compare(versions[-1], schema)])
