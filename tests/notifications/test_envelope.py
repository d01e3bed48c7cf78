"""The id of a notification, and the headers of its record."""

from itertools import combinations
from uuid import UUID

import pytest

from loyaltystream.notifications.envelope import cloud_event_headers, notification_id, rfc3339


def an_id(  # every fact that makes an id, with a value that is as good as any
    org: int = 1800,
    *,
    cause: str = "c",
    key: bytes = b"k",
    rule: tuple[str, str] = ("r", "t"),
    customer_id: str = "5",
    ordinal: int = 0,
) -> str:
    event = {"orgId": org, "eventId": cause}
    return notification_id(event, key=key, rule=rule, customer_id=customer_id, ordinal=ordinal)


def test_an_id_is_a_uuid_of_version_five() -> None:
    """The id is a name-based UUID that never changes from release to release."""
    assert UUID(an_id()).version == 5
    assert an_id() == "0ceccf0b-0f3b-595e-b1a2-a73f9128d025"


def test_every_fact_makes_another_id() -> None:
    """Org, key, cause, rule, type, customer and ordinal each tell notifications apart."""
    ids = [
        an_id(),
        an_id(1801),
        an_id(cause="d"),
        an_id(key=b"l"),
        an_id(rule=("s", "t")),
        an_id(rule=("r", "u")),
        an_id(customer_id=""),
        an_id(ordinal=1),
        an_id(cause="ck", key=b""),
        an_id(rule=("rt", "")),
        an_id(rule=("", "rt")),
    ]
    assert all(one != other for one, other in combinations(ids, 2))


@pytest.mark.parametrize(
    ("moment_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_764_000_000_007, "2025-11-24T16:00:00.007Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_in_headers_have_milliseconds(moment_ms: int, text: str) -> None:
    """A time in a header is RFC 3339 in UTC, to the millisecond."""
    assert rfc3339(moment_ms) == text


def test_the_headers_are_those_of_cloud_events() -> None:
    """A notification is a CloudEvent 1.0 in the binary mode of the Kafka binding."""
    headers = cloud_event_headers(
        event_id="e", event_name="customerAdded", org_id=1800, created_at_ms=1_764_000_000_000
    )
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"e",
        "ce_type": b"loyalty.notification.v1.customerAdded",
        "ce_source": b"/loyaltystream/1800",
        "ce_time": b"2025-11-24T16:00:00.000Z",
        "content-type": b"application/avro",
    }
