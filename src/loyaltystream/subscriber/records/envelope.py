"""What stands around every notification.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What every notification tells, of whichever type."""

    eventName: str
    """Which notification this is."""
    eventId: str
    """Identifies the notification; a repetition has the same id and is to be ignored. UUID."""
    orgId: int
    """The organization whose program it belongs to."""
    refId: str | None = None
    """Reference for debugging."""
    apiRequestId: str | None = None
    """The request that caused it: the trace's requestId, else the id of the behavioral event."""
    createdAt: datetime
    """When its cause was first stored; UTC."""
    loyaltyEventId: str | None = None
    """The loyalty engine's event that caused it; null where no rule of the engine was involved."""
    eventLogId: int | None = None
    """The loyalty engine's log entry, where there is one."""
    traceAttributes: Mapping[str, str] | None = None
    """Trace attributes of the behavioral event, unchanged; null where it has none."""
    causeEventId: str | None = None
    """Id of the behavioral event that caused it."""
    causeSource: str | None = None
    """The record that the behavioral event was judged as.

    Topic/partition/offset; of one that was sent again to be mapped, its dead letter.
    """
    causeDefinitionVersion: int | None = None
    """Version of the event's definition whose rule made it."""
    causeRule: str | None = None
    """Id of that rule."""
