"""The loyalty engine issued points to a customer.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from collections.abc import Mapping
from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import (
    CustomerIdentifiers,
    EntityInformation,
    LoyaltyProgramDetails,
    PromotionalPoints,
    TriggeringActivity,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegularPoints:
    """A part of regular points, all of which expire at once."""

    points: float | None = None
    """How many points."""
    expiryAt: str | None = None
    """When they expire, as the engine writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedPoints:
    """Points that are promised, and can be spent only once they are converted."""

    promisedPoints: float | None = None
    """How many points."""
    isExternalTriggerBased: bool | None = None
    """Whether something outside the engine has to unlock them."""
    promisedPointsConversionDate: str | None = None
    """When they are converted. Calendar day, yyyy-MM-dd, in the program's time zone."""
    promotionIdentifier: str | None = None
    """The promotion that promised them; null for regular points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsIssuedData:
    """What was issued, by which program and for what."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    entityInformation: EntityInformation | None = None
    """Who holds the points: the customer, or her group."""
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
    totalPointsIssued: float | None = None
    """Points in total, of all kinds."""
    regularPointsIssued: float | None = None
    """Points that no promotion gave."""
    regularPointsBreakup: tuple[RegularPoints, ...] = ()
    """The regular points, by expiry."""
    promotionalPointsIssued: tuple[PromotionalPoints, ...] = ()
    """The points that promotions gave."""
    promisedPointsIssued: tuple[PromisedPoints, ...] = ()
    """The points that are promised only."""
    behavioralEventAttributes: Mapping[str, str | float | int | bool | None] | None = None
    """Attributes of the behavioral event that earned them, by name, each in its own type; null
    where the subscriber is not to get them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsIssued(Notification):
    """The loyalty engine issued points to a customer.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "pointsIssued"
    """Which notification this is: pointsIssued."""
    refId: str | None = None
    """Reference for debugging: orgId_loyaltyEventId."""
    data: PointsIssuedData | None = None
    """What happened."""
