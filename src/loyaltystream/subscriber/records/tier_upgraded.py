"""A customer reached a higher tier.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, LoyaltyProgramDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class TierUpgradedData:
    """Which tier was reached, in which program."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    loyaltyProgramDetails: LoyaltyProgramDetails | None = None
    """The loyalty program, as the engine describes it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    previousTierNumber: int | None = None
    """Number of the tier before."""
    upgradedTierNumber: int | None = None
    """Number of the tier that was reached."""
    tierExpiryDate: str | None = None
    """When the new tier ends. Calendar day, yyyy-MM-dd, in the program's time zone."""
    notes: str | None = None
    """What the engine noted on the change."""
    upgradeType: str | None = None
    """What led to it, as STRATEGY."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierUpgraded(Notification):
    """A customer reached a higher tier.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "tierUpgraded"
    """Which notification this is: tierUpgraded."""
    refId: str | None = None
    """Reference for debugging: orgId_loyaltyEventId."""
    data: TierUpgradedData | None = None
    """What happened."""
