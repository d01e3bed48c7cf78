"""A customer fell to a lower tier.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, TriggeringActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDowngradedData:
    """Which tier the customer fell to."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    downgradedTierNumber: int | None = None
    """Number of the tier that the customer has now."""
    previousTierNumber: int | None = None
    """Number of the tier before."""
    tierExpiryDate: str | None = None
    """When the tier of now ends. Calendar day, yyyy-MM-dd, in the program's time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDowngraded(Notification):
    """A customer fell to a lower tier.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "tierDowngraded"
    """Which notification this is: tierDowngraded."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: TierDowngradedData | None = None
    """What happened."""
