"""What happened, and how a producer of each dialect writes it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from loyaltystream.dialects.sources import Dialect
from loyaltystream.events import Header
from tests.core import NOW_MS, raw


class Facts(NamedTuple):
    """One event; `occurred_ms` is a whole second."""

    event_id: str = "a-1"
    name: str = "roomReserved"
    mobile: str = "919812345678"
    occurred_ms: int = NOW_MS
    fields: Mapping[str, Any] = {"hotel": "Lotus", "nights": 3, "rate": 99.5, "breakfast": True}


class Written(NamedTuple):
    """A record's value and headers."""

    value: bytes
    headers: list[Header]


CUSTOMER_KEYS: Final = {"roomReserved": "guest"}
"""The keys that name the customer in Capillary's dialect, where it is another than `customer`."""

CREATES: Final = {Dialect.CAPILLARY: None, Dialect.OPEN_LOYALTY: False, Dialect.VOUCHERIFY: True}
"""Whether each dialect lets an unknown customer be created; None: its definition says."""


def canonical(facts: Facts) -> dict[str, Any]:
    """Return the facts in our own words."""
    return {
        "eventId": facts.event_id,
        "eventName": facts.name,
        "orgId": 1800,
        "occurredAt": facts.occurred_ms,
        "customer": {"identifiers": [{"type": "mobile", "value": facts.mobile}]},
        "fields": dict(facts.fields),
    }


def _capillary(facts: Facts) -> dict[str, Any]:
    moment = datetime.fromtimestamp(facts.occurred_ms / 1000, UTC)
    return {
        **facts.fields,
        "event_name": facts.name,
        CUSTOMER_KEYS.get(facts.name, "customer"): facts.mobile,
        "eventDateTime": f"{moment:%d-%m-%Y %H:%M:%S}",
        "external_event_id": facts.event_id,
    }


def _open_loyalty(facts: Facts) -> dict[str, Any]:
    moment = datetime.fromtimestamp(facts.occurred_ms / 1000, UTC)
    return {
        "event": {
            "type": facts.name,
            "eventId": facts.event_id,
            "eventDate": f"{moment:%Y-%m-%dT%H:%M:%S}",
            "customerData": {"phone": facts.mobile},
            "body": dict(facts.fields),
        }
    }


def _voucherify(facts: Facts) -> dict[str, Any]:
    return {
        "event": facts.name,
        "customer": {"phone": facts.mobile},
        "metadata": dict(facts.fields),
    }


_WRITERS: Final[dict[Dialect, Callable[[Facts], dict[str, Any]]]] = {
    Dialect.CANONICAL: canonical,
    Dialect.CAPILLARY: _capillary,
    Dialect.OPEN_LOYALTY: _open_loyalty,
    Dialect.VOUCHERIFY: _voucherify,
}


def write(facts: Facts, dialect: Dialect, *, told: bool = True) -> Written:
    """Return the facts in a dialect; `told`: a header names it, whatever the shape is."""
    headers: list[Header] = [("x-event-dialect", dialect.encode())] if told else []
    if dialect is Dialect.VOUCHERIFY:
        headers.append(("x-event-id", facts.event_id.encode()))
        headers.append(("x-event-time", str(facts.occurred_ms).encode()))
    return Written(raw(_WRITERS[dialect](facts)), headers)
