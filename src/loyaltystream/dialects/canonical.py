"""The canonical dialect: our own JSON event (design.md section 2), strictly read. Pure.

Two readings with one meaning: `read_plain` takes the usual event at the speed of a typed decoder,
`read_careful` takes every event, collects all violations and keeps what no release knows yet.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from loyaltystream.dialects.inspection import MAX_NAME_CHARACTERS, Inspection, extend, spelled
from loyaltystream.events import Identifier, PlainEvent, RawEvent
from loyaltystream.verdicts import Reason, Violation

MAX_PLAIN_BYTES: Final = 4096
MAX_PLAIN_CUSTOMER_BYTES: Final = 512
"""Customers are remembered by their JSON, so that a long one would cost memory."""

_decode_plain = msgspec.json.Decoder(PlainEvent).decode
_KEYS: Final = frozenset(
    [
        "eventId",
        "eventName",
        "orgId",
        "occurredAt",
        "customer",
        "fields",
        "tillCode",
        "webhookId",
        "referral",
        "loyaltyCard",
        "createCustomer",
        "trace",
    ]
)
_CUSTOMER_KEYS: Final = frozenset({"identifiers", "profile"})
_REFERRAL_KEYS: Final = frozenset({"code", "referrerId"})
_CARD_KEYS: Final = frozenset({"code"})
_IDENTIFIER_KEYS: Final = frozenset({"type", "value", "source", "accountId"})


def read_plain(raw: bytes) -> PlainEvent | None:
    """Return the event if it is plain as far as its envelope shows, else None."""
    if len(raw) > MAX_PLAIN_BYTES or not raw.isascii() or b"\\" in raw:
        return None
    return read_envelope(raw)


def read_envelope(raw: bytes) -> PlainEvent | None:
    """Return the same of a text that is known to be short, ASCII, and without escapes."""
    try:
        event = _decode_plain(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    event_id = event.eventId
    fits = (
        event_id.strip()
        and "|" not in event_id
        and "\x7f" not in event_id
        and len(event.customer) <= MAX_PLAIN_CUSTOMER_BYTES
    )
    return event if fits else None


def read_careful(value: Mapping[str, Any]) -> tuple[RawEvent, tuple[Violation, ...]]:
    """Return the event in a JSON object, as far as it can be read, and every violation in it."""
    look = Inspection()
    extensions: dict[str, Any] = {}
    customer = look.table(value.get("customer"), "customer")
    referral = look.optional_table(value.get("referral"), "referral")
    card = look.optional_table(value.get("loyaltyCard"), "loyaltyCard")
    extend(extensions, value, _KEYS)
    extend(extensions, customer, _CUSTOMER_KEYS, "customer.")
    extend(extensions, referral, _REFERRAL_KEYS, "referral.")
    extend(extensions, card, _CARD_KEYS, "loyaltyCard.")
    event = RawEvent(
        event_id=look.event_id(value.get("eventId")),
        org_id=look.integer(value.get("orgId"), "orgId"),
        event_name=look.text(value.get("eventName"), "eventName", longest=MAX_NAME_CHARACTERS),
        identifiers=_identifiers(look, customer, extensions),
        fields=look.table(value.get("fields"), "fields"),
        occurred_at_ms=look.moment(value.get("occurredAt"), "occurredAt"),
        profile=dict(look.optional_table(customer.get("profile"), "customer.profile")),
        till_code=look.optional_text(value.get("tillCode"), "tillCode"),
        webhook_id=look.optional_text(value.get("webhookId"), "webhookId"),
        referral_code=look.optional_text(referral.get("code"), "referral.code"),
        referrer_id=look.optional_text(referral.get("referrerId"), "referral.referrerId"),
        loyalty_card=look.optional_text(card.get("code"), "loyaltyCard.code"),
        create_customer=look.flag(value.get("createCustomer"), "createCustomer"),
        trace={
            name: look.optional_text(text, f"trace.{name}") or ""
            for name, text in look.optional_table(value.get("trace"), "trace").items()
            if text is not None
        },
        extensions=extensions,
    )
    return event, tuple(look.violations)


def _identifiers(
    look: Inspection, customer: Mapping[str, Any], extensions: dict[str, Any]
) -> tuple[Identifier, ...]:
    entries = customer.get("identifiers")
    if any(violation.path == "customer" for violation in look.violations):
        return ()
    if entries is None or entries == []:
        look.refuse(Reason.NO_CUSTOMER, "customer.identifiers", "at least one is needed")
        return ()
    if not isinstance(entries, list):
        look.refuse_type("customer.identifiers", "an array", entries)
        return ()
    identifiers = []
    for position, entry in enumerate(entries):
        path = f"customer.identifiers[{position}]"
        table = look.table(entry, path)
        if isinstance(entry, dict):
            extend(extensions, table, _IDENTIFIER_KEYS, f"{path}.")
            identifiers.append(_identifier(look, table, path))
    return tuple(identifiers)


def _identifier(look: Inspection, table: Mapping[str, Any], path: str) -> Identifier:
    return Identifier(
        type=look.text(table.get("type"), f"{path}.type"),
        value=look.text(spelled(table.get("value")), f"{path}.value"),
        source=look.optional_text(table.get("source"), f"{path}.source") or "INSTORE",
        accountId=look.optional_text(table.get("accountId"), f"{path}.accountId"),
    )
