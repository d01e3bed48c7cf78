"""A request that needs approval changed its state.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, EnteredBy, UpdatedField


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociatedEntityField:
    """A field of what a request is about."""

    fieldName: str | None = None
    """The field's name."""
    fieldValue: str | None = None
    """Its value, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUpdatedData:
    """Which request it is, what it is about and what changed.

    Of a transaction's request, updatedAt and updatedBy are told; of a customer's deletion,
    customerId, requestId and createdBy.
    """

    requestType: str | None = None
    """What it is about: TRANSACTION, CUSTOMER and others."""
    requestBaseType: str | None = None
    """What is asked for: REGULAR_TXN_ADD, DELETE and others."""
    requestTrackingId: int | None = None
    """The request's id; some sources write it as text."""
    status: str | None = None
    """The request's state now: PENDING, APPROVED, REJECTED."""
    comments: str | None = None
    """What the person who decided said."""
    updatedAt: datetime | None = None
    """When the state changed; UTC."""
    updatedBy: EnteredBy | None = None
    """Who changed it."""
    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer whom it is about."""
    updatedFields: tuple[UpdatedField, ...] = ()
    """What changed, the state first."""
    associatedEntityFields: tuple[AssociatedEntityField, ...] = ()
    """Fields of what the request is about."""
    customerId: int | None = None
    """Id of the customer whose data are to be deleted; null for other requests."""
    requestId: str | None = None
    """The deletion's own id, at the system that asked for it."""
    createdBy: EnteredBy | None = None
    """Who asked for the deletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUpdated(Notification):
    """A request that needs approval changed its state.

    One on a transaction, or one to delete a customer's personal data. The record's key is
    orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "requestUpdated"
    """Which notification this is: requestUpdated."""
    refId: str | None = None
    """Reference for debugging: orgId_requestTrackingId."""
    data: RequestUpdatedData | None = None
    """What happened."""
