"""What tests of the second stage start from: the examples' shop, and its way from INGEST on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from loyaltystream.avro import schemas
from loyaltystream.avro.dead_letter import LetterEncoder
from loyaltystream.avro.schemas import Schema
from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Header, Record
from loyaltystream.notifications.catalog import SCHEMAS
from loyaltystream.notify import Notify
from loyaltystream.pipeline import Plan
from loyaltystream.rules import Rules
from loyaltystream.topology import Output
from loyaltystream.tracing.notified import TraceNotified, unnotified
from tests.core import (
    CUSTOMER,
    EVENT_SCHEMA_ID,
    LETTER_SCHEMA_ID,
    NOW_MS,
    TOPICS,
    Partition,
    define,
    event,
    field,
    outputs,
    raw,
    read_avro,
    record,
)

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "definitions"
SHOP: Final = Definitions(load_definitions(EXAMPLES), EVENT_SCHEMA_ID)
SCHEMA_IDS: Final = {name: 20 + position for position, name in enumerate(SCHEMAS)}
NAMES: Final = {schema_id: name for name, schema_id in SCHEMA_IDS.items()}

REGISTERED: Final = event(
    eventName="customerRegistered", fields={"customerId": 482579328, "channel": "INSTORE"}
)
"""An event of the shop that causes one notification."""


def writer_schema(schema_id: int) -> Schema | None:
    """Answer as a registry that knows one schema."""
    return schemas.load(schemas.BEHAVIORAL_EVENT) if schema_id == EVENT_SCHEMA_ID else None


def notify(max_record_bytes: int = 1_048_576, *, trace: TraceNotified = unnotified) -> Notify:
    """Return the stage as a worker runs it."""
    return Notify(
        TOPICS,
        letters=LetterEncoder("notify", LETTER_SCHEMA_ID, max_record_bytes),
        schema_ids=SCHEMA_IDS,
        writer_schema=writer_schema,
        rules=Rules(max_record_bytes=max_record_bytes),
        trace=trace,
    )


def accept(
    *events: Mapping[str, Any], definitions: Definitions = SHOP, headers: Sequence[Header] = ()
) -> list[Record]:
    """Return what INGEST writes for these events, as the next stage reads it; all are accepted."""
    arrived = [record(raw(each), offset, headers=headers) for offset, each in enumerate(events)]
    written = outputs(Partition(definitions=definitions).commit(arrived), TOPICS.emf)
    assert len(written) == len(events)
    return [
        Record(0, offset, NOW_MS + 5, output.key, output.value, output.headers)
        for offset, output in enumerate(written)
    ]


def plan(records: Sequence[Record], definitions: Definitions = SHOP) -> Plan:
    """Return what the stage makes of the records."""
    return notify().plan(records, definitions=definitions, generation=3)


def read_notification(output: Output) -> dict[str, Any]:
    """Return a notification as any subscriber reads it, times as ISO 8601 text."""
    assert output.value is not None
    schema_id = int.from_bytes(output.value[1:5])
    value = read_avro(NAMES[schema_id], output.value, schema_id)
    readable = msgspec.to_builtins(value)
    assert isinstance(readable, dict)
    return readable


def causing(*rules: Mapping[str, Any], **changes: object) -> Definitions:
    """Return one definition with these notification rules."""
    return Definitions([define(body(*rules, **changes))], EVENT_SCHEMA_ID)


def body(*rules: Mapping[str, Any], **changes: object) -> dict[str, Any]:
    """Return a definition, as the vendor's API takes it, with these notification rules."""
    return {
        "eventName": "thingHappened",
        "actions": ["EMFConsumer"],
        "fields": [
            CUSTOMER,
            field("text", "string"),
            field("amount", "double"),
            field("count", "integer"),
            field("flag", "boolean"),
            field("day", "date"),
            field("currency", "currencyCode"),
            field("secret", "string", isPsiData="true"),
            field("cart", "json"),
            field("dotted.name", "json"),
        ],
        "notifications": list(rules),
        **changes,
    }


def happened(*, identifiers: object = None, **fields: object) -> dict[str, Any]:
    """Return an event of `causing`'s definition."""
    happening = event(eventName="thingHappened", fields=fields)
    if identifiers is not None:
        happening["customer"] = {"identifiers": identifiers}
    return happening


def transaction(**data: object) -> dict[str, Any]:
    """Return a rule that makes a transactionAdded."""
    return {"type": "transactionAdded", "data": data}


def mapped(rule: Mapping[str, Any], happening: Mapping[str, Any]) -> dict[str, Any]:
    """Return the one notification that this rule makes of the event."""
    definitions = causing(rule)
    made = plan(accept(happening, definitions=definitions), definitions)
    [output] = outputs(made, TOPICS.notifications)
    return read_notification(output)


def violations(rule: Mapping[str, Any], happening: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return path and message of all that keeps this rule from mapping the event."""
    definitions = causing(rule)
    made = plan(accept(happening, definitions=definitions), definitions)
    assert not outputs(made, TOPICS.notifications)
    [output] = outputs(made, TOPICS.dead_letter)
    letter = read_avro("loyalty.event.v1.DeadLetter", output.value, LETTER_SCHEMA_ID)
    assert {found["code"] for found in letter["violations"]} == {"UNMAPPED"}
    return [(found["path"], found["message"]) for found in letter["violations"]]
