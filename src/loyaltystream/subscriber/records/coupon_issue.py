"""A customer got coupons; each customer has a notification of her own.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CouponSeries, CustomerIdentifiers, EnteredBy


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCoupon:
    """A coupon, and who got it."""

    id: int | None = None
    """The coupon's id."""
    code: str | None = None
    """The code that the customer shows."""
    valid_till: datetime | None = None
    """When the coupon ends; UTC."""
    issued_on: datetime | None = None
    """When it was issued; UTC."""
    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer who got it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponIssueData:
    """Which coupons were issued to the customer, of which series."""

    addedAt: datetime | None = None
    """When the issue was stored; UTC."""
    addedBy: EnteredBy | None = None
    """Who issued them."""
    coupons: tuple[IssuedCoupon, ...] = ()
    """The customer's coupons; whose they are is said in each."""
    series_info: CouponSeries | None = None
    """The series that they were issued from."""
    issualType: str | None = None
    """How they were issued, as SINGLE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponIssue(Notification):
    """A customer got coupons; each customer has a notification of her own.

    The record's key is orgId|customerId of its first coupon, or the cause's key where that is not
    known.
    """

    eventName: str = "CouponIssue"
    """Which notification this is: CouponIssue."""
    refId: str | None = None
    """Reference for debugging: orgId_seriesId_couponId:couponId."""
    data: CouponIssueData | None = None
    """What happened."""
