"""A plain event of another dialect in, the valid event out, at the speed of the hot path. Pure.

The twin of `plain.py`: what is not accepted here is looked at carefully (`careful.py`), which gives
the same result or says why not.
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Final

import msgspec

from loyaltystream.avro.behavioral_event import plain_end
from loyaltystream.avro.text import MOMENTS, NULL, SOME, optional_string, string
from loyaltystream.definitions.plain import ReadPlain
from loyaltystream.definitions.registry import CompiledDefinition
from loyaltystream.definitions.theirs import TheirCustomer
from loyaltystream.dialects import plain, voucherify
from loyaltystream.dialects.canonical import MAX_PLAIN_CUSTOMER_BYTES
from loyaltystream.dialects.capillary import names_moment
from loyaltystream.dialects.envelope import (
    DIALECT_HEADER,
    HEADERS,
    ID_HEADER,
    SOURCE_HEADER,
    TIME_HEADER,
    id_of_body,
    id_of_place,
    our_headers,
)
from loyaltystream.dialects.sources import DEFAULT, Source
from loyaltystream.events import MAX_ID_CHARACTERS, Origin, PlainEvent, Record, ValidEvent
from loyaltystream.memo import Memo
from loyaltystream.rules import Rules
from loyaltystream.times import SKEW_MS, local_ms, vendor_ms
from loyaltystream.verdicts import Reason

ByName = Mapping[tuple[int, str], CompiledDefinition]
Moments = Memo[tzinfo, Memo[str, int | Reason]]

_NO_JSON: Final = msgspec.Raw()
_LOCAL: Final[Moments] = Memo(lambda zone: Memo(lambda text: local_ms(text, zone)))
_VENDOR: Final[Moments] = Memo(lambda zone: Memo(lambda text: vendor_ms(text, zone)))
"""Times as text in epoch milliseconds, by zone: those of a second recur."""


class _Arrived(msgspec.Struct, frozen=True, gc=False):
    """A record with what a dialect needs for reading it."""

    raw: bytes
    told: dict[str, str | None]
    rules: Rules
    by_name: ByName


class _Found(msgspec.Struct, frozen=True, gc=False):
    """An event as far as its envelope tells.

    Attributes:
        event_id: empty where it has to be derived.
        scope: of an id that is derived from its body; None: from its place.
        occurred_ms: None: nobody said.
        end: makes what follows its nested fields from its customer.
    """

    compiled: CompiledDefinition
    envelope: plain.Envelope
    event_id: str
    scope: str | None
    occurred_ms: int | None
    end: Callable[[TheirCustomer], str]


def check_theirs(  # noqa: PLR0913, PLR0917 (a call by name costs more)
    record: Record, origin: Origin, clock_ms: int, quotes: int, by_name: ByName, rules: Rules
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
    found = _find(record, by_name, rules)
    customer = None if found is None else _customer(found, rules)
    if found is None or customer is None:
        return None
    arrived_ms, occurred_ms = origin.timestamp_ms, found.occurred_ms
    moment_ms = arrived_ms if occurred_ms is None else occurred_ms
    if arrived_ms < SKEW_MS or moment_ms > clock_ms + SKEW_MS:
        return None
    definition, known = found.compiled.definition, customer.known
    event_id, reader = _identify(found, record, origin)
    if reader is None or not _is_plain_id(event_id):
        return None
    end, fields = found.end(customer), found.envelope.fields
    # As `PlainEvent`, so that the same functions read it: what follows its till is its dialect's.
    event = PlainEvent(event_id, "", 0, _NO_JSON, fields, tillCode=end)
    quotes -= found.envelope.marks + known.marks
    read = reader(event, quotes, known, occurred_ms, MOMENTS[arrived_ms])
    if read is None:
        return None
    fingerprint, value, unique, masked = read
    return ValidEvent(
        record,
        origin,
        clock_ms,
        definition.org_id,
        definition.event_name,
        event_id,
        moment_ms,
        known.key_bytes,
        fingerprint,
        unique,
        definition,
        value,
        masked,
    )


def _find(record: Record, by_name: ByName, rules: Rules) -> _Found | None:
    raw = record.value or b""
    shape = plain.shape_of(raw)
    if shape is None:
        return None
    told = our_headers(record) if record.headers else _NOTHING
    named = told[DIALECT_HEADER] or rules.dialects.assumed
    return (
        _FINDERS[shape](_Arrived(raw, told, rules, by_name)) if named in {shape, "auto"} else None
    )


_NOTHING: Final[dict[str, str | None]] = dict.fromkeys(HEADERS)


def _find_open_loyalty(arrived: _Arrived) -> _Found | None:
    store = arrived.rules.dialects.stores.get(arrived.told[SOURCE_HEADER] or DEFAULT)
    envelope = plain.open_loyalty(arrived.raw)
    if store is None or envelope is None or store.fields:
        return None
    compiled = _definition(arrived, store, envelope.name)
    moment_ms = _LOCAL[store.time_zone][envelope.occurred_at]
    if compiled is None or isinstance(moment_ms, Reason):
        return None
    event_id = envelope.event_id or arrived.told[ID_HEADER] or ""
    scope = f"{store.org}|{plain.OPEN_LOYALTY}"
    return _Found(compiled, envelope, event_id, scope, moment_ms, _end_of_open_loyalty)


def _end_of_open_loyalty(customer: TheirCustomer) -> str:
    return NULL + plain_end(create=False, card=customer.card)


def _find_voucherify(arrived: _Arrived) -> _Found | None:
    project = arrived.rules.dialects.projects.get(arrived.told[SOURCE_HEADER] or DEFAULT)
    envelope = plain.voucherify(arrived.raw)
    if project is None or envelope is None or project.fields:
        return None
    compiled = _definition(arrived, project, envelope.name)
    moment_ms = voucherify.header_time(arrived.told[TIME_HEADER])
    if compiled is None or isinstance(moment_ms, Reason):
        return None
    code, referrer = envelope.referral
    referral = NULL
    if code or referrer:
        referral = SOME + optional_string(code) + optional_string(referrer)
    card = SOME + string(envelope.card) if envelope.card else NULL
    end = NULL + plain_end(create=True, referral=referral, card=card)
    event_id = arrived.told[ID_HEADER] or ""
    return _Found(compiled, envelope, event_id, None, moment_ms, lambda _: end)


def _find_capillary(arrived: _Arrived) -> _Found | None:
    webhook_id = arrived.told[SOURCE_HEADER] or DEFAULT
    webhook = arrived.rules.dialects.webhooks.get(webhook_id)
    name = plain.capillary_name(arrived.raw)
    if webhook is None or name is None or webhook.fields:
        return None
    compiled = _definition(arrived, webhook, name)
    shape = None if compiled is None else compiled.theirs.envelopes[webhook.id_field]
    sent = None if shape is None else shape.read(arrived.raw, name)
    if compiled is None or sent is None:
        return None
    envelope, tills = sent
    occurred_at = envelope.occurred_at
    moment_ms = _VENDOR[webhook.time_zone][occurred_at] if occurred_at else None
    till = next((text for text in (*tills, webhook.till) if text.strip()), "")
    if isinstance(moment_ms, Reason) or not (till.isascii() and webhook_id.isascii()):
        return None
    create = compiled.definition.customer.add_if_not_exists
    end = optional_string(till) + plain_end(create=create, webhook=optional_string(webhook_id))
    event_id = arrived.told[ID_HEADER] or envelope.event_id
    is_timed = moment_ms is not None and names_moment(occurred_at)
    scope = f"{webhook.org}|{plain.CAPILLARY}" if is_timed else None
    return _Found(compiled, envelope, event_id, scope, moment_ms, lambda _: end)


_FINDERS: Final = {
    plain.OPEN_LOYALTY: _find_open_loyalty,
    plain.VOUCHERIFY: _find_voucherify,
    plain.CAPILLARY: _find_capillary,
}


def _definition(arrived: _Arrived, source: Source, name: str) -> CompiledDefinition | None:
    return arrived.by_name.get((source.org, source.events.get(name, name)))


def _customer(found: _Found, rules: Rules) -> TheirCustomer | None:
    raw = bytes(found.envelope.customer)
    if len(raw) > MAX_PLAIN_CUSTOMER_BYTES:
        return None
    country_code = rules.country_codes.get(found.compiled.definition.org_id, "")
    return found.compiled.theirs.customers[found.envelope.dialect, country_code][raw]


def _identify(found: _Found, record: Record, origin: Origin) -> tuple[str, ReadPlain | None]:
    """Return an event's id, empty if it can't be told, and what reads an event with such an id."""
    event_id, event_id_origin = found.event_id, "SUPPLIED"
    if not event_id:
        event_id, event_id_origin = _derive(found, record, origin), "DERIVED"
    return event_id, found.compiled.theirs.read[found.envelope.dialect, event_id_origin]


def _derive(found: _Found, record: Record, origin: Origin) -> str:
    if found.scope is None:
        return id_of_place(origin)
    text = plain.canonical_text(record.value or b"")
    return "" if text is None else id_of_body(found.scope, text)


def _is_plain_id(text: str) -> bool:
    return (
        text.isascii()
        and text.isprintable()
        and "|" not in text
        and not text.isspace()
        and 0 < len(text) <= MAX_ID_CHARACTERS
    )
