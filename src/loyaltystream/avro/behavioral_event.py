"""An accepted event in, the framed Avro `BehavioralEvent` out; one encoder per definition.

Pure. Two ways to the same bytes: `definitions/plain.py` puts pieces of one latin-1 text together,
`careful` gives the schema and a dictionary to fastavro.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from loyaltystream.avro import schemas
from loyaltystream.avro.text import (
    NULL,
    SOME,
    optional_string,
    string,
    zigzag,
)
from loyaltystream.avro.wire import frame
from loyaltystream.content import canonical_json, value_text
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.psi import STARRED, Psi, Side
from loyaltystream.events import Identifier, RawEvent

_EMPTY: Final = "\x00"


class Frame(msgspec.Struct, frozen=True):
    """What stands around the parts of a plain event, as latin-1 text.

    Attributes:
        head_supplied: the framed value up to the event's id, if its time was supplied.
        head_ingest: the same if its time is that of its arrival.
        till: makes the text of a till's code.
        tail: what follows that.
    """

    head_supplied: str
    head_ingest: str
    till: Callable[[str], str]
    tail: str


def plain_end(*, create: bool, webhook: str = NULL, referral: str = NULL, card: str = NULL) -> str:
    """Return what follows a plain event's till code: Avro's text, given in parts."""
    # webhookId, referral, loyaltyCard; createCustomer; trace, extensions.
    return f"{webhook}{referral}{card}{SOME}{chr(create)}{_EMPTY}{_EMPTY}"


class EventEncoder:
    """Encodes the events of one definition.

    Args:
        definition: whose events.
        schema_id: the id that the registry gave the schema.
        psi: how sensitive values are hidden.
    """

    def __init__(self, definition: EventDefinition, schema_id: int, psi: Psi = STARRED) -> None:
        self.psi = psi
        self._definition = definition
        self._frame = frame(schema_id)
        self._sides = psi.sides(definition)
        self._concealers = psi.concealers(definition)

    def frame(self) -> Frame:
        """Return what stands around the parts of a plain canonical event."""
        end = plain_end(create=self._definition.customer.add_if_not_exists)
        return self._framed("canonical", "SUPPLIED", optional_string, end)

    def their_frame(self, dialect: str, event_id_origin: str) -> Frame:
        """Return the same of a plain event of another dialect, whose end is its own."""
        return self._framed(dialect, event_id_origin, str, "")

    def _framed(
        self, dialect: str, event_id_origin: str, till: Callable[[str], str], tail: str
    ) -> Frame:
        definition = self._definition
        head = self._frame.decode("latin-1") + "".join(
            [
                zigzag(definition.org_id),
                string(definition.event_name),
                zigzag(definition.version),
                string(dialect),
                string(event_id_origin),
            ]
        )
        return Frame(head + string("SUPPLIED"), head + string("INGEST"), till, tail)

    def careful(
        self,
        event: RawEvent,
        *,
        ingested_at_ms: int,
        scalars: Mapping[str, tuple[str, Any]],
        nested: Mapping[str, str],
    ) -> tuple[bytes, bytes | None]:
        """Return the framed value of any event, and the masked one where that is another.

        `scalars` holds pairs of Avro branch and value.
        """
        value = self._content(event, ingested_at_ms=ingested_at_ms, nested=nested)
        shown = {Side.CLEAR: scalars, Side.MASKED: self._masked(scalars)}
        first, *others = [self._framed_event(value, shown[side]) for side in self._sides]
        return first, others[0] if others else None

    def _framed_event(
        self, value: Mapping[str, Any], scalars: Mapping[str, tuple[str, Any]]
    ) -> bytes:
        fields = {name: scalars[name] for name in sorted(scalars)}
        schema = schemas.load(schemas.BEHAVIORAL_EVENT)
        return self._frame + schemas.encode(schema, {**value, "fields": fields})

    def _masked(self, scalars: Mapping[str, tuple[str, Any]]) -> Mapping[str, tuple[str, Any]]:
        if not self._concealers:
            return scalars
        return {
            name: ("string", self._concealers[name](value_text(typed[1])))
            if name in self._concealers
            else typed
            for name, typed in scalars.items()
        }

    def _content(
        self, event: RawEvent, *, ingested_at_ms: int, nested: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return everything in an event but its scalar fields."""
        occurred_at_ms = event.occurred_at_ms
        create = event.create_customer
        return {
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
