"""The types of notifications, as data: a new type is an entry here and its schemas. Pure.

Texts in braces are filled from the notification itself (`phrases.py`); a text with an unknown part
is no text at all. Sources: the vendor's samples (domain.md 1.2, 2).
"""

from typing import Final

import msgspec

from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE

CUSTOMER_IDENTIFIERS: Final = f"{NOTIFICATION_NAMESPACE}.CustomerIdentifiers"
"""The record that is made from the event's identifiers wherever it stands."""


class NotificationType(msgspec.Struct, frozen=True):
    """One type of notification.

    Attributes:
        name: the event name, as in the payload.
        schema: full name of the record.
        ref_id: the reference for debugging, where a rule gives none.
        customer_id: what tells whose notification it is.
        key: of the Kafka record; unknown: the key of the event that caused it.
    """

    name: str
    schema: str
    ref_id: str
    customer_id: str = "{data.customerIdentifiers.customerId}"
    key: str = "{orgId}|{data.customerIdentifiers.customerId}"


def _type(name: str, record: str, ref_id: str) -> NotificationType:
    return NotificationType(name, f"{NOTIFICATION_NAMESPACE}.{record}", ref_id)


CATALOG: Final = {
    kind.name: kind
    for kind in (
        _type("customerAdded", "CustomerAdded", "{orgId}_{data.customerIdentifiers.customerId}"),
        _type("transactionAdded", "TransactionAdded", "{orgId}_{data.transactionId}"),
        _type(
            "CouponRedeem",
            "CouponRedeem",
            "{orgId}_{data.coupon.series_info.id}_{data.coupon.redemptionId}",
        ),
    )
}
"""Every type by its name."""
