"""A customer earned a badge.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, TriggeringActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnConstraint:
    """How often a badge may be earned, and how often it was, this earn included."""

    constraintLevel: str | None = None
    """BADGE: by all customers together; CUSTOMER: by each."""
    constraintType: str | None = None
    """OVERALL, ROLLING_WINDOW, FIXED_WINDOW, or NONE for no limit."""
    rollType: str | None = None
    """Unit of the window: DAYS, WEEKS, MONTHS; null without a window."""
    rollValue: int | None = None
    """Length of the window, in that unit; null without a window."""
    maxEarnLimit: int | None = None
    """How often it may be earned; null for no limit."""
    currentEarnCount: int | None = None
    """How often it was, this time included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeEarnedData:
    """Which badge it is, and how often it may be earned."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    badgeId: str | None = None
    """The badge's id."""
    earnId: str | None = None
    """Id of this earn."""
    earnedOn: datetime | None = None
    """When it was earned; UTC."""
    earnConstraints: tuple[EarnConstraint, ...] = ()
    """Each limit that was asked, and what is used of it."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    issualId: str | None = None
    """Id of the issue that it was earned by; null where the badge is not issued first."""
    issuedOn: datetime | None = None
    """When it was issued; UTC. Null where the badge is not issued first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeEarned(Notification):
    """A customer earned a badge.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "badgeEarned"
    """Which notification this is: badgeEarned."""
    refId: str | None = None
    """Reference for debugging: orgId_earnId."""
    data: BadgeEarnedData | None = None
    """What happened."""
