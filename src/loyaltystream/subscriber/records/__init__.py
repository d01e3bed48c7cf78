"""Every notification, and what it consists of, as typed records.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

from typing import Final

from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE
from loyaltystream.subscriber.records.badge_earned import (
    BadgeEarned,
    BadgeEarnedData,
    EarnConstraint,
)
from loyaltystream.subscriber.records.card_updated import CardUpdated, CardUpdatedData, NameValue
from loyaltystream.subscriber.records.coupon_issue import CouponIssue, CouponIssueData, IssuedCoupon
from loyaltystream.subscriber.records.coupon_redeem import (
    CouponRedeem,
    CouponRedeemData,
    CouponTransaction,
    RedeemedCoupon,
)
from loyaltystream.subscriber.records.customer_added import CustomerAdded, CustomerAddedData
from loyaltystream.subscriber.records.customer_updated import (
    CustomerStatus,
    CustomerUpdated,
    CustomerUpdatedData,
)
from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.issued_points_reversed import (
    IssuedPointsReversed,
    IssuedPointsReversedData,
)
from loyaltystream.subscriber.records.partner_program_delinked import (
    PartnerProgramDelinked,
    PartnerProgramDelinkedData,
)
from loyaltystream.subscriber.records.partner_program_linked import (
    PartnerProgramLinked,
    PartnerProgramLinkedData,
)
from loyaltystream.subscriber.records.partner_program_updated import (
    PartnerProgramUpdated,
    PartnerProgramUpdatedData,
)
from loyaltystream.subscriber.records.points_expired import PointsExpired, PointsExpiredData
from loyaltystream.subscriber.records.points_expiry_reminder import (
    PointsExpiryReminder,
    PointsExpiryReminderData,
)
from loyaltystream.subscriber.records.points_issued import (
    PointsIssued,
    PointsIssuedData,
    PromisedPoints,
    RegularPoints,
)
from loyaltystream.subscriber.records.points_redeemed import PointsRedeemed, PointsRedeemedData
from loyaltystream.subscriber.records.points_transferred_initiated import (
    PointsTransferredInitiated,
    PointsTransferredInitiatedData,
)
from loyaltystream.subscriber.records.points_transferred_received import (
    PointsTransferredReceived,
    PointsTransferredReceivedData,
)
from loyaltystream.subscriber.records.promised_to_current_points_conversion import (
    EarningActivityReference,
    PromisedToCurrentPointsConversion,
    PromisedToCurrentPointsConversionData,
)
from loyaltystream.subscriber.records.redeemed_points_reversed import (
    ProgramRedemptionReversal,
    RedeemedPointsReversed,
    RedeemedPointsReversedData,
)
from loyaltystream.subscriber.records.request_updated import (
    AssociatedEntityField,
    RequestUpdated,
    RequestUpdatedData,
)
from loyaltystream.subscriber.records.reward_issued import (
    IntouchRewardDetails,
    RewardIssued,
    RewardIssuedData,
)
from loyaltystream.subscriber.records.shared import (
    CouponSeries,
    CustomerIdentifiers,
    EnteredBy,
    EntityInformation,
    InstoreIdentifiers,
    KeyValue,
    LoyaltyProgramDetails,
    PartnerDetails,
    ProgramRedemption,
    PromotionalPoints,
    SourceAccount,
    SourceAccounts,
    SourceIdentifier,
    Store,
    Tier,
    Till,
    TriggeringActivity,
    UpdatedField,
    User,
)
from loyaltystream.subscriber.records.supplementary_membership_expiry_reminder import (
    SupplementaryMembershipExpiryReminder,
    SupplementaryMembershipExpiryReminderData,
)
from loyaltystream.subscriber.records.target_achieved_value_updated import (
    MilestoneDetails,
    TargetAchievedValueUpdated,
    TargetAchievedValueUpdatedData,
    TargetDetails,
)
from loyaltystream.subscriber.records.tier_downgrade_reminder import (
    TierDowngradeReminder,
    TierDowngradeReminderData,
)
from loyaltystream.subscriber.records.tier_downgraded import TierDowngraded, TierDowngradedData
from loyaltystream.subscriber.records.tier_renewed import TierRenewed, TierRenewedData
from loyaltystream.subscriber.records.tier_upgraded import TierUpgraded, TierUpgradedData
from loyaltystream.subscriber.records.transaction_added import (
    TransactionAdded,
    TransactionAddedData,
)
from loyaltystream.subscriber.records.transaction_updated import (
    TransactionUpdated,
    TransactionUpdatedData,
)

TYPES: Final[dict[str, type[Notification]]] = {
    f"{NOTIFICATION_NAMESPACE}.{kind.__name__}": kind
    for kind in (
        BadgeEarned,
        CardUpdated,
        CouponIssue,
        CouponRedeem,
        CustomerAdded,
        CustomerUpdated,
        IssuedPointsReversed,
        PartnerProgramDelinked,
        PartnerProgramLinked,
        PartnerProgramUpdated,
        PointsExpired,
        PointsExpiryReminder,
        PointsIssued,
        PointsRedeemed,
        PointsTransferredInitiated,
        PointsTransferredReceived,
        PromisedToCurrentPointsConversion,
        RedeemedPointsReversed,
        RequestUpdated,
        RewardIssued,
        SupplementaryMembershipExpiryReminder,
        TargetAchievedValueUpdated,
        TierDowngradeReminder,
        TierDowngraded,
        TierRenewed,
        TierUpgraded,
        TransactionAdded,
        TransactionUpdated,
    )
}
"""Every type of notification, by the full name of its schema."""

__all__ = [
    "TYPES",
    "AssociatedEntityField",
    "BadgeEarned",
    "BadgeEarnedData",
    "CardUpdated",
    "CardUpdatedData",
    "CouponIssue",
    "CouponIssueData",
    "CouponRedeem",
    "CouponRedeemData",
    "CouponSeries",
    "CouponTransaction",
    "CustomerAdded",
    "CustomerAddedData",
    "CustomerIdentifiers",
    "CustomerStatus",
    "CustomerUpdated",
    "CustomerUpdatedData",
    "EarnConstraint",
    "EarningActivityReference",
    "EnteredBy",
    "EntityInformation",
    "InstoreIdentifiers",
    "IntouchRewardDetails",
    "IssuedCoupon",
    "IssuedPointsReversed",
    "IssuedPointsReversedData",
    "KeyValue",
    "LoyaltyProgramDetails",
    "MilestoneDetails",
    "NameValue",
    "Notification",
    "PartnerDetails",
    "PartnerProgramDelinked",
    "PartnerProgramDelinkedData",
    "PartnerProgramLinked",
    "PartnerProgramLinkedData",
    "PartnerProgramUpdated",
    "PartnerProgramUpdatedData",
    "PointsExpired",
    "PointsExpiredData",
    "PointsExpiryReminder",
    "PointsExpiryReminderData",
    "PointsIssued",
    "PointsIssuedData",
    "PointsRedeemed",
    "PointsRedeemedData",
    "PointsTransferredInitiated",
    "PointsTransferredInitiatedData",
    "PointsTransferredReceived",
    "PointsTransferredReceivedData",
    "ProgramRedemption",
    "ProgramRedemptionReversal",
    "PromisedPoints",
    "PromisedToCurrentPointsConversion",
    "PromisedToCurrentPointsConversionData",
    "PromotionalPoints",
    "RedeemedCoupon",
    "RedeemedPointsReversed",
    "RedeemedPointsReversedData",
    "RegularPoints",
    "RequestUpdated",
    "RequestUpdatedData",
    "RewardIssued",
    "RewardIssuedData",
    "SourceAccount",
    "SourceAccounts",
    "SourceIdentifier",
    "Store",
    "SupplementaryMembershipExpiryReminder",
    "SupplementaryMembershipExpiryReminderData",
    "TargetAchievedValueUpdated",
    "TargetAchievedValueUpdatedData",
    "TargetDetails",
    "Tier",
    "TierDowngradeReminder",
    "TierDowngradeReminderData",
    "TierDowngraded",
    "TierDowngradedData",
    "TierRenewed",
    "TierRenewedData",
    "TierUpgraded",
    "TierUpgradedData",
    "Till",
    "TransactionAdded",
    "TransactionAddedData",
    "TransactionUpdated",
    "TransactionUpdatedData",
    "TriggeringActivity",
    "UpdatedField",
    "User",
]
