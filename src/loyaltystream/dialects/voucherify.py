"""Voucherify's dialect: a custom event, as its API takes it. Pure. Source: domain.md 4.3 and 4.4.

It has no id and no time of its own: both may come in headers. Customers that nobody knows are
created, as its API does.
"""

from collections.abc import Mapping
from typing import Any, Final

from loyaltystream.dialects.envelope import (
    ID_HEADER,
    SOURCE_HEADER,
    TIME_HEADER,
    Arrival,
    Reading,
    identifiers_of,
    identify,
    renamed,
    source_of,
)
from loyaltystream.dialects.inspection import Inspection, extend, is_blank
from loyaltystream.dialects.sources import Dialect, Source
from loyaltystream.events import RawEvent
from loyaltystream.times import occurred_at_ms
from loyaltystream.verdicts import Reason

MAX_EVENT_CHARACTERS: Final = 300

_UNKNOWN: Final = Source(org=0)
_KEYS: Final = frozenset({"event", "customer", "referral", "loyalty", "metadata"})
_BY_ID: Final = {"id": "userId", "email": "email", "phone": "mobile"}
_BY_SOURCE_ID: Final = {"source_id": "externalId", "email": "email", "phone": "mobile"}
_PROFILE: Final = ("name", "description", "birthday", "birthdate", "address", "metadata")
_PATHS: Final = {
    "orgId": f"headers.{SOURCE_HEADER}",
    "eventId": f"headers.{ID_HEADER}",
    "eventName": "event",
    "occurredAt": f"headers.{TIME_HEADER}",
    "customer": "customer",
    "customer.identifiers": "customer",
    "fields": "metadata",
    "referral.referrerId": "referral.referrer_id",
    "loyaltyCard": "loyalty",
}


def read(arrival: Arrival, projects: Mapping[str, Source]) -> Reading:
    """Return the event in a JSON object, as far as it can be read, and every violation in it."""
    look, paths, extensions = Inspection(), dict(_PATHS), dict[str, Any]()
    _, project = source_of(look, arrival, projects, setting="dialects.projects", unknown=_UNKNOWN)
    sent = arrival.value
    customer = look.table(sent.get("customer"), "customer")
    referral = look.optional_table(sent.get("referral"), "referral")
    card = look.optional_table(sent.get("loyalty"), "loyaltyCard")
    # Where there is an id of theirs, the source's id is ignored: it is kept, and identifies nobody.
    kinds = _BY_SOURCE_ID if is_blank(customer.get("id")) else _BY_ID
    extend(extensions, sent, _KEYS)
    extend(extensions, customer, frozenset({"id", *kinds, *_PROFILE}), "customer.")
    extend(extensions, referral, frozenset({"code", "referrer_id"}), "referral.")
    extend(extensions, card, frozenset({"code"}), "loyalty.")
    name = look.text(sent.get("event"), "eventName", longest=MAX_EVENT_CHARACTERS)
    event_id, event_id_origin = identify(look, arrival.header(ID_HEADER), arrival, scope=None)
    metadata = look.optional_table(sent.get("metadata"), "fields")
    event = RawEvent(
        event_id=event_id,
        org_id=project.org,
        event_name=project.events.get(name, name),
        identifiers=identifiers_of(look, customer, kinds, paths),
        fields=renamed(look, metadata, project, paths, "metadata."),
        occurred_at_ms=look.moment(_time(arrival.header(TIME_HEADER)), "occurredAt"),
        dialect=Dialect.VOUCHERIFY.value,
        event_id_origin=event_id_origin,
        profile={key: customer[key] for key in _PROFILE if customer.get(key) is not None},
        referral_code=look.optional_text(referral.get("code"), "referral.code"),
        referrer_id=look.optional_text(referral.get("referrer_id"), "referral.referrerId"),
        loyalty_card=look.optional_text(card.get("code"), "loyaltyCard.code"),
        create_customer=True,
        extensions=extensions,
        paths=paths,
    )
    return event, tuple(look.violations)


def header_time(text: str | None) -> int | Reason | None:
    """Return the epoch milliseconds that a header says, or why it can't be told."""
    value = _time(text)
    return None if value is None else occurred_at_ms(value)


def _time(text: str | None) -> int | str | None:
    """Return what the header says: epoch milliseconds, or a text."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else text
