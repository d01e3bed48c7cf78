"""The last so many ids of handled notifications."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.errors import ConfigurationError
from loyaltystream.subscriber import Window


@given(st.lists(st.sampled_from("abcdefgh")), st.integers(1, 5))
def test_the_last_ids_are_remembered(ids: list[str], size: int) -> None:
    """A window knows exactly the last so many different ids."""
    window = Window(size)
    for each in ids:
        window.remember(each)
    last = list(dict.fromkeys(reversed(ids)))[:size]
    assert {each for each in "abcdefgh" if window.has(each)} == set(last)


def test_a_window_of_nothing_is_refused() -> None:
    """A window without room would take every repetition for new."""
    with pytest.raises(ConfigurationError, match="remembers nothing"):
        Window(0)
