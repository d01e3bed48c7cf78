"""The messages of every topic as AsyncAPI has them: payload, key, headers, an example. Pure.

Payloads of Avro are the schemas that the registry has, each standing alone.
"""

import re
from typing import Any, Final

from loyaltystream.avro import schemas
from loyaltystream.contracts import ingested, samples
from loyaltystream.contracts.headers import SAMPLE_SOURCE, example_headers
from loyaltystream.contracts.servers import BINDING
from loyaltystream.dialects.sources import Dialect
from loyaltystream.notifications.catalog import CATALOG, NotificationType
from loyaltystream.notifications.targets import load_target
from loyaltystream.partitioning import PartitionBy

Document = dict[str, Any]

# The last version that AsyncAPI's own parser of Avro knows; the form of schemas is the same since.
AVRO_FORMAT: Final = "application/vnd.apache.avro+json;version=1.9.0"
AVRO: Final = "application/avro"
JSON: Final = "application/json"

_EVENT_KEYS: Final[dict[PartitionBy, tuple[str, str]]] = {
    PartitionBy.CUSTOMER: ("orgId|identifierType|value of the event's customer.", samples.KEY),
    PartitionBy.EVENT_ID: ("orgId|eventId of the event.", samples.KEY_BY_ID),
}
"""What an event's key is, and the sample's."""

_ANOTHER_KEY: Final = (
    "Another one, or none, is only slower: the event is put back once under its own."
)
_AS_SENT: Final = "As the event had it."
_CAUSE_KEY: Final = "the cause's key where that is not known."


def messages(partition_by: PartitionBy) -> dict[str, dict[str, Document]]:
    """Return each role's messages by name, in the order of the catalogue.

    Args:
        partition_by: what chooses an event's partition, and so its key.
    """
    words, shown = _EVENT_KEYS[partition_by]
    key: Document = {"description": words, "examples": [shown]}
    return {
        "ingest": {_event_name(dialect): _event(dialect, key) for dialect in ingested.DIALECTS},
        "emf": {"acceptedEvent": _accepted("emf", key)},
        "ei": {"acceptedEventForEi": _accepted("ei", key)},
        "notifications": {name: notification(kind) for name, kind in CATALOG.items()},
        "duplicates": {"duplicateEvent": _duplicate(key)},
        "dead-letter": {"deadLetter": _dead_letter()},
    }


def notification(kind: NotificationType) -> Document:
    """Return the message of a type of notification."""
    sample = samples.notifications()[kind.name]
    payload = samples.in_avro(sample["notification"], load_target(kind.schema))
    headers = example_headers(payload["eventId"], kind.name, payload["orgId"], payload["createdAt"])
    key = {"description": key_of(kind), "examples": [sample["key"]]}
    return _avro("notifications", kind.schema, key, payload, headers)


def key_of(kind: NotificationType) -> str:
    """Return what the key of a type's records is, in words."""
    parts = [path.rpartition(".")[2] for path in re.findall(r"{([^}]+)}", kind.key)]
    return f"{'|'.join(parts)}; {_CAUSE_KEY}"


def _accepted(role: str, key: Document) -> Document:
    headers = {"src": SAMPLE_SOURCE}
    return _avro(role, schemas.BEHAVIORAL_EVENT, key, samples.BEHAVIORAL_EVENT, headers)


def _dead_letter() -> Document:
    key = {"description": f"{_AS_SENT} None on a sealed letter."}
    headers = {"src": SAMPLE_SOURCE, "verdict": "rejected", "reason": "JSON_SYNTAX"}
    return _avro("dead-letter", schemas.DEAD_LETTER, key, samples.DEAD_LETTER, headers)


def _duplicate(key: Document) -> Document:
    headers = {
        "src": SAMPLE_SOURCE,
        "verdict": "duplicate",
        "reason": "DUPLICATE_EVENT_ID",
        "key-kind": "event-id",
        "key": samples.EVENT["eventId"],
    }
    return {
        "name": "duplicateEvent",
        "title": "An event that was accepted before",
        "summary": "The event's bytes as they came, in any dialect; its headers say what was seen.",
        "contentType": JSON,
        "headers": _ref("duplicates"),
        "payload": {"type": "object", "description": "What the producer wrote, unchanged."},
        "bindings": _binding(key | {"description": _AS_SENT}),
        "examples": [{"name": "resent", "headers": headers, "payload": samples.EVENT}],
    }


def _event_name(dialect: Dialect) -> str:
    first, *rest = dialect.value.split("_")
    return first + "".join(part.capitalize() for part in rest) + "Event"


def _event(dialect: Dialect, key: Document) -> Document:
    shown = dialect.value.replace("_", " ").title()
    is_ours = dialect is Dialect.CANONICAL
    message: Document = {
        "name": _event_name(dialect),
        "title": f"An event in the dialect {shown}",
        "summary": "An event as loyaltystream has it." if is_ours else f"As {shown} has it.",
        "contentType": JSON,
        "headers": _ref("ingest"),
        "payload": ingested.DIALECTS[dialect],
        "bindings": _binding(key | {"description": f"{key['description']} {_ANOTHER_KEY}"}),
    }
    if is_ours:
        message["examples"] = [{"name": "viewed", "payload": samples.EVENT}]
    return message


def _avro(role: str, name: str, key: Document, payload: Document, headers: Document) -> Document:
    schema = _written(schemas.load(name))
    record = name.rpartition(".")[2]
    return {
        "name": name,
        "title": record,
        "summary": schema["doc"],
        "contentType": AVRO,
        "headers": _ref(role),
        "payload": {"schemaFormat": AVRO_FORMAT, "schema": schema},
        "bindings": _binding(key, **_IN_REGISTRY),
        "examples": [{"name": "everything", "headers": headers, "payload": payload}],
    }


def _written(schema: Any) -> Any:  # noqa: ANN401 (Avro's JSON)
    """Return a schema as people write one: name apart from namespace, keys in one order."""
    match schema:
        case {"type": "record", "name": str(full), "fields": list(fields)}:
            namespace, _, name = full.rpartition(".")
            written = {"type": "record", "name": name, "namespace": namespace}
            return written | {"doc": schema["doc"], "fields": [_field(each) for each in fields]}
        case dict():
            return {key: _written(schema[key]) for key in sorted(schema, key=_PARTS.index)}
        case list():
            return [_written(branch) for branch in schema]
        case _:
            return schema


def _field(field: Document) -> Document:
    default = {"default": field["default"]} if "default" in field else {}
    return {
        "name": field["name"],
        "type": _written(field["type"]),
        **default,
        "doc": field["doc"],
    }


_PARTS: Final = ("type", "logicalType", "items", "values")
"""Of a type that is no record."""

_IN_REGISTRY: Final = {
    "schemaIdLocation": "payload",
    "schemaIdPayloadEncoding": "confluent",
    "schemaLookupStrategy": "TopicRecordNameStrategy",
}


def _binding(key: Document, **more: str) -> Document:
    return {"kafka": {"key": {"type": "string", **key}, **more, "bindingVersion": BINDING}}


def _ref(role: str) -> Document:
    return {"$ref": f"#/components/schemas/{headers_name(role)}"}


def headers_name(role: str) -> str:
    """Return the name of a role's headers among the components."""
    return f"headers-{role}"
