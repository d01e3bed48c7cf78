"""A plain event in, the valid event out, at the speed of the hot path; or nothing. Pure.

What is not accepted here is looked at carefully (`validate.py`), which either accepts it with the
same result or says why not; a property test holds the two to each other.
"""

from loyaltystream.content import fingerprint
from loyaltystream.definitions.registry import CompiledDefinition
from loyaltystream.events import Decoded, PlainEvent, ValidEvent
from loyaltystream.times import SKEW_MS, occurred_at_ms


def check_plain(
    decoded: Decoded, event: PlainEvent, compiled: CompiledDefinition, country_code: str
) -> ValidEvent | None:
    """Return the valid event, or None if only a careful look can tell.

    Args:
        decoded: the record, where and when it came.
        event: what it holds.
        compiled: the definition of its name.
        country_code: digits put before the org's national mobile numbers.
    """
    arrived_ms, occurred_at = decoded.origin.timestamp_ms, event.occurredAt
    moment_ms = arrived_ms if occurred_at is None else occurred_at_ms(occurred_at)
    if moment_ms.__class__ is not int or moment_ms > decoded.clock_ms + SKEW_MS:
        return None
    customer = compiled.customers[country_code][bytes(event.customer)]
    if compiled.plain is None or customer is None or arrived_ms < SKEW_MS:
        return None
    # Two quotation marks a key and two a text. Where no text holds one, as in plain events, as many
    # in the JSON prove that it has no other key, no key twice and no null.
    marks = 16 + customer.marks
    if occurred_at is not None:
        marks += 2 if occurred_at.__class__ is int else 4
    if event.tillCode is not None:
        marks += 4
    read = compiled.plain(event.fields, (decoded.record.value or b"").count(b'"') - marks)
    if read is None:
        return None
    text, entries, unique = read
    return ValidEvent(
        decoded.record,
        decoded.origin,
        decoded.clock_ms,
        event.orgId,
        event.eventName,
        event.eventId,
        moment_ms,
        customer.key_bytes,
        fingerprint(event.eventName, customer.key, text),
        unique,
        compiled.definition,
        compiled.encoder.plain(
            event.eventId,
            None if occurred_at is None else moment_ms,
            arrived_ms,
            customer.people,
            entries,
            event.tillCode,
        ),
    )
