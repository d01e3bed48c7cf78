"""A customer was linked to a partner program.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, PartnerDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerProgramLinkedData:
    """Which partner program was linked."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    loyaltyProgramId: int | None = None
    """The loyalty program's id; may stand alone, without the details."""
    partnerProgramId: int | None = None
    """The partner program's id."""
    partnerProgramName: str | None = None
    """The partner program's name."""
    partnerProgramType: str | None = None
    """EXTERNAL.

    Another company's; SUPPLEMENTARY: one of the organization's own, for a fee or a time.
    """
    customerPartnerProgramDetails: PartnerDetails | None = None
    """The customer's membership."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerProgramLinked(Notification):
    """A customer was linked to a partner program.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "partnerProgramLinked"
    """Which notification this is: partnerProgramLinked."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: PartnerProgramLinkedData | None = None
    """What happened."""
