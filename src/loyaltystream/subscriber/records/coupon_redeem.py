"""A customer redeemed a coupon.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CouponSeries, CustomerIdentifiers, EnteredBy


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemedCoupon:
    """A coupon and its redemption."""

    id: int | None = None
    """The coupon's id."""
    code: str | None = None
    """The code that the customer showed."""
    redemptionId: int | None = None
    """Id of this redemption."""
    redemptionDate: datetime | None = None
    """When it was redeemed; UTC."""
    series_info: CouponSeries | None = None
    """The series that it was issued from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTransaction:
    """The bill that a coupon was redeemed for."""

    bill_id: int | None = None
    """The transaction's id; 0 where there is none."""
    number: str | None = None
    """The bill's number; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponRedeemData:
    """Which coupon was redeemed, by whom, where and for which bill."""

    addedAt: datetime | None = None
    """When the redemption was stored; UTC."""
    addedBy: EnteredBy | None = None
    """Who took the coupon."""
    coupon: RedeemedCoupon | None = None
    """The coupon."""
    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer who redeemed it."""
    transaction: CouponTransaction | None = None
    """The bill that it was redeemed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponRedeem(Notification):
    """A customer redeemed a coupon.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "CouponRedeem"
    """Which notification this is: CouponRedeem."""
    refId: str | None = None
    """Reference for debugging: orgId_seriesId_redemptionId."""
    data: CouponRedeemData | None = None
    """What happened."""
