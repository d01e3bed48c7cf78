"""START HERE: a record in, the canonical event in it out, whichever dialect it is written in. Pure.

Which one it is a header says, else a setting, else the shape of the JSON object (domain.md 4.4).
"""

from collections.abc import Mapping
from typing import Any, Final

from loyaltystream.dialects import canonical, capillary, open_loyalty, voucherify
from loyaltystream.dialects.capillary import FindDefinition
from loyaltystream.dialects.envelope import (
    DIALECT_HEADER,
    ID_HEADER,
    Arrival,
    Reading,
    header_text,
)
from loyaltystream.dialects.inspection import is_blank
from loyaltystream.dialects.sources import Dialect, Dialects
from loyaltystream.dialects.strict_json import parse
from loyaltystream.events import Origin, Record
from loyaltystream.rules import Rules
from loyaltystream.verdicts import Reason, Violation

_DIALECTS: Final = ", ".join(Dialect)
_TOLD: Final = {dialect.value: dialect for dialect in Dialect}
_MISNAMED: Final = Violation(
    Reason.NO_DIALECT, f"headers.{DIALECT_HEADER}", f"names none of {_DIALECTS}"
)
_SHAPELESS: Final = Violation(Reason.NO_DIALECT, "", f"has the shape of none of {_DIALECTS}")


def read(
    record: Record, origin: Origin, *, find: FindDefinition, rules: Rules
) -> Reading | Violation:
    """Return any event with its violations, or the one violation that makes it unreadable.

    Args:
        record: whose value is read.
        origin: where it first arrived.
        find: returns the definition of that name in that org.
        rules: how large it may be, and how dialects are told apart.
    """
    value = parse(record.value or b"", max_bytes=rules.max_event_bytes)
    if isinstance(value, Violation):
        return value
    arrival, dialects = Arrival(record, origin, value), rules.dialects
    match _detect(value, told_dialect(record, dialects)):
        case Dialect.CANONICAL:
            return canonical.read_careful(_identified(arrival))
        case Dialect.CAPILLARY:
            return capillary.read(arrival, dialects.webhooks, find)
        case Dialect.OPEN_LOYALTY:
            return open_loyalty.read(arrival, dialects.stores)
        case Dialect.VOUCHERIFY:
            return voucherify.read(arrival, dialects.projects)
        case unknown:
            return unknown


def told_dialect(record: Record, dialects: Dialects) -> str | None:
    """Return the dialect that a record's header or the setting names; None: its shape decides."""
    told = header_text(record, DIALECT_HEADER) if record.headers else None
    return told or (None if dialects.assumed == "auto" else dialects.assumed)


def _detect(value: Mapping[str, Any], told: str | None) -> Dialect | Violation:
    if told is not None:
        return _TOLD.get(told, _MISNAMED)
    event = value.get("event")
    if isinstance(event, dict):
        return Dialect.OPEN_LOYALTY
    if isinstance(event, str) and value.get("customer") is not None:
        return Dialect.VOUCHERIFY
    if value.get("event_name") is not None:
        return Dialect.CAPILLARY
    # One of the two suffices: what the other lacks is then told.
    if value.get("eventName") is not None or value.get("fields") is not None:
        return Dialect.CANONICAL
    return _SHAPELESS


def _identified(arrival: Arrival) -> dict[str, Any]:
    """Return a canonical event; where it has no id of its own, a header may have one."""
    if is_blank(arrival.value.get("eventId")) and (told := arrival.header(ID_HEADER)):
        return arrival.value | {"eventId": told}
    return arrival.value
