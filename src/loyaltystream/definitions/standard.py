"""The vendor's standard behavioral events, as bodies that an org can enable. Pure.

Their names are the vendor's (domain.md 6.2), written as event names are; it documents no fields, so
these are ours: what such an event usually tells, all of it optional.
"""

from typing import Any, Final

_PRODUCT: Final = ("productSku", "productBrand", "productCategory")
_STANDARD: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "appInstalled": ("App Installed", ("platform", "appVersion")),
    "appUninstalled": ("App Uninstalled", ("platform", "appVersion")),
    "categoryViewed": ("Category Viewed", ("productCategory",)),
    "couponApplied": ("Coupon Applied", ("couponCode", "reason")),
    "couponDenied": ("Coupon Denied", ("couponCode", "reason")),
    "customerLoggedIn": ("Customer Logged In", ("platform",)),
    "customerLoggedOut": ("Customer Logged Out", ("platform",)),
    "customerRegistered": ("Customer Registered", ("platform", "tillCode")),
    "productAddedToCart": ("Product Added To Cart", (*_PRODUCT, "price", "quantity")),
    "productRemovedFromCart": ("Product Removed From Cart", (*_PRODUCT, "price", "quantity")),
    "productSearched": ("Product Searched", ("searchTerm", *_PRODUCT)),
    "productViewed": ("Product Viewed", (*_PRODUCT, "price")),
}
_TYPES: Final = {
    **{name: name for name in (*_PRODUCT, "couponCode", "tillCode")},
    "price": "double",
    "quantity": "double",
}

STANDARD_EVENTS: Final = tuple(_STANDARD)
"""The names of all standard events."""


def standard_body(event_name: str) -> dict[str, Any] | None:
    """Return the body of a standard event, or None if there is none of that name."""
    if event_name not in _STANDARD:
        return None
    description, fields = _STANDARD[event_name]
    return {
        "eventName": event_name,
        "description": description,
        "actions": ["EMFConsumer", "EIConsumer"],
        "fields": [
            {
                "name": "customer",
                "type": "customer",
                "attributes": {"identifierType": {"valueType": "Enum", "value": "mobile"}},
            },
            *(
                {"name": name, "type": _TYPES.get(name, "string"), "attributes": {}}
                for name in fields
            ),
        ],
    }
