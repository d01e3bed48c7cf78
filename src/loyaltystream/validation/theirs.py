"""A plain event of another dialect in, the valid event out, at the speed of the hot path. Pure.

The twin of `plain.py`: what is not accepted here is looked at carefully (`careful.py`), which gives
the same result or says why not.
"""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final, NamedTuple

import msgspec

from loyaltystream.avro.behavioral_event import plain_end
from loyaltystream.avro.text import MOMENTS, NULL, SOME, optional_string
from loyaltystream.definitions.registry import CompiledDefinition
from loyaltystream.definitions.theirs import TheirCustomer
from loyaltystream.dialects import plain, voucherify
from loyaltystream.dialects.canonical import MAX_PLAIN_CUSTOMER_BYTES
from loyaltystream.dialects.capillary import names_moment
from loyaltystream.dialects.envelope import ID_HEADER, SOURCE_HEADER, derived_id, header_text
from loyaltystream.dialects.plain import Envelope
from loyaltystream.dialects.reading import told_dialect
from loyaltystream.dialects.sources import DEFAULT, Dialect, Source, Webhook
from loyaltystream.events import Origin, PlainEvent, Record, ValidEvent
from loyaltystream.memo import Memo
from loyaltystream.rules import Rules
from loyaltystream.times import SKEW_MS, local_ms, vendor_ms
from loyaltystream.verdicts import Reason

ByName = Mapping[tuple[int, str], CompiledDefinition]
_MOMENTS: Final[Memo[tuple[Dialect, tzinfo], Memo[str, int | Reason]]] = Memo(
    lambda asked: Memo(
        lambda text: (vendor_ms if asked[0] is Dialect.CAPILLARY else local_ms)(text, asked[1])
    )
)
"""Times as text, in epoch milliseconds; those of a second recur."""


class _Found(NamedTuple):
    """An event as far as its envelope tells; `till` is empty where that is not known."""

    envelope: Envelope
    compiled: CompiledDefinition
    occurred_ms: int | None
    till: str = ""


def check_theirs(
    record: Record, origin: Origin, clock_ms: int, quotes: int, *, by_name: ByName, rules: Rules
) -> ValidEvent | None:
    """Return the valid event, or None if only a careful look can tell.

    Args:
        record: where it was read; its value is short, ASCII, and without escapes.
        origin: where it first arrived.
        clock_ms: the partition's clock at the record.
        quotes: how many quotation marks its JSON has.
        by_name: all definitions.
        rules: what a valid event is, beyond its definition.
    """
    raw = record.value or b""
    dialect = plain.shape_of(raw)
    if dialect is None or told_dialect(record, rules.dialects) not in {None, dialect}:
        return None
    name = (header_text(record, SOURCE_HEADER) if record.headers else None) or DEFAULT
    source = _sources(dialect, rules).get(name)
    if source is None or source.fields or not name.isascii():
        return None
    found = _find(dialect, record, source, by_name)
    if found is None or len(found.envelope.customer) > MAX_PLAIN_CUSTOMER_BYTES:
        return None
    country_code = rules.country_codes.get(source.org, "")
    raw_customer = bytes(found.envelope.customer)
    customer = found.compiled.theirs.customers[dialect, country_code][raw_customer]
    if customer is None:
        return None
    arrived_ms = origin.timestamp_ms
    moment_ms = arrived_ms if found.occurred_ms is None else found.occurred_ms
    if arrived_ms < SKEW_MS or moment_ms > clock_ms + SKEW_MS:
        return None
    event_id, event_id_origin = _identify(dialect, record, origin, source, found)
    reader = found.compiled.theirs.read[dialect, event_id_origin]
    if reader is None or not _is_plain_id(event_id):
        return None
    end = _end(dialect, name, found, customer)
    # As `PlainEvent` so that the same functions read it: what follows its till is its dialect's.
    event = PlainEvent(
        event_id, found.envelope.name, source.org, _NO_JSON, found.envelope.fields, tillCode=end
    )
    quotes -= found.envelope.marks + customer.known.marks
    read = reader(event, quotes, customer.known, found.occurred_ms, MOMENTS[arrived_ms])
    if read is None:
        return None
    fingerprint, value, unique = read
    definition = found.compiled.definition
    return ValidEvent(
        record,
        origin,
        clock_ms,
        definition.org_id,
        definition.event_name,
        event_id,
        moment_ms,
        customer.known.key_bytes,
        fingerprint,
        unique,
        definition,
        value,
    )


