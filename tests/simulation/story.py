"""Small stories for a simulation: what producers send, in order, and where it lands."""

from random import Random
from typing import Any, Final

from loyaltystream.keys import murmur2, place
from tests.core import NOW_MS, event, raw

PARTITIONS: Final = 3
CUSTOMERS: Final = [f"9198123456{number:02}" for number in range(9)]

Sent = tuple[int, bytes | None]
"""A partition and a value."""


def home(mobile: str) -> int:
    """Return the partition of a customer of org 1800."""
    return int(place(murmur2([f"1800|mobile|{mobile}".encode()]), PARTITIONS)[0])


def tell(random: Random, count: int, *, repeats: float = 0.16, astray: float = 0.0) -> list[Sent]:
    """Return a story of new events, resends, conflicts, same bills and bad records.

    Args:
        random: draws it.
        count: how many records.
        repeats: the share of those that say again, or otherwise, what was said.
        astray: the share of new events that lie in a wrong partition.
    """
    told: list[tuple[int, dict[str, Any]]] = []
    story: list[Sent] = []
    for number in range(count):
        luck = random.random()
        if luck < 0.06:
            story.append((random.randrange(PARTITIONS), random.choice([None, b"{", b""])))
        elif luck < 0.06 + repeats and told:
            partition, repeated = random.choice(told[-12:])
            changes = {"fields": {"sku": "another"}} if luck < 0.1 else {}
            story.append((partition, raw(repeated | changes)))
        else:
            customer = random.choice(CUSTOMERS)
            new = _new(number, customer, bill=repeats > 0 and luck < 0.4)
            told.append((home(customer), new))
            beside = 1 if random.random() < astray else 0
            story.append(((home(customer) + beside) % PARTITIONS, raw(new)))
    return story


def _new(number: int, customer: str, *, bill: bool) -> dict[str, Any]:
    identifiers = [{"type": "mobile", "value": customer}]
    common: dict[str, Any] = {
        "eventId": f"0b6f3c1e-8d1f-4b52-9f6e-{number:012x}",
        "occurredAt": NOW_MS,
        "customer": {"identifiers": identifiers},
    }
    if bill:
        fields = {"orderId": f"A-{number % 7}", "amount": 5}
        return event(eventName="orderPlaced", fields=fields, **common)
    return event(**common)
