"""An event of the usual kind, read for its id and its key alone, at the speed of a typed decoder.

Pure. Taken is only what surely means the same as in the careful reading, and is surely read there:
no key twice, none unknown, no escape, nothing deep or long. The first two are proven by writing
again what was decoded: that is what came, or, where it was spaced or ordered otherwise, has as many
quotation marks.
"""

from typing import Any, Final

import msgspec

from loyaltystream.dialects.canonical import MAX_PLAIN_BYTES
from loyaltystream.dialects.strict_json import MAX_DEPTH, MAX_DOUBLE_DIGITS
from loyaltystream.events import MAX_ID_CHARACTERS


class Identifier(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One way to name the customer, as sent."""

    type: str
    value: str
    source: str | None = None
    accountId: str | None = None  # noqa: N815 (the event's own spelling)


class Customer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Whom an event is about."""

    identifiers: list[Identifier]


class UsualEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A canonical event; spelled as on the topic, and in the order of the README's example."""

    eventId: str  # noqa: N815
    eventName: str  # noqa: N815
    orgId: int  # noqa: N815
    occurredAt: int | str | None = None  # noqa: N815
    tillCode: str | None = None  # noqa: N815
    customer: Customer
    fields: dict[str, Any]


_TO_ONES: Final = bytes.maketrans(b"023456789", b"1" * 9)
_LONG_NUMBER: Final = b"1" * MAX_DOUBLE_DIGITS

_decode: Final = msgspec.json.Decoder(UsualEvent).decode
_encode: Final = msgspec.json.Encoder().encode


def read_usual(raw: bytes) -> UsualEvent | None:
    """Return the event, or None where it has to be read with care."""
    if len(raw) > MAX_PLAIN_BYTES or b"\\" in raw or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        return None
    try:
        event = _decode(raw)
        again = _encode(event)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return None
    event_id = event.eventId
    fits = (
        (again == raw or again.count(b'"') == raw.count(b'"'))
        and _LONG_NUMBER not in raw.translate(_TO_ONES)
        and 0 <= event.orgId < 2**63
        and event_id.isascii()
        and event_id.isprintable()
        and "|" not in event_id
        and bool(event_id.strip())
        and len(event_id) <= MAX_ID_CHARACTERS
    )
    return event if fits else None
