"""What tests of the pure core start from: one shop's definitions, a good event, a judge."""

import copy
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import fastavro
import fastavro.schema

from loyaltystream.avro.dead_letter import LetterEncoder
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.registry import Definitions
from loyaltystream.dialects.sources import Dialects
from loyaltystream.events import Header, Record
from loyaltystream.keys import KEY_RULE_VERSION
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.identity import Identity
from loyaltystream.memory.partition import PartitionMemory, Pending
from loyaltystream.pipeline import Ingest, Plan
from loyaltystream.rules import Rules
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from loyaltystream.topology import Output, Topics
from loyaltystream.tracing.judged import TraceJudged, untraced

NOW_MS: Final = 1_764_000_000_000
"""The broker's time of the first record, unless a test says another."""

EVENT_SCHEMA_ID: Final = 7
LETTER_SCHEMA_ID: Final = 8

TOPICS: Final = Topics(
    ingest="behavioral-events",
    emf="EMFConsumer",
    ei="EIConsumer",
    notifications="loyalty-notifications",
    duplicates="behavioral-events.duplicates",
    dead_letter="behavioral-events.dead-letter",
    changelog="dedup-changelog",
    definitions="event-definitions",
    letter_state="dead-letter-state",
)
IDENTITY: Final = Identity("a secret of sixteen or more")

GOOD: Final[dict[str, Any]] = {
    "eventId": "0b6f3c1e-8d1f-4b52-9f6e-2d0c6f1f4a11",
    "eventName": "productViewed",
    "orgId": 1800,
    "occurredAt": NOW_MS,
    "customer": {"identifiers": [{"type": "mobile", "value": "919812345678", "source": "INSTORE"}]},
    "fields": {"sku": "SKU-001234", "price": 1299.5, "quantity": 2, "member": True},
}
"""The event that cases and properties change."""

_SCHEMAS: Final = Path(__file__).parent.parent / "schemas"


def field(name: str, kind: str, **attributes: object) -> dict[str, Any]:
    """Return a field as the vendor's API writes it; `isRequired="true"` becomes an attribute."""
    return {
        "name": name,
        "type": kind,
        "attributes": {
            attribute: {"values": value} if isinstance(value, list) else {"value": value}
            for attribute, value in attributes.items()
        },
    }


def define(body: Mapping[str, Any], org_id: int = 1800) -> EventDefinition:
    """Return the definition in a body of the vendor's API, which has to be right."""
    definition = parse_definition(org_id, dict(body))
    assert isinstance(definition, EventDefinition), definition
    return definition


CUSTOMER: Final = field("customer", "customer", identifierType="mobile")
VIEWED: Final[dict[str, Any]] = {
    "eventName": "productViewed",
    "actions": ["EMFConsumer", "EIConsumer"],
    "fields": [
        CUSTOMER,
        field("sku", "productSku", isRequired="true"),
        field("price", "double"),
        field("quantity", "integer"),
        field("member", "boolean"),
        field("tier", "enum", possibleValues=["gold", "silver"]),
        field("boughtOn", "date"),
        field("coupon", "couponCode", regex="[A-Z]{3}[0-9]{3}"),
        field("currency", "currencyCode"),
        field("note", "string"),
        field("basket", "json"),
    ],
}
ORDERED: Final[dict[str, Any]] = {
    "eventName": "orderPlaced",
    "actions": ["EMFConsumer"],
    "fields": [
        CUSTOMER,
        field("orderId", "string", isUniqueKeyField="true"),
        field("amount", "double", isUniqueKeyField="true"),
        field("note", "string"),
    ],
}
BILLED: Final = ORDERED | {"eventName": "orderBilled", "uniqueKeyConflicts": True}
COUNTED: Final = {
    "eventName": "pointsCounted",
    "actions": ["EIConsumer"],
    "fields": [CUSTOMER],
    "acceptsLate": True,
}
SUBSCRIBED: Final = {
    "eventName": "newsletterOpened",
    "actions": ["EMFConsumer"],
    "fields": [field("customer", "customer", identifierType="email")],
}
FOLLOWED: Final = {
    "eventName": "accountFollowed",
    "actions": ["EMFConsumer"],
    "fields": [field("customer", "customer", identifierType="externalId")],
}
RESERVED: Final[dict[str, Any]] = {
    "eventName": "roomReserved",
    "actions": ["EMFConsumer"],
    "fields": [
        field("guest", "customer", identifierType="mobile", addCustomerIfNotExists="true"),
        field("hotel", "string", isRequired="true"),
        field("nights", "double"),
        field("rate", "double"),
        field("breakfast", "boolean"),
        field("till", "tillCode"),
    ],
}
LINKED: Final[dict[str, Any]] = {
    "eventName": "cardLinked",
    "actions": ["EIConsumer", "EMFConsumer"],
    "fields": [
        CUSTOMER,
        field("pan", "string", isUniqueKeyField="true", isPsiData="true"),
        field("income", "double", isPsiData="true"),
        field("born", "date", isPsiData="true"),
        field("age", "integer", isPsiData="true"),
        field("health", "enum", possibleValues=["good", "poor"], isPsiData="true"),
        field("bank", "string"),
    ],
}
BODIES: Final = (VIEWED, ORDERED, BILLED, COUNTED, SUBSCRIBED, FOLLOWED, RESERVED, LINKED)
SHOP: Final = tuple(define(body, org_id) for org_id in (1800, 1801) for body in BODIES)
_KIOSK: Final = {
    "org": 1801,
    "time_zone": "Asia/Kolkata",
    "events": {"reserved": "roomReserved"},
}
SOURCES: Final[dict[str, Any]] = {
    "webhooks": {
        "default": {"org": 1800},
        "kiosk": _KIOSK | {"till": "till.kiosk", "id_field": ""},
        "front-desk": {
            "org": 1800,
            "till": "till.desk",
            "time_zone": "Asia/Kolkata",
            "id_field": "reference",
            "events": {"Room Reserved": "roomReserved"},
            "fields": {"Hotel Name": "hotel", "Phone": "guest", "at": "eventDateTime"},
            "child_orgs": [1801],
        },
    },
    "stores": {
        "default": {"org": 1800},
        "kiosk": _KIOSK,
        "berlin": {
            "org": 1801,
            "time_zone": "Europe/Berlin",
            "events": {"room_reserved": "roomReserved"},
            "fields": {"hotel_name": "hotel"},
        },
    },
    "projects": {
        "default": {"org": 1800},
        "kiosk": _KIOSK,
        "hotels": {
            "org": 1801,
            "events": {"Room reserved": "roomReserved"},
            "fields": {"hotel_name": "hotel"},
        },
    },
}
"""Where events of the other dialects come from, as settings say it."""
DIALECTS: Final = Dialects(**SOURCES)
DEFINITIONS: Final = Definitions(SHOP, EVENT_SCHEMA_ID)


