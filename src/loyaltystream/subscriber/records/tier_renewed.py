"""A customer keeps her tier for another period.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, TriggeringActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRenewedData:
    """Which tier was renewed, and until when."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    currentTierNumber: int | None = None
    """Number of the tier."""
    tierExpiryDate: str | None = None
    """When it ends now. Calendar day, yyyy-MM-dd, in the program's time zone."""
    notes: str | None = None
    """What the engine noted on the renewal."""
    renewType: str | None = None
    """What led to it, as STRATEGY."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRenewed(Notification):
    """A customer keeps her tier for another period.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "tierRenewed"
    """Which notification this is: tierRenewed."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: TierRenewedData | None = None
    """What happened."""
