"""A customer's profile, identifiers or status changed.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import (
    CustomerIdentifiers,
    EnteredBy,
    KeyValue,
    UpdatedField,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStatus:
    """A change of a customer's status."""

    previousLabel: str | None = None
    """What the status was."""
    currentLabel: str | None = None
    """What it is now, as Active or Deleted."""
    reason: str | None = None
    """Why it was changed, in the words of who did it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUpdatedData:
    """Who was changed, and how; what the change was made of, as far as the source tells."""

    loyaltyType: str | None = None
    """Whether the customer takes part in the program: loyalty or non_loyalty, in any case."""
    source: str | None = None
    """The channel that the customer was changed by, as INSTORE."""
    enteredAt: datetime | None = None
    """When it was changed; UTC."""
    enteredBy: EnteredBy | None = None
    """Who changed it."""
    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer, as she is known now."""
    updatedFields: tuple[UpdatedField, ...] = ()
    """Each field that was changed."""
    customerStatus: CustomerStatus | None = None
    """The change of her status; null where it stayed."""
    customFields: tuple[KeyValue, ...] = ()
    """The organization's own fields of her, as they are now."""
    extendedFields: tuple[KeyValue, ...] = ()
    """The program's further fields of her, as they are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUpdated(Notification):
    """A customer's profile, identifiers or status changed.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "customerUpdated"
    """Which notification this is: customerUpdated."""
    refId: str | None = None
    """Reference for debugging: orgId_customerId."""
    data: CustomerUpdatedData | None = None
    """What happened."""
