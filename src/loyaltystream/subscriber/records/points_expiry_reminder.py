"""Points of a customer will expire soon.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import (
    CustomerIdentifiers,
    EntityInformation,
    LoyaltyProgramDetails,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpiryReminderData:
    """How many points will expire, in which program and when."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    entityInformation: EntityInformation | None = None
    """Who holds the points: the customer, or her group."""
    loyaltyProgramDetails: LoyaltyProgramDetails | None = None
    """The loyalty program, as the engine describes it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    pointsScheduledForExpiry: float | None = None
    """Points that will expire."""
    scheduledExpiryDate: str | None = None
    """When they expire. Calendar day, yyyy-MM-dd, in the program's time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpiryReminder(Notification):
    """Points of a customer will expire soon.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "pointsExpiryReminder"
    """Which notification this is: pointsExpiryReminder."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: PointsExpiryReminderData | None = None
    """What happened."""
