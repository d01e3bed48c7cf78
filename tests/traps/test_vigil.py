"""How long a partition may have no owner, and what is done about it then."""

import pytest

from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.kafka.vigil import LOOK_EVERY_S, Vigil

PATIENCE_S = 10.0


class Group:
    """A group whose partitions have owners or not, and the guests that it had."""

    def __init__(self, *, owned: bool) -> None:
        self.owned = owned
        self.failure: Exception | None = None
        self.now_s = 1000.0
        self.looks = self.guests = self.left = 0
        self.has_share = False
        self.vigil = Vigil(
            self.are_owned, self.invite, patience_s=PATIENCE_S, now_s=lambda: self.now_s
        )
        self.vigil.begin()

    def are_owned(self) -> bool:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        return self.owned

    def invite(self) -> "Group":
        self.guests += 1
        return self

    def is_in(self) -> bool:
        return self.has_share

    def leave(self) -> None:
        self.left += 1

    def wait(self, seconds: float) -> None:
        """Have the vigil tended for so long, ten times a second."""
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            self.vigil.tend()


def test_once_all_are_owned_nobody_looks_any_more() -> None:
    """A member that has seen every partition owned costs the broker nothing."""
    group = Group(owned=True)
    group.wait(60)
    assert (group.looks, group.guests) == (1, 0)


def test_a_handover_is_given_its_time() -> None:
    """Nobody is invited while a partition may still be on its way to its new owner."""
    group = Group(owned=False)
    group.wait(PATIENCE_S - 1)
    group.owned = True
    group.wait(60)
    assert group.guests == 0


def test_a_guest_comes_and_goes_where_a_partition_has_no_owner() -> None:
    """As soon as it has its share it leaves, and whether that helped is looked at again."""
    group = Group(owned=False)
    group.wait(PATIENCE_S + LOOK_EVERY_S + 1)
    assert (group.guests, group.left) == (1, 0)
    group.has_share = group.owned = True
    looks = group.looks
    group.wait(60)
    assert (group.guests, group.left, group.looks) == (1, 1, looks + 1)


def test_a_guest_that_is_not_let_in_leaves_too() -> None:
    """And another one comes, as long as there is need."""
    group = Group(owned=False)
    group.wait(5 * PATIENCE_S)
    assert group.guests >= group.left >= 1
    group.vigil.end()
    assert group.guests == group.left


def test_a_group_that_does_not_answer_is_asked_again() -> None:
    """A broker that is away shares nothing out; what it refuses is told."""
    group = Group(owned=False)
    group.failure = RetryableBrokerError("away")
    group.wait(60)
    assert group.guests == 0
    assert group.looks > 1
    group.failure = FatalBrokerError("no right to describe groups")
    with pytest.raises(FatalBrokerError):
        group.wait(60)
