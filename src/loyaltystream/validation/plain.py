"""A plain event in, the valid event out, at the speed of the hot path; or nothing. Pure.

What is not accepted here is looked at carefully (`careful.py`), which either accepts it with the
same result or says why not; a property test holds the two to each other.
"""

from loyaltystream.avro.text import MOMENTS
from loyaltystream.definitions.registry import CompiledDefinition
from loyaltystream.events import Origin, PlainEvent, Record, ValidEvent
from loyaltystream.times import SKEW_MS, occurred_at_ms
from loyaltystream.verdicts import Reason


def check_plain(  # noqa: PLR0913, PLR0917 (a call by name costs more)
    record: Record,
    origin: Origin,
    clock_ms: int,
    event: PlainEvent,
    quotes: int,
    compiled: CompiledDefinition,
    country_code: str,
) -> ValidEvent | None:
    """Return the valid event, or None if only a careful look can tell.

    Args:
        record: where it was read.
        origin: where it first arrived.
        clock_ms: the partition's clock at the record.
        event: what it holds.
        quotes: how many quotation marks its JSON has.
        compiled: the definition of its name.
        country_code: digits put before the org's national mobile numbers.
    """
    arrived_ms, occurred_at = origin.timestamp_ms, event.occurredAt
    moment_ms = arrived_ms if occurred_at is None else occurred_at_ms(occurred_at)
    customer = compiled.customers[country_code][bytes(event.customer)]
    if compiled.plain is None or customer is None or isinstance(moment_ms, Reason):
        return None
    if arrived_ms < SKEW_MS or moment_ms > clock_ms + SKEW_MS:
        return None
    # Two quotation marks a key and two a text. Where no text holds one, as in plain events, as many
    # in the JSON prove that it has no other key, no key twice and no null.
    quotes -= customer.marks + (16 if event.tillCode is None else 20)
    if occurred_at is not None:
        quotes -= 2 if occurred_at.__class__ is int else 4
    supplied_ms = None if occurred_at is None else moment_ms
    read = compiled.plain(event, quotes, customer, supplied_ms, MOMENTS[arrived_ms])
    if read is None:
        return None
    fingerprint, value, unique, masked = read
    return ValidEvent(
        record,
        origin,
        clock_ms,
        event.orgId,
        event.eventName,
        event.eventId,
        moment_ms,
        customer.key_bytes,
        fingerprint,
        unique,
        compiled.definition,
        value,
        masked,
    )
