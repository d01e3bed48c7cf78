"""A customer's transaction was stored.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, EnteredBy


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionAddedData:
    """What was bought, by whom and where."""

    amount: float | None = None
    """Net amount."""
    billClientId: str | None = None
    """The bill's id at the organization's own system."""
    billNumber: str | None = None
    """The bill's number; how far it is unique is up to the organization."""
    enteredAt: datetime | None = None
    """When it was stored; UTC."""
    transactionId: int | None = None
    """The transaction's unique id; may be larger than 32 bits hold."""
    deliveryStatus: str | None = None
    """PLACED, PROCESSED, SHIPPED, DELIVERED, RETURNED."""
    billType: str | None = None
    """REGULAR, MIXED, RETURN."""
    lineItemCount: int | None = None
    """How many line items the bill has."""
    discount: float | None = None
    """Discount on the bill."""
    grossAmount: float | None = None
    """Amount before the discount."""
    currencyCode: str | None = None
    """Currency, ISO 4217; may be blank."""
    enteredBy: EnteredBy | None = None
    """The till and store where it happened."""
    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionAdded(Notification):
    """A customer's transaction was stored.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "transactionAdded"
    """Which notification this is: transactionAdded."""
    refId: str | None = None
    """Reference for debugging: orgId_transactionId."""
    data: TransactionAddedData | None = None
    """What happened."""
