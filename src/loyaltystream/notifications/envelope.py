"""What stands around a notification: its id, and the headers of its record. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE
from loyaltystream.events import TYPE_HEADER, Header
from loyaltystream.memo import Memo
from loyaltystream.uuids import uuid5_text

NAMESPACE: Final = UUID("5f0c6b1e-2a57-4d0c-9c36-6d1f0a9f7b42")
"""Of all notification ids. Never changes: consumers tell repetitions by the id."""

CAUSE_ID_HEADER: Final = "cause-id"
CAUSE_SOURCE_HEADER: Final = "cause-src"
CAUSE_RULE_HEADER: Final = "cause-rule"

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
    cause, customer = event["eventId"].encode(), customer_id.encode()
    # Lengths before the parts: ("a", "bc") and ("ab", "c") must never be one id.
    name = b"".join(
        (
            _OF_ORG[event["orgId"]],
            _LENGTHS[len(key)],
            key,
            _LENGTHS[len(cause)],
            cause,
            _OF_RULE[rule],
            _LENGTHS[len(customer)],
            customer,
            _ORDINALS[ordinal],
        )
    )
    return uuid5_text(name)


def _framed(part: bytes) -> bytes:
    return _LENGTHS[len(part)] + part


_LENGTHS: Final[Memo[int, bytes]] = Memo(lambda length: length.to_bytes(4))
_ORDINALS: Final[Memo[int, bytes]] = Memo(lambda ordinal: _framed(str(ordinal).encode()))

_OF_ORG: Final[Memo[int, bytes]] = Memo(
    lambda org_id: NAMESPACE.bytes + _framed(str(org_id).encode())
)
_OF_RULE: Final[Memo[tuple[str, str], bytes]] = Memo(
    lambda rule: b"".join(_framed(part.encode()) for part in rule)
)


class Cause(NamedTuple):
    """What all notifications of one event say of it.

    Attributes:
        source: the record that was judged, as topic/partition/offset; None: nobody knows.
        headers: the same in headers.
    """

    source: str | None
    headers: tuple[Header, ...]


def cause_of(event_id: str, source: bytes | None) -> Cause:
    """Return what notifications say of an event.

    Args:
        event_id: its own.
        source: the `src` header of its record on `EMFConsumer`; what is none of ours is not told.
    """
    by_id = (CAUSE_ID_HEADER, event_id.encode())
    found = _SOURCE.fullmatch(source) if source else None
    if found is None:
        return Cause(None, (by_id,))
    place = found[1]
    return Cause(place.decode(), (by_id, (CAUSE_SOURCE_HEADER, place)))


_SOURCE: Final = re.compile(rb"([\w.-]{1,249}/\d{1,10}/\d{1,19})/\d{1,10}/\d{1,10}")


def rule_header(event_name: str, version: int, rule_id: str) -> Header:
    """Return the header that names a rule by its definition, that one's version, and its id."""
    return CAUSE_RULE_HEADER, f"{event_name}/{version}/{rule_id}".encode()


def cloud_event_headers(
    *, event_id: str, event_name: str, org_id: int, created_at_ms: int
) -> list[Header]:
    """Return the headers of CloudEvents 1.0 in its binary mode for Kafka."""
    return [
        _SPEC_VERSION,
        ("ce_id", event_id.encode()),
        _TYPES[event_name],
        _SOURCES[org_id],
        ("ce_time", rfc3339(created_at_ms).encode()),
        _CONTENT_TYPE,
    ]


_TYPES: Final[Memo[str, Header]] = Memo(
    lambda event_name: (TYPE_HEADER, f"{NOTIFICATION_NAMESPACE}.{event_name}".encode())
)
_SOURCES: Final[Memo[int, Header]] = Memo(
    lambda org_id: ("ce_source", f"/loyaltystream/{org_id}".encode())
)


def rfc3339(moment_ms: int) -> str:
    """Return epoch milliseconds, of any year that has four digits, as UTC text."""
    return f"{_SECONDS[moment_ms // 1000]}.{moment_ms % 1000:03d}Z"


_SECONDS: Final[Memo[int, str]] = Memo(
    lambda second: f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
)
