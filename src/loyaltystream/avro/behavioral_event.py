"""An accepted event in, the framed Avro `BehavioralEvent` out; one encoder per definition.

Pure. Two ways to the same bytes: `definitions/plain.py` puts pieces of one latin-1 text together,
`careful` gives the schema and a dictionary to fastavro.
"""

from collections.abc import Mapping
from typing import Any, Final

from loyaltystream.avro import schemas
from loyaltystream.avro.text import (
    NULL,
    SOME,
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
        self.head_supplied = head + string("SUPPLIED")
        """The framed value of any plain event whose time was supplied, up to the event's id."""
        self.head_ingest = head + string("INGEST")
        """The same of an event whose time is that of its arrival."""
        create = f"{SOME}{chr(definition.customer.add_if_not_exists)}"
        # webhookId, referral, loyaltyCard; createCustomer; trace, extensions.
        self.tail = NULL * 3 + create + _EMPTY * 2
        """What follows a plain event's till code."""

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
