"""An accepted event in, the framed Avro `BehavioralEvent` out; one encoder per definition.

Pure. Two ways to the same bytes: `plain_start` and `plain_end` give pieces of one latin-1 text,
`careful` gives the schema and a dictionary to fastavro.
"""

from collections.abc import Mapping
from typing import Any, Final

from loyaltystream.avro import schemas
from loyaltystream.avro.text import (
    GROUPS,
    HIGH,
    LENGTHS,
    NULL,
    SOME,
    optional_string,
    string,
    zigzag,
)
from loyaltystream.avro.wire import frame
from loyaltystream.content import canonical_json
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.events import Identifier, RawEvent

_EMPTY: Final = "\x00"


class EventEncoder:
    """Encodes the events of one definition.

    Args:
        definition: whose events.
        schema_id: the id that the registry gave the schema.
    """

    def __init__(self, definition: EventDefinition, schema_id: int) -> None:
        self._definition = definition
        self._frame = frame(schema_id)
        head = self._frame.decode("latin-1") + "".join(
            [
                zigzag(definition.org_id),
                string(definition.event_name),
                zigzag(definition.version),
                string("canonical"),
                string("SUPPLIED"),
            ]
        )
        self._head_supplied = head + string("SUPPLIED")
        self._head_ingest = head + string("INGEST")
        create = f"{SOME}{chr(definition.customer.add_if_not_exists)}"
        # webhookId, referral, loyaltyCard; createCustomer; trace, extensions.
        self._tail = NULL * 3 + create + _EMPTY * 2
        self._end = NULL + self._tail

    def plain_start(
        self, event_id: str, occurred_ms: int | None, ingested_ms: int, people: str
    ) -> str:
        """Return the framed value of an event of ASCII text, as latin-1 text, up to its fields.

        Args:
            event_id: the event's.
            occurred_ms: when it occurred; None: nobody said.
            ingested_ms: when it arrived.
            people: its customer's identifiers, as an Avro array.
        """
        head = self._head_ingest if occurred_ms is None else self._head_supplied
        occurred = (ingested_ms if occurred_ms is None else occurred_ms) << 1
        ingested = ingested_ms << 1
        return (
            f"{head}{LENGTHS[len(event_id)]}{event_id}"
            f"{GROUPS[occurred & 127]}{GROUPS[occurred >> 7 & 127]}{HIGH[occurred >> 14]}"
            f"{GROUPS[ingested & 127]}{GROUPS[ingested >> 7 & 127]}{HIGH[ingested >> 14]}"
            f"{people}{_EMPTY}{_EMPTY}"
        )

    def plain_end(self, till_code: str | None) -> str:
        """Return the same, behind its nested fields; a till's code that is empty is none."""
        if not till_code:
            return self._end
        return optional_string(till_code) + self._tail

    def careful(
        self,
        event: RawEvent,
        *,
        ingested_at_ms: int,
        scalars: Mapping[str, tuple[str, Any]],
        nested: Mapping[str, str],
    ) -> bytes:
        """Return the framed value of any event; `scalars` holds pairs of Avro branch and value."""
        occurred_at_ms = event.occurred_at_ms
        create = event.create_customer
        value = {
            "orgId": event.org_id,
            "eventName": event.event_name,
            "definitionVersion": self._definition.version,
            "dialect": event.dialect,
            "eventIdOrigin": event.event_id_origin,
            "occurredAtOrigin": "INGEST" if occurred_at_ms is None else "SUPPLIED",
            "eventId": event.event_id,
            "occurredAt": ingested_at_ms if occurred_at_ms is None else occurred_at_ms,
            "ingestedAt": ingested_at_ms,
            "customer": {
                "identifiers": [_identifier_record(known) for known in event.identifiers],
                "profile": _texts(event.profile),
            },
            "fields": {name: scalars[name] for name in sorted(scalars)},
            "nested": {name: nested[name] for name in sorted(nested)},
            "tillCode": event.till_code,
            "webhookId": event.webhook_id,
            "referral": _referral(event),
            "loyaltyCard": None if event.loyalty_card is None else {"code": event.loyalty_card},
            "createCustomer": self._definition.customer.add_if_not_exists
            if create is None
            else create,
            "trace": dict(event.trace),
            "extensions": {
                name: canonical_json(event.extensions[name]) for name in sorted(event.extensions)
            },
        }
        return self._frame + schemas.encode(schemas.load(schemas.BEHAVIORAL_EVENT), value)


def _identifier_record(identifier: Identifier) -> dict[str, str | None]:
    return {
        "type": identifier.type,
        "value": identifier.value,
        "source": identifier.source,
        "accountId": identifier.accountId,
    }


def _referral(event: RawEvent) -> dict[str, str | None] | None:
    if event.referral_code is None and event.referrer_id is None:
        return None
    return {"code": event.referral_code, "referrerId": event.referrer_id}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else canonical_json(value)
        for name, value in sorted(values.items())
        if value is not None
    }
