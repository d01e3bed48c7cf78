"""What is left to read, and what retention has removed of it."""

import pytest

from loyaltystream.reemit.course import Gone, lay


@pytest.mark.parametrize(
    ("bounds", "starts", "done", "span", "gone"),
    [
        # A first run reads the range; all of it is there if it begins behind the first record.
        ((0, 9), {}, {}, (0, 9), None),
        ((0, 9), {0: 0}, {}, (0, 9), None),
        ((4, 9), {0: 6}, {}, (6, 9), None),
        ((4, 9), {0: 4}, {}, (4, 9), Gone(0, 4)),
        ((4, 9), {}, {}, (4, 9), Gone(0, 4)),
        ((9, 9), {0: 9}, {}, (9, 9), Gone(0, 9)),
        ((0, 9), {0: 12}, {}, (9, 9), None),
        # A later one goes on; what it had not sent and is gone now is known exactly.
        ((4, 9), {0: 4}, {0: 6}, (6, 9), None),
        ((4, 9), {}, {0: 4}, (4, 9), None),
        ((4, 9), {}, {0: 2}, (4, 9), Gone(0, 4, 2)),
        ((9, 9), {}, {0: 2}, (9, 9), Gone(0, 9, 2)),
        ((0, 9), {}, {0: 9}, (9, 9), None),
    ],
)
def test_what_is_left_and_what_is_gone(
    bounds: tuple[int, int],
    starts: dict[int, int],
    done: dict[int, int],
    span: tuple[int, int],
    gone: Gone | None,
) -> None:
    """Nothing that was meant is passed over without a word."""
    course = lay({0: bounds}, starts, done)
    assert course.spans == {0: span}
    assert course.gone == ((gone,) if gone else ())


def test_a_partition_that_came_later_is_read_whole() -> None:
    """Partitions that the last run did not know begin where the range does."""
    course = lay({0: (0, 9), 1: (0, 5), 2: (0, 5)}, {1: 3}, {0: 9})
    assert course.spans == {0: (9, 9), 1: (3, 5), 2: (0, 5)}
    assert course.offsets == 7


@pytest.mark.parametrize(
    ("gone", "since", "told"),
    [
        (Gone(3, 8), "", "t/3: retention has removed everything before offset 8; it is empty"),
        (
            Gone(3, 8, 2),
            "noon",
            (
                "t/3: retention has removed offsets 2 to 7, which were not sent yet; "
                "it begins with what was written at noon"
            ),
        ),
    ],
)
def test_what_is_gone_is_said_in_words(gone: Gone, since: str, told: str) -> None:
    """An operator reads which partition lost what, and since when it is whole."""
    assert gone.told("t", since) == told
