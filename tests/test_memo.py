"""A dictionary that makes what it lacks."""

from loyaltystream.memo import Memo


def test_what_is_remembered_never_grows_without_end() -> None:
    """A memo that is full forgets what was not asked for lately, and still answers."""
    made: list[int] = []

    def square(number: int) -> int:
        made.append(number)
        return number * number

    memo = Memo(square, 3)
    asked = [1, 2, 1, 3, 4, 1, 5, 6, 2, 1]
    assert [memo[number] for number in asked] == [number * number for number in asked]
    assert made == [1, 2, 3, 4, 5, 6, 2]
    assert len(memo) <= 3
