"""Open Loyalty's dialect: a custom event, as its API takes it. Pure. Source: domain.md 4.2, 4.4."""

from collections.abc import Mapping
from typing import Any, Final

from loyaltystream.dialects.envelope import (
    ID_HEADER,
    SOURCE_HEADER,
    Arrival,
    Reading,
    first_known,
    identifiers_of,
    identify,
    renamed,
    source_of,
)
from loyaltystream.dialects.inspection import (
    MAX_NAME_CHARACTERS,
    Inspection,
    extend,
    is_blank,
    spelled,
)
from loyaltystream.dialects.sources import Dialect, Source
from loyaltystream.events import RawEvent
from loyaltystream.times import local_ms
from loyaltystream.verdicts import Reason

_UNKNOWN: Final = Source(org=0)
_KEYS: Final = frozenset({"type", "eventDate", "customerData", "body", "eventId"})
_CARD: Final = "loyaltyCardNumber"
_KINDS: Final = {
    "customerId": "userId",
    "email": "email",
    "phone": "mobile",
    _CARD: "cardnumber",
}
_PATHS: Final = {
    "orgId": f"headers.{SOURCE_HEADER}",
    "eventId": "event.eventId",
    "eventName": "event.type",
    "occurredAt": "event.eventDate",
    "customer": "event.customerData",
    "customer.identifiers": "event.customerData",
    "fields": "event.body",
}
_TIME_DETAILS: Final = {
    Reason.TYPE: "a time is text",
    Reason.TIME_FORMAT: "not ISO 8601 with date and time, or outside 2000 to 2099",
}


def read(arrival: Arrival, stores: Mapping[str, Source]) -> Reading:
    """Return the event in a JSON object, as far as it can be read, and every violation in it."""
    look, paths, extensions = Inspection(), dict(_PATHS), dict[str, Any]()
    _, store = source_of(look, arrival, stores, setting="dialects.stores", unknown=_UNKNOWN)
    sent = look.table(arrival.value.get("event"), "event")
    customer = look.table(sent.get("customerData"), "customer")
    extend(extensions, arrival.value, frozenset({"event"}))
    extend(extensions, sent, _KEYS, "event.")
    extend(extensions, customer, frozenset(_KINDS), "event.customerData.")
    name = look.text(sent.get("type"), "eventName", longest=MAX_NAME_CHARACTERS)
    occurred_at_ms = _occurred_at(look, sent.get("eventDate"), store)
    if is_blank(sent.get("eventId")) and arrival.header(ID_HEADER):
        paths["eventId"] = f"headers.{ID_HEADER}"
    event_id, event_id_origin = identify(
        look,
        first_known(sent.get("eventId"), arrival.header(ID_HEADER)),
        arrival,
        scope=None if occurred_at_ms is None else f"{store.org}|{Dialect.OPEN_LOYALTY}",
    )
    body = look.optional_table(sent.get("body"), "fields")
    card = spelled(customer.get(_CARD))
    event = RawEvent(
        event_id=event_id,
        org_id=store.org,
        event_name=store.events.get(name, name),
        identifiers=identifiers_of(look, customer, _KINDS, paths),
        fields=renamed(look, body, store, paths, "event.body."),
        occurred_at_ms=occurred_at_ms,
        dialect=Dialect.OPEN_LOYALTY.value,
        event_id_origin=event_id_origin,
        loyalty_card=card if isinstance(card, str) and card else None,
        create_customer=False,
        extensions=extensions,
        paths=paths,
    )
    return event, tuple(look.violations)


def _occurred_at(look: Inspection, value: object, store: Source) -> int | None:
    if value is None or value == "":
        look.refuse(Reason.REQUIRED, "occurredAt", "missing")
        return None
    moment_ms = local_ms(value, store.time_zone)
    if isinstance(moment_ms, Reason):
        look.refuse(moment_ms, "occurredAt", _TIME_DETAILS[moment_ms])
        return None
    return moment_ms
