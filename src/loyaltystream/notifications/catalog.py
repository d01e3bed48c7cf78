"""The types of notifications, as data: a new type is an entry here and its schemas. Pure.

Texts in braces are filled from the notification itself (`phrases.py`); a text with an unknown part
is no text at all. Sources: the vendor's samples (domain.md 1.2, 2).
"""

from typing import Final

import msgspec

from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE, of_notification

CUSTOMER_IDENTIFIERS: Final = f"{NOTIFICATION_NAMESPACE}.CustomerIdentifiers"
"""The record that is made from the event's identifiers wherever it stands."""

_CUSTOMER: Final = "{data.customerIdentifiers.customerId}"
_COUPON_CUSTOMER: Final = "{data.coupons.0.customerIdentifiers.customerId}"


class NotificationType(msgspec.Struct, frozen=True):
    """One type of notification.

    Attributes:
        name: the event name, as in the payload.
        schema: full name of the record.
        ref_id: the reference for debugging, where a rule gives none.
        loyalty_event_id: the loyalty engine's event, where a rule gives none; empty: unknown.
        customer_id: what tells whose notification it is.
        key: of the Kafka record; unknown: the key of the event that caused it.
    """

    name: str
    schema: str
    ref_id: str
    loyalty_event_id: str = ""
    customer_id: str = _CUSTOMER
    key: str = "{orgId}|" + _CUSTOMER


def _type(name: str, ref_id: str = "eventId") -> NotificationType:
    """Return a type whose reference is its cause, or what the path into it says."""
    return NotificationType(name, of_notification(name), f"{{orgId}}_{{{ref_id}}}")


def _engine_type(name: str) -> NotificationType:
    """Return a type that a rule of the loyalty engine makes: the request is the engine's event."""
    kind = _type(name, "loyaltyEventId")
    return msgspec.structs.replace(kind, loyalty_event_id="{apiRequestId}")


_TURNS: Final = {
    "a new customer": (_type("customerAdded", "data.customerIdentifiers.customerId"),),
    "what the event tells itself": (
        _type("customerUpdated", "data.customerIdentifiers.customerId"),
        _type("transactionAdded", "data.transactionId"),
        _type("transactionUpdated", "data.transactionId"),
        NotificationType(
            "cardUpdated",
            of_notification("cardUpdated"),
            "{orgId}_{data.cardNumber}",
            # The one type without a customer.
            customer_id="",
            key="{orgId}|{data.cardNumber}",
        ),
        _type("requestUpdated", "data.requestTrackingId"),
        _type("partnerProgramLinked"),
        _type("partnerProgramUpdated"),
        _type("partnerProgramDelinked"),
        _type("supplementaryMembershipExpiryReminder"),
    ),
    "a milestone": (_type("targetAchievedValueUpdated"),),
    "a badge": (_type("badgeEarned", "data.earnId"),),
    "points, coupons and rewards": (
        _engine_type("pointsIssued"),
        _engine_type("pointsRedeemed"),
        _type("promisedToCurrentPointsConversion"),
        _type("pointsExpired"),
        _type("pointsExpiryReminder"),
        _engine_type("pointsTransferredInitiated"),
        _engine_type("redeemedPointsReversed"),
        _engine_type("issuedPointsReversed"),
        NotificationType(
            "CouponIssue",
            of_notification("CouponIssue"),
            "{orgId}_{data.series_info.id}_{data.coupons.0.id}:{data.coupons.0.id}",
            # Its customer stands inside the coupons, which are all hers.
            customer_id=_COUPON_CUSTOMER,
            key="{orgId}|" + _COUPON_CUSTOMER,
        ),
        NotificationType(
            "CouponRedeem",
            of_notification("CouponRedeem"),
            "{orgId}_{data.coupon.series_info.id}_{data.coupon.redemptionId}",
        ),
        _type("rewardIssued", "data.rewardId"),
    ),
    "the other side of a transfer": (_engine_type("pointsTransferredReceived"),),
    "a tier": (
        _engine_type("tierUpgraded"),
        _type("tierRenewed"),
        _type("tierDowngraded"),
        _type("tierDowngradeReminder"),
    ),
}
"""The types by their turn: in this order one cause brings them about (domain.md 5)."""

CATALOG: Final = {kind.name: kind for kinds in _TURNS.values() for kind in kinds}
"""Every type by its name."""

TURNS: Final = {turn: tuple(kind.name for kind in kinds) for turn, kinds in _TURNS.items()}
"""Names of the types by their turn, in its order."""

TURN_OF: Final = {name: number for number, names in enumerate(TURNS.values()) for name in names}
"""Which turn a type has."""

SCHEMAS: Final = tuple(sorted({kind.schema for kind in CATALOG.values()}))
"""Full names of the schemas that notifications are written with."""
