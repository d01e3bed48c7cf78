"""A customer was given points by another customer: the side that receives.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, LoyaltyProgramDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTransferredReceivedData:
    """What was received, and from whom."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer who received."""
    loyaltyProgramDetails: LoyaltyProgramDetails | None = None
    """The loyalty program, as the engine describes it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    totalPointsTransferred: float | None = None
    """Points that changed hands."""
    transferInitiatingCustomerIdentifiers: CustomerIdentifiers | None = None
    """The customer who gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTransferredReceived(Notification):
    """A customer was given points by another customer: the side that receives.

    The side that gives has a notification of its own, with the same refId, apiRequestId and
    loyaltyEventId. The record's key is orgId|customerId, or the cause's key where no customerId is
    known.
    """

    eventName: str = "pointsTransferredReceived"
    """Which notification this is: pointsTransferredReceived."""
    refId: str | None = None
    """Reference for debugging: orgId_loyaltyEventId."""
    data: PointsTransferredReceivedData | None = None
    """What happened."""
