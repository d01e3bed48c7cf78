"""A customer's link to a partner program ended.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerProgramDelinkedData:
    """Which partner program was left."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerProgramDelinked(Notification):
    """A customer's link to a partner program ended.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "partnerProgramDelinked"
    """Which notification this is: partnerProgramDelinked."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: PartnerProgramDelinkedData | None = None
    """What happened."""
