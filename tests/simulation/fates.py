"""What goes wrong, drawn at random at every step of every port, and counted.

A fault is a kind at a step: `killed` at `sent`, `frozen` at `committed`. How a commit ends is drawn
when it is submitted; there the step is how much of it the broker has got by then.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final, Literal, get_args

from loyaltystream.errors import (
    AbortableTransactionError,
    BrokerError,
    FatalBrokerError,
    RetryableBrokerError,
)
from loyaltystream.testing import Commit, Ending, Fates, KilledError, Lag, Step

Happening = Literal["killed", "frozen", "evicted", "rebalanced", "expired"]
"""What befalls the worker from outside; the other kinds are answers that its call gets."""

Fault = tuple[str, str]
"""A kind and a step."""

STEPS: Final[tuple[Step, ...]] = get_args(Step)
ANYWHERE: Final[tuple[Happening, ...]] = ("killed", "frozen", "evicted", "rebalanced")
WITH_OPEN: Final[tuple[Step, ...]] = (
    *("send", "sent", "abort", "submit", "submitted", "outcome", "poll", "polled", "revoke"),
)
"""Where a transaction may be open that the broker can abort for its age."""

ANSWERS: Final[dict[str, tuple[type[BrokerError | OSError], tuple[Step, ...]]]] = {
    "passing error": (
        RetryableBrokerError,
        ("open", "send", "sent", "poll", "polled", "committed", "seek", "restore"),
    ),
    "abortable error": (AbortableTransactionError, ("send", "sent")),
    "fatal error": (FatalBrokerError, ("send", "sent", "abort")),
    "disk error": (OSError, ("snapshot",)),
}
LAGS: Final = {
    Lag.NONE: "got all of it",
    Lag.END: "got the offsets",
    Lag.ALL: "got nothing yet",
}
MOMENTS: Final = list(LAGS)


def _kinds(step: Step) -> list[str]:
    answers = [kind for kind, (_, steps) in ANSWERS.items() if step in steps]
    return [*ANYWHERE, *(["expired"] if step in WITH_OPEN else []), *answers]


KINDS: Final[dict[Step, list[str]]] = {step: _kinds(step) for step in STEPS}
ENDINGS: Final = [commit for commit in Commit if commit is not Commit.COMMITTED]
POSSIBLE: Final[list[Fault]] = [
    *((kind, step) for step, kinds in KINDS.items() for kind in kinds),
    *((commit.value, lag) for commit in ENDINGS for lag in LAGS.values()),
]
"""Every fault that can happen."""

USUAL: Final = 0.009
RARE: Final[dict[Step, float]] = {
    "open": 0.06,
    "opened": 0.06,
    "abort": 0.3,
    "aborted": 0.3,
    "seek": 0.1,
    "committed": 0.02,
    "restore": 0.03,
    "revoke": 0.06,
}
"""How often something happens at a step, where workers do not come by all the time."""

CHANCES: Final[dict[Step, float]] = dict.fromkeys(STEPS, USUAL) | RARE
ROUGH: Final[dict[Step, float]] = dict.fromkeys(STEPS, 0.1)
"""The same, where a schedule has not had its share yet."""

GOING_WELL: Final = 0.82
DEAF: Final = 0.2


class Weather:
    """All fates of one schedule, from one source of randomness; they end when it is calm."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.draw = random.random
        self.calm = False
        self.chances = CHANCES
        self.seen: Counter[Fault] = Counter()


class WorkerFates(Fates):
    """What befalls one process.

    Args:
        weather: draws it.
        suffer: lets something befall this process from outside, if that is possible now.
    """

    def __init__(self, weather: Weather, suffer: Callable[[Happening], bool]) -> None:
        self._weather = weather
        self._suffer = suffer

    def at(self, step: Step) -> None:
        weather = self._weather
        if weather.calm or weather.draw() >= weather.chances[step]:
            return  # as nearly always
        kind = weather.random.choice(KINDS[step])
        if kind in ANSWERS:
            weather.seen[kind, step] += 1
            raise ANSWERS[kind][0](f"drawn at {step}")
        if kind == "killed":
            weather.seen[kind, step] += 1
            raise KilledError
        if self._suffer(_happening(kind)):
            weather.seen[kind, step] += 1

    def ending(self) -> Ending:
        weather = self._weather
        if weather.calm:
            return Ending()
        lag = weather.random.choice(MOMENTS)
        if weather.random.random() < GOING_WELL:
            return Ending(Commit.COMMITTED, lag)
        commit = weather.random.choice(ENDINGS)
        weather.seen[commit.value, LAGS[lag]] += 1
        return Ending(commit, lag)

    def is_deaf(self) -> bool:
        return not self._weather.calm and self._weather.random.random() < DEAF


def _happening(kind: str) -> Happening:
    return next(known for known in get_args(Happening) if known == kind)
