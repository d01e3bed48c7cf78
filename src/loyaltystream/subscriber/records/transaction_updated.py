"""A customer's transaction changed, as its amount or its delivery.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, EnteredBy


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionUpdatedData:
    """What the transaction is now."""

    amount: float | None = None
    """Net amount, in the bill's currency."""
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
    discount: float | None = None
    """Discount on the bill, in its currency."""
    grossAmount: float | None = None
    """Amount before the discount, in the bill's currency."""
    enteredBy: EnteredBy | None = None
    """The till and store where it happened."""
    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionUpdated(Notification):
    """A customer's transaction changed, as its amount or its delivery.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "transactionUpdated"
    """Which notification this is: transactionUpdated."""
    refId: str | None = None
    """Reference for debugging: orgId_transactionId."""
    data: TransactionUpdatedData | None = None
    """What happened."""
