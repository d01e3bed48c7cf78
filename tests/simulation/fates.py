"""Fates drawn at random: every call of every port may fail, and every process may die at it."""

from random import Random
from typing import Final

from loyaltystream.errors import (
    AbortableTransactionError,
    BrokerError,
    FatalBrokerError,
    RetryableBrokerError,
)
from loyaltystream.testing import Commit, Ending, Fates, KilledError, Lag, Step

FAILURES: Final[dict[Step, list[type[BrokerError]]]] = {
    "open": [RetryableBrokerError],
    "send": [AbortableTransactionError, RetryableBrokerError, FatalBrokerError],
    "sent": [AbortableTransactionError, RetryableBrokerError, FatalBrokerError],
    "abort": [FatalBrokerError],
    "poll": [RetryableBrokerError],
    "polled": [RetryableBrokerError],
    "committed": [RetryableBrokerError],
    "seek": [RetryableBrokerError],
    "restore": [RetryableBrokerError],
}
FAILING: Final = 0.04
DYING: Final = 0.006
DEAF: Final = 0.3
GOING_WELL: Final = 0.6


class RandomFates(Fates):
    """Draws every fate from one random source, until it is told to be calm."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.calm = False

    def at(self, step: Step) -> None:
        if self.calm:
            return
        luck = self._random.random()
        if luck < DYING:
            raise KilledError
        if luck < DYING + FAILING and step in FAILURES:
            raise self._random.choice(FAILURES[step])(f"drawn at {step}")

    def ending(self) -> Ending:
        if self.calm:
            return Ending()
        well = self._random.random() < GOING_WELL
        commit = Commit.COMMITTED if well else self._random.choice(list(Commit))
        return Ending(commit, self._random.choice(list(Lag)))

    def is_deaf(self) -> bool:
        return not self.calm and self._random.random() < DEAF
