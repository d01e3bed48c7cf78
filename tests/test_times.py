"""Points in time as producers write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.times import (
    VENDOR_PATTERNS,
    _by_patterns,
    local_ms,
    occurred_at_ms,
    vendor_date,
    vendor_ms,
)
from loyaltystream.verdicts import Reason
from tests.laws.strategies import LAW, VALUES

FIRST_MS, LAST_MS = 946_684_800_000, 4_102_444_800_000


@LAW
@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001 (the zone is drawn)
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_with_a_zone_is_read_to_the_millisecond(moment: datetime, minutes: int) -> None:
    """Whatever its offset, a moment is the milliseconds since 1970 that Python counts."""
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    since = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    assert occurred_at_ms(zoned.isoformat()) == since // timedelta(milliseconds=1)


ZONES = st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "UTC"]).map(ZoneInfo)
LOCAL = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30))  # noqa: DTZ001 (the zone is drawn)


@LAW
@given(LOCAL, ZONES)
def test_a_time_without_an_offset_is_one_of_its_zone(moment: datetime, zone: ZoneInfo) -> None:
    """ISO 8601 and the vendor's patterns mean the same local moment, to the millisecond."""
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=zone)
    since_ms = (cut - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert local_ms(moment.isoformat(), zone) == since_ms
    whole_ms = (cut.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )
    for pattern in ("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S"):
        assert vendor_ms(f"{moment:{pattern}}", zone) == whole_ms


@LAW
@given(LOCAL, ZONES)
def test_an_offset_comes_before_the_zone(moment: datetime, zone: ZoneInfo) -> None:
    """A text that names its offset means the same in every zone."""
    text = moment.replace(microsecond=0, tzinfo=UTC).isoformat()
    assert local_ms(text, zone) == vendor_ms(text, zone) == occurred_at_ms(text)
    spelled = f"{moment:%a %b %d %H:%M:%S GMT %Y}"
    assert vendor_ms(spelled, zone) == occurred_at_ms(text)


@LAW
@given(VALUES, ZONES)
def test_any_value_is_a_local_time_or_a_reason(value: object, zone: ZoneInfo) -> None:
    """Nothing raises in any zone, and what is taken for a time lies between 2000 and 2100."""
    for moment in (local_ms(value, zone), vendor_ms(value, zone)):
        assert isinstance(moment, Reason) or FIRST_MS <= moment < LAST_MS


@pytest.mark.parametrize(
    "text", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "April,11", "1999-12-31", "2100-01-02"]
)
def test_a_century_is_the_range_of_the_vendors_dates(text: str) -> None:
    """A date before 2000 or after 2099, or without a year, is no moment of an event."""
    assert vendor_ms(text, ZoneInfo("Pacific/Kiritimati")) is Reason.TIME_FORMAT


@LAW
@given(VALUES)
def test_any_value_is_a_time_or_a_reason(value: object) -> None:
    """Nothing raises, and what is taken for a time lies between 2000 and 2100."""
    moment = occurred_at_ms(value)
    assert isinstance(moment, Reason) or FIRST_MS <= moment < LAST_MS


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (FIRST_MS, FIRST_MS),
        (FIRST_MS - 1, Reason.TIME_FORMAT),
        (LAST_MS - 1, LAST_MS - 1),
        (LAST_MS, Reason.TIME_FORMAT),
        ("2000-01-01T00:00Z", FIRST_MS),
        ("1999-12-31T23:59:59.999Z", Reason.TIME_FORMAT),
        ("2099-12-31T23:59:59.999Z", LAST_MS - 1),
        (float(FIRST_MS), FIRST_MS),
        (FIRST_MS + 0.5, Reason.TYPE),
        (None, Reason.TYPE),
    ],
)
def test_a_century_is_the_range(value: object, expected: object) -> None:
    """From 2000 to 2100 a number is milliseconds; seconds and microseconds lie outside."""
    assert occurred_at_ms(value) == expected


# One text for each of the vendor's patterns, in its documented order.
WRITTEN = [
    ("2024-04-11T12:30:45+05:30", datetime(2024, 4, 11, 7, 0, 45, tzinfo=UTC)),
    ("2024-04-11T12:30:5.25", datetime(2024, 4, 11, 12, 30, 5, 250_000, tzinfo=UTC)),
    ("2024-04-11 12:30:45", datetime(2024, 4, 11, 12, 30, 45, tzinfo=UTC)),
    ("2024-04-11", datetime(2024, 4, 11, tzinfo=UTC)),
    ("11-04-2024 12:30:45", datetime(2024, 4, 11, 12, 30, 45, tzinfo=UTC)),
    ("04/11/2024 12:30:45", datetime(2024, 4, 11, 12, 30, 45, tzinfo=UTC)),
    ("2024/04/11 12:30:45", datetime(2024, 4, 11, 12, 30, 45, tzinfo=UTC)),
    ("2024/04/11", datetime(2024, 4, 11, tzinfo=UTC)),
    ("11-04-2024", datetime(2024, 4, 11, tzinfo=UTC)),
    ("04/11/2024", datetime(2024, 4, 11, tzinfo=UTC)),
    ("20240411 12:30:45", datetime(2024, 4, 11, 12, 30, 45, tzinfo=UTC)),
    ("11-Apr-24", datetime(2024, 4, 11, tzinfo=UTC)),
    ("2024-04-11T12:30:45", datetime(2024, 4, 11, 12, 30, 45, tzinfo=UTC)),
    ("Thu Apr 11 12:30:45 UTC 2024", datetime(2024, 4, 11, 12, 30, 45, tzinfo=UTC)),
    ("April,11,2024", datetime(2024, 4, 11, tzinfo=UTC)),
    ("April,11", datetime(1970, 4, 11, tzinfo=UTC)),
    ("2024-31-12 12:30:45", datetime(2024, 12, 31, 12, 30, 45, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "moment"), WRITTEN)
def test_each_of_the_vendors_patterns_is_read(text: str, moment: datetime) -> None:
    """A date in any of the 17 patterns is that moment, in UTC where it names no offset."""
    assert vendor_date(text) == moment


def test_every_pattern_is_tried() -> None:
    """There are as many texts here as patterns in the vendor's list."""
    assert len(VENDOR_PATTERNS) == len(WRITTEN) == 17


def test_of_two_patterns_that_fit_the_first_counts() -> None:
    """`2024-05-04 00:00:00` is the fourth of May, not the fifth of April."""
    assert vendor_date("2024-05-04 00:00:00") == datetime(2024, 5, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-02-30",
        "2024-13-13 00:00:00",
        "2024-04-11T25:00:00",
        "2024-04-11T12:00:00+99:00",
        "0000-01-01",
        "0001-01-01T00:00:00+14:00",
        "11-Mai-24",
        "2024-04-11\n",
        "2024-04-11 ",
        "٢٠٢٤-04-11",
        "February,29",
        "x" * 100_000,
    ],
)
def test_other_dates_are_none(text: str) -> None:
    """What fits no pattern, or names no day that there is, is no date."""
    assert vendor_date(text) is None


@LAW
@given(
    st.from_regex(
        r"\A[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|[+-][0-2][0-9]:[0-9]{2}))?\Z"
    )
)
def test_the_usual_form_means_what_its_pattern_means(text: str) -> None:
    """ISO 8601 is read at once, and gives what the vendor's patterns give one after the other."""
    assert vendor_date(text) == _by_patterns(text)
