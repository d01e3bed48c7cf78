"""A customer gave points to another customer: the side that gives.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import (
    CustomerIdentifiers,
    LoyaltyProgramDetails,
    ProgramRedemption,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTransferredInitiatedData:
    """What was given, and to whom."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer who gave."""
    loyaltyProgramDetails: LoyaltyProgramDetails | None = None
    """The loyalty program, as the engine describes it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    totalPointsTransferred: float | None = None
    """Points that changed hands."""
    transferReceivingCustomerIdentifiers: CustomerIdentifiers | None = None
    """The customer who received."""
    redemptionFromEarningPrograms: tuple[ProgramRedemption, ...] = ()
    """What each program of the giver paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTransferredInitiated(Notification):
    """A customer gave points to another customer: the side that gives.

    The side that receives has a notification of its own, with the same refId, apiRequestId and
    loyaltyEventId. The record's key is orgId|customerId, or the cause's key where no customerId is
    known.
    """

    eventName: str = "pointsTransferredInitiated"
    """Which notification this is: pointsTransferredInitiated."""
    refId: str | None = None
    """Reference for debugging: orgId_loyaltyEventId."""
    data: PointsTransferredInitiatedData | None = None
    """What happened."""
