"""A customer's membership in a supplementary program will end soon.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementaryMembershipExpiryReminderData:
    """Which membership will end, and when."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    partnerProgramId: int | None = None
    """The partner program's id."""
    partnerProgramName: str | None = None
    """The partner program's name."""
    scheduledExpiryDate: str | None = None
    """When it ends. Calendar day, yyyy-MM-dd, in the program's time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementaryMembershipExpiryReminder(Notification):
    """A customer's membership in a supplementary program will end soon.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "supplementaryMembershipExpiryReminder"
    """Which notification this is: supplementaryMembershipExpiryReminder."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: SupplementaryMembershipExpiryReminderData | None = None
    """What happened."""
