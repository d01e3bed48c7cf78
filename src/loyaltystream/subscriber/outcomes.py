"""What can become of a record that a subscriber reads: a closed list, and its counts. Pure."""

from collections import Counter
from enum import StrEnum

import msgspec

from loyaltystream.events import Record


class Outcome(StrEnum):
    """How a record ended; every record that is committed past had exactly one of these."""

    HANDLED = "handled"
    DUPLICATE = "duplicate"
    UNWANTED = "unwanted"
    UNKNOWN = "unknown"
    TOMBSTONE = "tombstone"
    DEAD_LETTER = "dead-letter"


class Blame(StrEnum):
    """Why a record is a dead letter."""

    REACTION_FAILED = "REACTION_FAILED"
    UNDECODABLE = "UNDECODABLE"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"


class Failure(msgspec.Struct, frozen=True):
    """Why a record was given up.

    Attributes:
        blame: the closed reason.
        error: the class of the error, with its module.
        message: what it said, without anything that the notification holds.
    """

    blame: Blame
    error: str
    message: str


class Work(msgspec.Struct, frozen=True):
    """A record, and how far the work on it has come.

    Attributes:
        attempts: how often its reaction was called, and failed.
        is_handled: its reaction has returned; what is left is to remember that.
        failure: it was given up; what is left is to write its letter.
    """

    record: Record
    attempts: int = 0
    is_handled: bool = False
    failure: Failure | None = None


class Settled(msgspec.Struct, frozen=True):
    """A record is done with."""

    outcome: Outcome


class Delayed(msgspec.Struct, frozen=True):
    """A record has to wait, and with it all that comes behind it in its partition.

    Attributes:
        work: how far it has come.
        after_s: how long to wait.
        why: what is waited for, in words without anything that the notification holds.
    """

    work: Work
    after_s: float
    why: str


class Tally:
    """Counts what became of records, and how often one had to wait."""

    def __init__(self) -> None:
        self._ended: Counter[Outcome] = Counter()
        self.delays = 0

    def note(self, result: Settled | Delayed) -> None:
        """Count one step."""
        if isinstance(result, Settled):
            self._ended[result.outcome] += 1
        else:
            self.delays += 1

    def __getitem__(self, outcome: Outcome) -> int:
        return self._ended[outcome]

    def __str__(self) -> str:
        return ", ".join(f"{self._ended[outcome]} {outcome}" for outcome in Outcome)
