"""A customer spent points, of one program or of a group of programs.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import (
    CustomerIdentifiers,
    LoyaltyProgramDetails,
    ProgramRedemption,
    TriggeringActivity,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsRedeemedData:
    """What was spent, where and for what.

    A redemption in a single participating program leaves the summary, the notes, the bill and the
    program's details null.
    """

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    loyaltyProgramDetails: LoyaltyProgramDetails | None = None
    """The loyalty program, as the engine describes it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    totalPointsRedeemed: float | None = None
    """Points in total, of all programs."""
    redemptionSummaryId: int | None = None
    """Id of the redemption as a whole."""
    redeemedPointsCurrencyValue: float | None = None
    """What they were worth, in the organization's currency."""
    redemptionNotes: str | None = None
    """What was noted at the redemption."""
    redemptionBillNumber: str | None = None
    """Number of the bill that was paid with them."""
    isGroupRedemption: bool | None = None
    """Whether several programs paid together; null where it is not told."""
    redemptionFromEarningPrograms: tuple[ProgramRedemption, ...] = ()
    """What each program paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsRedeemed(Notification):
    """A customer spent points, of one program or of a group of programs.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "pointsRedeemed"
    """Which notification this is: pointsRedeemed."""
    refId: str | None = None
    """Reference for debugging: orgId_loyaltyEventId."""
    data: PointsRedeemedData | None = None
    """What happened."""
