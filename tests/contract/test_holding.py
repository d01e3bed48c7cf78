"""For how long a transaction holds up a partition, of what the client tells."""

import json

from loyaltystream.kafka.holding import Holding


class Watch:
    """A partition's offsets over time."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.holding = Holding("t", lambda: self.now_s)

    def told(self, stable: int, end: int, state: str = "active", topic: str = "t") -> float:
        """Take a telling two seconds later; return for how long partition 0 is held up."""
        self.now_s += 2
        partition = {"ls_offset": stable, "hi_offset": end, "fetch_state": state, "other": 1}
        told = {"topics": {topic: {"partitions": {"0": partition, "-1": {}}}}}
        self.holding.note(json.dumps(told))
        return self.holding.held_s([0])[0]


def test_a_transaction_that_stays_open_is_told() -> None:
    """As long as the last stable offset stands still below the end, the time adds up."""
    watch = Watch()
    assert [watch.told(10, end) for end in (10, 12, 13, 13)] == [0, 0, 2, 4]


def test_transactions_that_follow_each_other_hold_nothing_up() -> None:
    """Where outputs are written all the time one is always open, and the offset moves on."""
    watch = Watch()
    assert [watch.told(stable, stable + 3) for stable in (1, 5, 9)] == [0, 0, 0]


def test_it_is_over_when_the_transaction_ends() -> None:
    """One that is committed or aborted holds up nothing, and the next one counts anew."""
    watch = Watch()
    assert [watch.told(*at) for at in ((1, 5), (1, 5), (5, 5), (5, 9))] == [0, 2, 0, 0]


def test_partitions_that_are_not_read_say_nothing() -> None:
    """The client repeats for ever what it knew of a partition that it once read."""
    watch = Watch()
    assert [watch.told(1, 5, state="none") for _ in range(3)] == [0, 0, 0]
    assert [watch.told(1, 5, topic="u") for _ in range(3)] == [0, 0, 0]
