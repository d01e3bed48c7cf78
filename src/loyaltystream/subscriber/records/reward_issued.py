"""A customer was issued a reward.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class IntouchRewardDetails:
    """The coupon that a reward consists of."""

    intouchCouponCode: str | None = None
    """The code that the customer shows."""
    codeExpiry: datetime | None = None
    """When the code ends; UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardIssuedData:
    """Which reward it is, and how it is redeemed."""

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    rewardId: int | None = None
    """The reward's id in the catalogue of rewards."""
    type: str | None = None
    """What it consists of: VOUCHER, POINTS, a physical or a free voucher."""
    redemptionType: str | None = None
    """Who honours it: INTOUCH_REWARD, VENDOR_INTOUCH_REWARD, VENDOR_ONLY_REWARD."""
    startDate: datetime | None = None
    """From when on it counts; UTC."""
    endDate: datetime | None = None
    """Until when it counts; UTC."""
    intouchPoints: float | None = None
    """Points that it cost."""
    intouchSeriesId: str | None = None
    """The series of coupons that its coupon is from; a number as text."""
    priority: int | None = None
    """Its place in the catalogue of rewards; lower comes first."""
    tier: str | None = None
    """The tier that it is for."""
    group: str | None = None
    """The group that it belongs to in the catalogue."""
    label: str | None = None
    """Its label in the catalogue."""
    intouchRewardDetails: IntouchRewardDetails | None = None
    """The coupon that it consists of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardIssued(Notification):
    """A customer was issued a reward.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "rewardIssued"
    """Which notification this is: rewardIssued."""
    refId: str | None = None
    """Reference for debugging: orgId_rewardId."""
    data: RewardIssuedData | None = None
    """What happened."""
