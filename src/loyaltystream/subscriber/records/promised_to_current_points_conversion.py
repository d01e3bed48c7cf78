"""Points that were promised to a customer can be spent from now on.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import (
    CustomerIdentifiers,
    KeyValue,
    LoyaltyProgramDetails,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningActivityReference:
    """What promised points were earned by."""

    name: str | None = None
    """Kind of activity, as CustomerRegistration."""
    enteredAt: datetime | None = None
    """When it was entered; UTC."""
    pointsConverted: float | None = None
    """How many of its points were converted."""
    identifiers: tuple[KeyValue, ...] = ()
    """What it is known by: billNumber, EventLogId and others; a value may be the text null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedToCurrentPointsConversionData:
    """What was converted, and what had earned it."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    earningActivityReference: tuple[EarningActivityReference, ...] = ()
    """Each activity that had earned some of the points."""
    loyaltyProgramDetails: LoyaltyProgramDetails | None = None
    """The loyalty program, as the engine describes it."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    pointsConverted: float | None = None
    """Points in total that were converted."""
    programCurrentPoints: float | None = None
    """Points that the customer can spend in the program afterwards."""
    programLifetimePoints: float | None = None
    """Points that the customer was ever issued in the program, afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedToCurrentPointsConversion(Notification):
    """Points that were promised to a customer can be spent from now on.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "promisedToCurrentPointsConversion"
    """Which notification this is: promisedToCurrentPointsConversion."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: PromisedToCurrentPointsConversionData | None = None
    """What happened."""