def event(**changes: object) -> dict[str, Any]:
    """Return the good event with some of its keys replaced."""
    return copy.deepcopy(GOOD) | changes


def raw(value: object) -> bytes:
    """Return a value as a producer sends it."""
    return json.dumps(value, ensure_ascii=False).encode()


def record(
    value: bytes | None,
    offset: int = 0,
    *,
    timestamp_ms: int = NOW_MS,
    key: bytes | None = None,
    headers: Sequence[Header] = (),
) -> Record:
    """Return a record of partition 0."""
    return Record(0, offset, timestamp_ms, key, value, headers)


def layout(partitions: int = 1) -> Layout:
    """Return the layout that goes with `IDENTITY`."""
    return Layout(IDENTITY.check, KEY_RULE_VERSION, partitions)


def ingest(
    rules: Rules | None = None,
    partitions: int = 1,
    ring: KeyRing = NO_KEYS,
    *,
    trace: TraceJudged = untraced,
) -> Ingest:
    """Return a judge; with one partition no record is astray."""
    rules = rules or Rules()
    return Ingest(
        TOPICS,
        layout=layout(partitions),
        identity=IDENTITY,
        letters=LetterEncoder("ingest", LETTER_SCHEMA_ID, rules.max_record_bytes, ring=ring),
        rules=rules,
        trace=trace,
    )


class Partition:
    """One partition and its memory: records go in, plans come out, every commit succeeds."""

    def __init__(self, judge: Ingest | None = None, definitions: Definitions = DEFINITIONS) -> None:
        self.ingest = judge or ingest()
        self.definitions = definitions
        self.memory = PartitionMemory(layout(), 0)

    def judge(self, records: Sequence[Record]) -> Plan:
        """Return the plan without remembering anything."""
        return self.ingest.judge(
            records, memory=self.memory, definitions=self.definitions, generation=0
        )

    def commit(self, records: Sequence[Record]) -> Plan:
        """Judge, and remember as after a commit."""
        plan = self.judge(records)
        self.memory.expect(pending(plan))
        self.memory.remember()
        return plan


def pending(plan: Plan) -> Pending:
    """Return what a memory expects of a plan that was sent."""
    assert plan.delta is not None
    return Pending(plan.overlay, plan.delta)


def verdicts(plan: Plan) -> dict[str, int]:
    """Return how many records got which verdict."""
    return {verdict.value: count for verdict, count in plan.tally.verdicts.items() if count}


def outputs(plan: Plan, topic: str) -> list[Output]:
    """Return a plan's records for one topic."""
    return [output for output in plan.outputs if output.topic == topic]


def header(output: Output, name: str) -> str | None:
    """Return the header of that name as text, or None."""
    found = dict(output.headers).get(name)
    return None if found is None else found.decode()


def source_offset(output: Output) -> int:
    """Return the offset of the record that caused an output."""
    return int((header(output, "src") or "").split("/")[2])


def read_avro(name: str, framed: bytes | None, schema_id: int) -> dict[str, Any]:
    """Return a framed value as any subscriber's fastavro reads it, all bytes used up."""
    assert framed is not None
    assert framed[:5] == b"\0" + schema_id.to_bytes(4)
    schema = fastavro.schema.load_schema(str(_SCHEMAS / f"{name}.avsc"))
    buffer = BytesIO(framed[5:])
    value = fastavro.schemaless_reader(buffer, schema, None)
    assert not buffer.read()
    assert isinstance(value, dict)
    return value


def read_event(framed: bytes | None) -> dict[str, Any]:
    """Return a `BehavioralEvent`."""
    return read_avro("loyalty.event.v1.BehavioralEvent", framed, EVENT_SCHEMA_ID)


def read_letter(framed: bytes | None) -> dict[str, Any]:
    """Return a `DeadLetter`."""
    return read_avro("loyalty.event.v1.DeadLetter", framed, LETTER_SCHEMA_ID)
