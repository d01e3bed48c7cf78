"""A customer was registered.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, EnteredBy


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAddedData:
    """Who was registered, where and by whom."""

    loyaltyType: str | None = None
    """Whether the customer takes part in the program: loyalty or non_loyalty, in any case."""
    source: str | None = None
    """The channel that registered the customer, as INSTORE."""
    enteredAt: datetime | None = None
    """When the customer was registered; UTC."""
    enteredBy: EnteredBy | None = None
    """Who registered the customer."""
    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAdded(Notification):
    """A customer was registered.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "customerAdded"
    """Which notification this is: customerAdded."""
    refId: str | None = None
    """Reference for debugging: orgId_customerId."""
    data: CustomerAddedData | None = None
    """What happened."""
