"""An accepted event in, the framed Avro `BehavioralEvent` out; one encoder per definition.

Pure. Two ways to the same bytes: `plain` builds one latin-1 text from prepared pieces, `careful`
gives the schema and a dictionary to fastavro.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from loyaltystream.avro import schemas
from loyaltystream.avro.text import LENGTHS, LONGS, STRINGS, string, timestamp
from loyaltystream.avro.wire import frame
from loyaltystream.content import canonical_json
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.events import Identifier, PlainEvent, PlainIdentifier, RawEvent

_NULL: Final = "\x00"
_SOME: Final = "\x02"
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
                LONGS[definition.org_id],
                string(definition.event_name),
                LONGS[definition.version],
                string("canonical"),
                string("SUPPLIED"),
            ]
        )
        self._head_supplied = head + string("SUPPLIED")
        self._head_ingest = head + string("INGEST")
        create = f"{_SOME}{chr(definition.customer.add_if_not_exists)}"
        # webhookId, referral, loyaltyCard; createCustomer; trace, extensions.
        self._tail = _NULL * 3 + create + _EMPTY * 2

    def plain(
        self,
        event: PlainEvent,
        occurred_at_ms: int | None,
        ingested_at_ms: int,
        *,
        identifiers: Sequence[PlainIdentifier],
        entries: str,
    ) -> bytes:
        """Return the framed value of an event whose text is all ASCII.

        Args:
            event: it.
            occurred_at_ms: when it occurred; None: nobody said.
            ingested_at_ms: when it arrived.
            identifiers: its customer's, normalised.
            entries: the Avro maps of its fields and nested fields.
        """
        event_id, till_code = event.eventId, event.tillCode
        head = self._head_ingest if occurred_at_ms is None else self._head_supplied
        occurred_at_ms = ingested_at_ms if occurred_at_ms is None else occurred_at_ms
        people = "".join(
            [
                f"{STRINGS[known.type]}{LENGTHS[len(known.value)]}{known.value}"
                f"{STRINGS[known.source or 'INSTORE']}"
                f"{_SOME + string(known.accountId) if known.accountId else _NULL}"
                for known in identifiers
            ]
        )
        till = _SOME + string(till_code) if till_code else _NULL
        return (
            f"{head}{LENGTHS[len(event_id)]}{event_id}{timestamp(occurred_at_ms)}"
            f"{timestamp(ingested_at_ms)}{LENGTHS[len(identifiers)]}{people}{_EMPTY}{_EMPTY}"
            f"{entries}{till}{self._tail}"
        ).encode("latin-1")

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