_NO_JSON: Final = msgspec.Raw()


def _sources(dialect: Dialect, rules: Rules) -> Mapping[str, Source]:
    match dialect:
        case Dialect.CAPILLARY:
            return rules.dialects.webhooks
        case Dialect.OPEN_LOYALTY:
            return rules.dialects.stores
        case _:
            return rules.dialects.projects


def _find(dialect: Dialect, record: Record, source: Source, by_name: ByName) -> _Found | None:
    raw = record.value or b""
    if isinstance(source, Webhook):
        return _find_capillary(raw, source, by_name)
    envelope = plain.open_loyalty(raw) if dialect is Dialect.OPEN_LOYALTY else plain.voucherify(raw)
    if envelope is None:
        return None
    compiled = by_name.get((source.org, source.events.get(envelope.name, envelope.name)))
    if compiled is None:
        return None
    moment = (
        _MOMENTS[dialect, source.time_zone][envelope.occurred_at]
        if envelope.occurred_at
        else voucherify.header_time(record)
    )
    return None if isinstance(moment, Reason) else _Found(envelope, compiled, moment)


def _find_capillary(raw: bytes, webhook: Webhook, by_name: ByName) -> _Found | None:
    name = plain.capillary_name(raw)
    compiled = by_name.get((webhook.org, webhook.events.get(name, name))) if name else None
    shape = compiled.theirs.envelopes[webhook.id_field] if compiled else None
    if name is None or compiled is None or shape is None:
        return None
    try:
        sent = shape.decode(raw)
    except plain.DecodeError:
        return None
    event_id = sent.event_id if webhook.id_field else ""
    occurred_at = sent.occurred_at
    moment = _MOMENTS[Dialect.CAPILLARY, webhook.time_zone][occurred_at] if occurred_at else None
    if isinstance(moment, Reason):
        return None
    # Keys: event_name and the customer's. Texts: event_name.
    marks = 6 + (shape.moment_marks if occurred_at else 0) + (shape.id_marks if event_id else 0)
    tills = (getattr(sent, f"till{position}") for position in range(shape.tills))
    till = next((text for text in (*tills, webhook.till) if text.strip()), "")
    envelope = Envelope(name, event_id, occurred_at, sent.customer, msgspec.Raw(raw), marks)
    return _Found(envelope, compiled, moment, till) if till.isascii() else None


def _identify(
    dialect: Dialect, record: Record, origin: Origin, source: Source, found: _Found
) -> tuple[str, str]:
    told = header_text(record, ID_HEADER) if record.headers else None
    sent = found.envelope.event_id
    if dialect is Dialect.CAPILLARY:
        sent = told or sent
        is_timed = found.occurred_ms is not None and names_moment(found.envelope.occurred_at)
    else:
        sent = sent or told or ""
        is_timed = dialect is Dialect.OPEN_LOYALTY
    if sent:
        return sent, "SUPPLIED"
    scope = f"{source.org}|{dialect}" if is_timed else None
    value = plain.read_any(record.value or b"") if is_timed else {}
    return derived_id(value, origin, scope=scope), "DERIVED"


def _is_plain_id(text: str) -> bool:
    return (
        text.isascii()
        and text.isprintable()
        and "|" not in text
        and not text.isspace()
        and len(text) <= 255
    )


def _end(dialect: Dialect, name: str, found: _Found, customer: TheirCustomer) -> str:
    """Return what follows the nested fields: the till, and what the dialect says by itself."""
    match dialect:
        case Dialect.CAPILLARY:
            create = found.compiled.definition.customer.add_if_not_exists
            return optional_string(found.till) + plain_end(create=create, webhook_id=name)
        case Dialect.OPEN_LOYALTY:
            return NULL + plain_end(create=False, card=customer.card)
        case _:
            code, referrer = found.envelope.referral
            referral = NULL
            if code or referrer:
                referral = SOME + optional_string(code) + optional_string(referrer)
            card = SOME + optional_string(found.envelope.card)[1:] if found.envelope.card else NULL
            return NULL + plain_end(create=True, referral=referral, card=card)
