"""What stands around a notification: its id, and the headers of its record. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any, Final
from uuid import UUID

from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE
from loyaltystream.events import Header

NAMESPACE: Final = UUID("5f0c6b1e-2a57-4d0c-9c36-6d1f0a9f7b42")
"""Of all notification ids. Never changes: consumers tell repetitions by the id."""

_CONTENT_TYPE: Final = ("content-type", b"application/avro")
_SPEC_VERSION: Final = ("ce_specversion", b"1.0")


def notification_id(
    event: Mapping[str, Any],
    *,
    key: bytes,
    rule: tuple[str, str],
    customer_id: str,
    ordinal: int = 0,
) -> str:
    """Return the id of a notification: the same facts give the same UUID, version 5.

    Args:
        event: the behavioral event that caused it.
        key: that event's partition key.
        rule: the rule's id, and the type of notification.
        customer_id: whose it is; empty where that is not known.
        ordinal: which of several notifications of one rule and customer.
    """
    texts = (*rule, customer_id, str(ordinal))
    parts = [event["orgId"], key, event["eventId"], *texts]
    # Lengths before the parts: ("a", "bc") and ("ab", "c") must never be one id.
    name = b"".join([len(part).to_bytes(4) + part for part in map(_to_bytes, parts)])
    digest = sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()
    return str(UUID(bytes=digest[:16], version=5))


def _to_bytes(part: bytes | str | int) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()


def cloud_event_headers(
    *, event_id: str, event_name: str, org_id: int, created_at_ms: int
) -> Iterator[Header]:
    """Yield the headers of CloudEvents 1.0 in its binary mode for Kafka."""
    yield _SPEC_VERSION
    yield "ce_id", event_id.encode()
    yield "ce_type", f"{NOTIFICATION_NAMESPACE}.{event_name}".encode()
    yield "ce_source", f"/loyaltystream/{org_id}".encode()
    yield "ce_time", rfc3339(created_at_ms).encode()
    yield _CONTENT_TYPE


def rfc3339(moment_ms: int) -> str:
    """Return epoch milliseconds, of any year that has four digits, as UTC text."""
    seconds, milliseconds = divmod(moment_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"
