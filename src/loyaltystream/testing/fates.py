"""What goes wrong at which call of a port. Pure, but for what a script has left."""

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum
from typing import Final, Literal

import msgspec

Step = Literal[
    "open",
    "opened",
    "send",
    "sent",
    "abort",
    "aborted",
    "submit",
    "submitted",
    "outcome",
    "settled",
    "poll",
    "polled",
    "committed",
    "seek",
    "restore",
    "revoke",
    "snapshot",
]
"""Where a call can fail: before it has done anything, or (past participles) once it has."""


class KilledError(BaseException):
    """The process is gone at this step; nothing of it may handle that."""


class Commit(StrEnum):
    """What becomes of a submitted transaction, and what its producer hears of it."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN_COMMITTED = "unknown, committed"
    UNKNOWN_ABORTED = "unknown, aborted"
    UNKNOWN_OPEN = "unknown, left open"
    UNKNOWN_LATE = "unknown, on its way"


class Lag(Enum):
    """When the broker gets what a submit sets going."""

    NONE = 0
    END = 1
    """The offsets at once, the end of the transaction when its outcome is asked for."""
    ALL = 2
    """Nothing before the outcome is asked for."""


class Ending(msgspec.Struct, frozen=True):
    """How one transaction ends."""

    commit: Commit = Commit.COMMITTED
    lag: Lag = Lag.NONE


class Fates:
    """Nothing goes wrong; to be overridden."""

    def at(self, step: Step) -> None:
        """Raise what a call fails with at this step, or `KilledError`."""

    def ending(self) -> Ending:
        """Return how the transaction that is submitted now ends."""
        return Ending()

    def is_deaf(self) -> bool:
        """Say whether a poll does not hear of a rebalance yet."""
        return False


CALM: Final = Fates()


class ScriptedFates(Fates):
    """Follows a script; past its end nothing goes wrong.

    Args:
        failures: for each step what its calls raise, one after the other; None: nothing.
        endings: how transactions end, one after the other.
    """

    def __init__(
        self,
        failures: Mapping[Step, Iterable[BaseException | None]] | None = None,
        endings: Iterable[Ending] = (),
    ) -> None:
        self._failures = {step: iter(listed) for step, listed in (failures or {}).items()}
        self._endings = iter(endings)

    def at(self, step: Step) -> None:
        """Raise what the script has for this call."""
        failure = next(self._failures.get(step, iter(())), None)
        if failure is not None:
            raise failure

    def ending(self) -> Ending:
        """Return the next ending of the script."""
        return next(self._endings, Ending())
