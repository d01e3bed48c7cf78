"""The role of a topic in, a JSON Schema of its records' headers out. Pure.

Names come from the code that writes them; what a header means stands here, and nothing is published
without that.
"""

from collections.abc import Sequence
from typing import Any, Final

from loyaltystream.backfill.claim import IMPORT_ID
from loyaltystream.dialects.envelope import HEADERS as READING_HEADERS
from loyaltystream.dialects.sources import Dialect
from loyaltystream.events import (
    IMPORT_HEADER,
    MAX_ID_CHARACTERS,
    QUIET_HEADER,
    SOURCE_HEADER,
    TRACE_HEADER,
    Check,
    Header,
)
from loyaltystream.letters.signing import REPLAY_HEADERS
from loyaltystream.notifications import envelope
from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.verdicts import DEAD_VERDICTS, Reason, Verdict

Document = dict[str, Any]

SAMPLE_SOURCE: Final = "behavioral-events/3/1042/0/17"
SAMPLE_TRACE: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def example_headers(event_id: str, event_name: str, org_id: int, created_at_ms: int) -> Document:
    """Return the headers that a notification of its own always has."""
    made: Sequence[Header] = envelope.cloud_event_headers(
        event_id=event_id, event_name=event_name, org_id=org_id, created_at_ms=created_at_ms
    )
    return {SOURCE_HEADER: SAMPLE_SOURCE} | {name: value.decode() for name, value in made}


_OF_CAUSE: Final = tuple(
    name for constant, name in vars(envelope).items() if constant.endswith("_HEADER")
)
"""What the envelope puts beside CloudEvents."""

_OF_NOTIFICATION: Final = tuple(example_headers("", next(iter(CATALOG)), 0, 0))
_TYPES: Final = [example_headers("", name, 0, 0)["ce_type"] for name in CATALOG]

MEANINGS: Final[dict[str, Document]] = {
    SOURCE_HEADER: {
        "description": "The record that caused this one: topic/partition/offset, then which of its "
        "outputs this is, then the generation of the consumer group that read it.",
        "pattern": r"^[A-Za-z0-9._-]+/\d+/\d+/\d+/-?\d+$",
        "examples": [SAMPLE_SOURCE],
    },
    TRACE_HEADER: {
        "description": "W3C trace context of the event, where its producer sent one.",
        "examples": [SAMPLE_TRACE],
    },
    "ce_specversion": {"description": "CloudEvents in binary mode.", "const": "1.0"},
    "ce_id": {
        "description": "The notification's id, its eventId: a repetition has the same one.",
        "format": "uuid",
    },
    "ce_type": {"description": "Which notification this is.", "enum": _TYPES},
    "ce_source": {
        "description": "Whose program it belongs to: /loyaltystream/orgId.",
        "pattern": r"^/loyaltystream/\d+$",
    },
    "ce_time": {"description": "Its createdAt, in UTC.", "format": "date-time"},
    "content-type": {
        "description": "How the value is written, behind five bytes of the Confluent wire format.",
        "const": "application/avro",
    },
    "cause-id": {"description": "The behavioral event that caused it, by its eventId."},
    "cause-src": {
        "description": "The record that the event was judged as: topic/partition/offset.",
        "pattern": r"^[A-Za-z0-9._-]+/\d+/\d+$",
    },
    "cause-rule": {
        "description": "The rule that made it: event name/version of the definition/rule's id.",
    },
    IMPORT_HEADER: {
        "description": "The import of history that brought the event; absent on live ones.",
        "pattern": f"^{IMPORT_ID.pattern}$",
    },
    QUIET_HEADER: {
        "description": "On an event of history that shall cause no notifications.",
        "const": "true",
    },
    "late": {
        "description": "On an event older than the memory reaches, whose definition accepts it.",
        "const": "true",
    },
    "verdict": {
        "description": "What the event was judged to be.",
        "enum": sorted({Verdict.DUPLICATE, *DEAD_VERDICTS}),
    },
    "reason": {
        "description": "The first reason, of a closed list.",
        "enum": [reason.value for reason in Reason],
    },
    "key-kind": {
        "description": "What was seen before: its eventId, or its unique key.",
        "enum": [Check.EVENT_ID.value, Check.UNIQUE_KEY.value],
    },
    "key": {"description": "That id or key."},
    "replay-of": {
        "description": "The dead letter that was sent again: topic/partition/offset.",
        "pattern": r"^[A-Za-z0-9._-]+/\d+/\d+$",
    },
    "replay-attempt": {"description": "The how-manieth time it comes back.", "pattern": r"^\d+$"},
    "replay-version": {"description": "The version of the definition that may map it instead."},
    "replay-mac": {"description": "The proof that these headers are ours."},
    "release-of": {"description": "The letter that a person released."},
    "release-waives": {"description": "What is not asked of a released event."},
    "x-event-dialect": {
        "description": "How the event is written; absent: its shape tells.",
        "enum": [dialect.value for dialect in Dialect],
    },
    "x-event-source": {
        "description": "The webhook, store or project that it came through; absent: default.",
    },
    "x-event-id": {
        "description": "The event's id, where its document has none.",
        "minLength": 1,
        "maxLength": MAX_ID_CHARACTERS,
    },
    "x-event-time": {
        "description": "Voucherify: when it happened, as epoch milliseconds, or ISO 8601 with a "
        "zone.",
    },
}
"""What each header says."""

_JUDGED: Final = (SOURCE_HEADER, "verdict", "reason")
_REPLAYED: Final = tuple(sorted(REPLAY_HEADERS))
_IMPORTED: Final = (IMPORT_HEADER, QUIET_HEADER)

ALWAYS: Final[dict[str, tuple[str, ...]]] = {
    "ingest": (),
    "emf": (SOURCE_HEADER,),
    "ei": (SOURCE_HEADER,),
    "notifications": _OF_NOTIFICATION,
    "duplicates": (*_JUDGED, "key-kind", "key"),
    "dead-letter": _JUDGED,
}
"""The headers that every record of a role's topic has."""

SOMETIMES: Final[dict[str, tuple[str, ...]]] = {
    "ingest": (*READING_HEADERS, TRACE_HEADER),
    "emf": ("late", *_IMPORTED, *_REPLAYED, TRACE_HEADER),
    "ei": ("late", *_IMPORTED, TRACE_HEADER),
    "notifications": (*_OF_CAUSE, IMPORT_HEADER, TRACE_HEADER),
    "duplicates": (TRACE_HEADER,),
    "dead-letter": (TRACE_HEADER,),
}
"""Those that some have."""


def headers_of(role: str) -> Document:
    """Return the JSON Schema of the headers on a role's topic; Kafka has their text as UTF-8."""
    names = (*ALWAYS[role], *SOMETIMES[role])
    return {
        "type": "object",
        "required": [*ALWAYS[role]],
        "properties": {name: {"type": "string", **MEANINGS[name]} for name in names},
    }
