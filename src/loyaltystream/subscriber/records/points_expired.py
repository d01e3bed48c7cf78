"""Points of a customer have expired.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, TriggeringActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpiredData:
    """How many points expired, in which program."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    pointsExpired: float | None = None
    """Points that expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpired(Notification):
    """Points of a customer have expired.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "pointsExpired"
    """Which notification this is: pointsExpired."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: PointsExpiredData | None = None
    """What happened."""
