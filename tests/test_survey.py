"""What many JSON texts are found to hold, before any of them is decoded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.dialects.survey import NOT_PLAIN, quotation_marks
from loyaltystream.events import Record
from tests.laws.strategies import LAW

LONGEST = 40
TEXTS = st.text('"a:{} \n\\é', max_size=LONGEST).map(str.encode) | st.binary(max_size=LONGEST + 9)


def survey(values: list[bytes | None]) -> list[int]:
    """Return what is found in these values."""
    records = [Record(0, offset, 0, None, value) for offset, value in enumerate(values)]
    return list(quotation_marks(records, longest=LONGEST))


@LAW
@given(st.lists(st.none() | TEXTS, max_size=600))
def test_all_at_once_is_one_by_one(values: list[bytes | None]) -> None:
    """Each value has the count that it has alone, whatever its neighbours are."""
    plain = [
        value is not None and value.isascii() and b"\\" not in value and len(value) <= LONGEST
        for value in values
    ]
    assert survey(values) == [
        value.count(b'"') if value is not None and is_plain else NOT_PLAIN
        for value, is_plain in zip(values, plain, strict=True)
    ]


@pytest.mark.parametrize("count", [255, 256, 257, 512, 1000])
def test_no_value_is_lost_between_two_parts(count: int) -> None:
    """However many there are, each has its own count, in order."""
    assert survey([b'"' * (row % 7) for row in range(count)]) == [row % 7 for row in range(count)]


def test_the_longest_plain_value_is_counted_in_full() -> None:
    """A value of marks alone, as long as a plain one can be, has as many as it has bytes."""
    record = Record(0, 0, 0, None, b'"' * 4096)
    assert list(quotation_marks([record], longest=4096)) == [4096]
