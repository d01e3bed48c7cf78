"""A customer got points back that she had spent.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import (
    CustomerIdentifiers,
    LoyaltyProgramDetails,
    TriggeringActivity,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRedemptionReversal:
    """What one program got back of a redemption."""

    programId: int | None = None
    """The program that the points were earned in."""
    redeemedPointsReversed: float | None = None
    """Points that were given back to it."""
    programCurrentPoints: float | None = None
    """Points that can be spent there afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemedPointsReversedData:
    """What was given back, and to which programs."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    loyaltyProgramDetails: LoyaltyProgramDetails | None = None
    """The loyalty program, as the engine describes it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    redeemedPointsReversed: float | None = None
    """Points that were given back."""
    redemptionSummaryId: int | None = None
    """Id of the reversal as a whole."""
    redemptionReversalToEarningPrograms: tuple[ProgramRedemptionReversal, ...] = ()
    """What each program got back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemedPointsReversed(Notification):
    """A customer got points back that she had spent.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "redeemedPointsReversed"
    """Which notification this is: redeemedPointsReversed."""
    refId: str | None = None
    """Reference for debugging: orgId_loyaltyEventId."""
    data: RedeemedPointsReversedData | None = None
    """What happened."""
