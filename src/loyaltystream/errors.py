"""The one tree of exceptions: what can go wrong outside an event.

A bad event is never an exception; it is a value with a closed reason (`verdicts.py`). The rooms
that own a library translate its errors into these, once, always `raise ... from cause`. Pure.
"""

from collections.abc import Sequence
from typing import ClassVar


class LoyaltyStreamError(Exception):
    """Reported instead of working; its text says what failed, where, and what comes next."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(LoyaltyStreamError):
    """A setting, a definition or an argument is wrong; only a person can mend it."""

    exit_code = 2


class SettingsError(ConfigurationError):
    """Settings are wrong.

    Attributes:
        lines: one for each mistake: where, and what is allowed.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        told = [f"  - {line}" for line in lines]
        super().__init__("\n".join(["the settings are not usable:", *told]))
        self.lines = list(lines)


class SchemaError(LoyaltyStreamError):
    """A schema is missing, unreadable, or refused by the registry."""

    exit_code = 3


class BrokerError(LoyaltyStreamError):
    """The broker, or the way to it, failed."""

    exit_code = 3


class RetryableBrokerError(BrokerError):
    """The same call may succeed later; nothing has changed."""


class AbortableTransactionError(BrokerError):
    """The open transaction has to be aborted; the producer stays usable."""


class FatalBrokerError(BrokerError):
    """The client is of no more use: fenced, or in a state that only a new one leaves."""


class StateError(LoyaltyStreamError):
    """What is remembered does not fit the log; going on would lose or double events."""

    exit_code = 5


class ReactionError(LoyaltyStreamError):
    """A subscriber's own function failed for good, or hangs; its notification is not lost."""


class PlatformError(LoyaltyStreamError):
    """The local platform could not be fetched, started or stopped."""

    exit_code = 3
