"""How many events a second a token may send: by a clock that the test holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.gateway.rates import Rates
from tests.core import event
from tests.gateway.conftest import Counter, refused


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands."""
    return Clock()


def test_beyond_its_rate_a_token_is_told_when_to_come_back(clock: Clock) -> None:
    """What one second lets pass is taken at once, the next event only when its turn has come."""
    counter = Counter(rates=Rates(2, clock))
    assert [counter.post("/events", event()).status_code for _ in range(3)] == [202, 202, 429]
    answer = counter.post("/events", event())
    refused(answer, 429)
    assert answer.headers["retry-after"] == "1"
    clock.now_s += 0.5
    assert [counter.post("/events", event()).status_code for _ in range(2)] == [202, 429]
    assert len(counter.channel.taken) == 3


def test_each_token_has_its_own_rate(clock: Clock) -> None:
    """A till that sends too fast takes nothing from another one."""
    counter = Counter(rates=Rates(1, clock))
    assert counter.post("/events", event()).status_code == 202
    assert counter.post("/events", event()).status_code == 429
    assert counter.post("/events", event(orgId=1801), by="stranger").status_code == 202


def test_a_batch_counts_by_its_events(clock: Clock) -> None:
    """A batch larger than a second lets pass is taken whole, and waited behind so much longer."""
    counter = Counter(rates=Rates(2, clock))
    many = [event(eventId=f"e-{number}") for number in range(10)]
    assert counter.post("/events/batch", many).status_code == 202
    answer = counter.post("/events", event())
    refused(answer, 429)
    assert answer.headers["retry-after"] == "5"  # 8 too many and this one, at 2 a second
    clock.now_s += 5
    assert counter.post("/events", event()).status_code == 202


def test_a_pause_is_not_made_up_for(clock: Clock) -> None:
    """Who was silent for an hour may send what a second lets pass, and no more."""
    rates = Rates(3, clock)
    assert rates.take("till", 1) == 0
    clock.now_s += 3600
    assert [rates.take("till", 1) for _ in range(4)] == [0, 0, 0, 1]


def test_a_rate_below_one_lets_an_event_pass_in_a_while(clock: Clock) -> None:
    """One event in ten seconds is a rate as well."""
    rates = Rates(0.1, clock)
    assert [rates.take("till", 1), rates.take("till", 1)] == [0, 10]
    clock.now_s += 10
    assert rates.take("till", 1) == 0


def test_without_a_rate_everything_passes(clock: Clock) -> None:
    """By default no token is held back."""
    rates = Rates(0, clock)
    assert {rates.take("till", 1000) for _ in range(100)} == {0}


@given(
    rate=st.floats(0.5, 1000),
    steps=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 1000)), max_size=40),
)
def test_in_the_long_run_no_token_passes_its_rate(
    rate: float, steps: list[tuple[float, int]]
) -> None:
    """However batches and pauses lie, nobody sends more than the rate and one batch beyond it."""
    clock = Clock()
    rates, taken, largest = Rates(rate, clock), 0, 0
    for pause_s, events in steps:
        clock.now_s += pause_s
        if rates.take("till", events) == 0:
            taken, largest = taken + events, max(largest, events)
        allowed = max(rate, 1) + (clock.now_s - 1000.0) * rate
        assert taken <= allowed + largest
