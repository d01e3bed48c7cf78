"""Points that a customer had been issued were taken back, as after a return.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import (
    CustomerIdentifiers,
    LoyaltyProgramDetails,
    PromotionalPoints,
    TriggeringActivity,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedPointsReversedData:
    """What was taken back.

    The total is regular and promised points together; those of promotions are part of these.
    """

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    loyaltyProgramDetails: LoyaltyProgramDetails | None = None
    """The loyalty program, as the engine describes it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    programCurrentPoints: float | None = None
    """Points that the customer can spend in the program afterwards."""
    programLifetimePoints: float | None = None
    """Points that the customer was ever issued in the program, afterwards."""
    totalIssuedPointsReversed: float | None = None
    """Points in total that were taken back."""
    regularPointsReversed: float | None = None
    """Points among them that could be spent."""
    promisedPointsReversed: float | None = None
    """Points among them that were promised only."""
    promotionalPointsReversed: tuple[PromotionalPoints, ...] = ()
    """What of these promotions had given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedPointsReversed(Notification):
    """Points that a customer had been issued were taken back, as after a return.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "issuedPointsReversed"
    """Which notification this is: issuedPointsReversed."""
    refId: str | None = None
    """Reference for debugging: orgId_loyaltyEventId."""
    data: IssuedPointsReversedData | None = None
    """What happened."""
