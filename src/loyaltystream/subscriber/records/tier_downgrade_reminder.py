"""A customer will fall to a lower tier soon, unless she earns it again.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, TriggeringActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDowngradeReminderData:
    """Which tier is at stake, and when it is decided."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    scheduledDowngradeDate: str | None = None
    """When the tier is lost. Calendar day, yyyy-MM-dd, in the program's time zone."""
    currentTierNumber: int | None = None
    """Number of the tier that the customer still has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDowngradeReminder(Notification):
    """A customer will fall to a lower tier soon, unless she earns it again.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "tierDowngradeReminder"
    """Which notification this is: tierDowngradeReminder."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: TierDowngradeReminderData | None = None
    """What happened."""
