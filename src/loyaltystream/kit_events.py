"""Every event that the subscribers' kit logs, in a process of theirs. Does I/O: logs.

Through `logging`, whatever that process does with it: a text that begins with the event's name, and
the fields once more as attributes of the record. Nothing of a notification stands there.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from loyaltystream.log_event import Level, said_by

LOGGER: Final = logging.getLogger("loyaltystream.subscriber")
_LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING}


def _say(level: Level, name: str, fields: Mapping[str, Any]) -> None:
    told = ", ".join(f"{field}={value}" for field, value in fields.items())
    text = f"{name}: {told}" if told else name
    LOGGER.log(_LEVELS[level], "%s", text, extra={"event": name, **fields})


_event = said_by(_say)


@_event("subscriber.stopped", "info")
def subscriber_stopped(*, tally: str) -> None:
    """A subscriber has ended; so much became of its records."""


@_event("broker.awaited", "warning", "trying again until it is back")
def broker_awaited(*, why: str) -> None:
    """The broker is away, and is waited for."""


@_event("notification.delayed", "warning")
def notification_delayed(*, partition: int, offset: int, after_s: float, why: str) -> None:
    """A function failed, or the registry is away; the notification is tried again."""


@_event("offsets.uncommitted", "warning", "they are committed with the next ones")
def offsets_uncommitted(*, why: str) -> None:
    """A commit of offsets failed."""


@_event("reaction.abandoned", "warning", "its notification comes again")
def reaction_abandoned() -> None:
    """A function has not returned in time, and is left behind."""


@_event("group.unheard", "warning", "what it has not heard of as committed comes again")
def group_unheard() -> None:
    """The broker does not answer a subscriber that leaves its group."""
