"""For how long a consumer was not polled."""

from loyaltystream.kafka.gap import WINDOW_S, PollGap


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 50.0
        self.gap = PollGap(lambda: self.now_s)

    def polls_after(self, gap_s: float, *, waits_s: float = 0.0) -> float:
        """Poll once after a gap; return the longest gap that is told then."""
        self.now_s += gap_s
        with self.gap.ended():
            self.now_s += waits_s
        return self.gap.longest_s()


def test_the_longest_gap_is_told() -> None:
    """What lies between the end of a poll and the next one is a gap; the longest counts."""
    watch = Watch()
    assert [watch.polls_after(gap_s) for gap_s in (9, 2, 5, 3)] == [0, 2, 5, 5]


def test_a_poll_may_wait_for_records() -> None:
    """A consumer that waits inside of a poll is not one that is not polled."""
    watch = Watch()
    watch.polls_after(0)
    assert watch.polls_after(1, waits_s=30) == 1


def test_what_an_owner_does_inside_of_a_poll_counts() -> None:
    """While partitions are restored or given away the group waits, though a poll is under way."""
    watch = Watch()
    with watch.gap.ended(), watch.gap.widened():
        watch.now_s += 20
    assert watch.gap.longest_s() == 20


def test_a_gap_is_not_told_for_ever() -> None:
    """A long gap is told for a minute at least, and is gone after two."""
    watch = Watch()
    watch.polls_after(0)
    told = [watch.polls_after(7), *(watch.polls_after(1) for _ in range(int(3 * WINDOW_S)))]
    assert set(told[: int(WINDOW_S)]) == {7}
    assert set(told[int(2 * WINDOW_S) :]) == {1}


def test_after_a_silence_only_what_came_behind_it_is_told() -> None:
    """A gap that is longer than what is looked back on replaces all before it."""
    watch = Watch()
    watch.polls_after(0)
    watch.polls_after(7)
    assert watch.polls_after(3 * WINDOW_S) == 3 * WINDOW_S


def test_a_gap_that_lasts_is_told() -> None:
    """A loop that stands still is seen while it does: who asks is not who polls."""
    watch = Watch()
    assert watch.gap.longest_s() == 0
    watch.polls_after(0)
    watch.now_s += 40
    assert watch.gap.longest_s() == 40
