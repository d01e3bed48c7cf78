"""Believable values for the fields of any definition, as JSON text, quickly. Pure.

A field's name says what it is about (`sku`, `storeCode`); where it says nothing, its type does.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import msgspec

from loyaltystream.definitions.checking import check_fields
from loyaltystream.definitions.model import EventDefinition, FieldDefinition, FieldType, Shape
from loyaltystream.errors import ConfigurationError
from loyaltystream.times import DAY_MS

Maker = Callable[[int, int], str]
"""Takes a number that is another one for every event, and the customer's; returns JSON text."""

_TEXTS: Final[Mapping[str, Sequence[str]]] = {
    "sku": [f"SKU-{number:06d}" for number in range(1_200, 3_200)],
    "till": [f"till.{number:04d}" for number in range(1, 98)],
    "storename": ("Church Street", "Linking Road", "Park Street", "Connaught Place"),
    "store": [f"store.{number:03d}" for number in range(1, 48)],
    "url": [f"https://shop.example/p/{number:06d}" for number in range(900)],
    "brand": ("Aravalli", "Bluewater", "Chai & Co", "Deccan Denim", "Everest Kids", "Fabmarket"),
    "categor": ("apparel/men/shirts", "apparel/women/sarees", "beauty/skin care", "grocery/tea"),
    "city": ("Bengaluru", "Chennai", "Hyderabad", "Kolkata", "Mumbai", "New Delhi", "Pune"),
    "currency": ("INR",),
    "country": ("IN", "AE", "SG"),
    "gender": ("female", "male", "other"),
    "firstname": ("Aarav", "Diya", "Ishaan", "Kavya", "Meera", "Rohan", "Saanvi", "Vikram"),
    "lastname": ("Bose", "Gupta", "Iyer", "Khan", "Mehta", "Nair", "Patel", "Reddy", "Sharma"),
    "name": ("Linen shirt, slim fit", "Cotton saree, indigo", "Assam tea, 500 g", "Rain jacket"),
    "lang": ("en-IN", "hi-IN", "ta-IN", "te-IN", "bn-IN"),
    "locale": ("en-IN", "hi-IN", "ta-IN", "te-IN", "bn-IN"),
    "channel": ("store", "app", "web", "partner"),
    "payment": ("card", "upi", "cash", "wallet"),
    "tender": ("card", "upi", "cash", "wallet"),
    "platform": ("android", "ios", "web"),
    "os": ("Android 15", "Android 14", "iOS 18.4", "iOS 17.7"),
    "device": ("Pixel 9", "Galaxy S25", "iPhone 16", "Redmi Note 14"),
    "agent": ("LoyaltyApp/8.4.1 (Android 15)", "LoyaltyApp/8.4.1 (iOS 18.4; iPhone17,3)"),
    "version": ("8.4.1", "8.4.0", "8.3.7", "7.12.2"),
    "referredby": [f"CRM-{number:08d}" for number in range(100)],
    "referr": ("https://search.example/shopping", "newsletter-42", "push", "direct"),
    "campaign": ("monsoon-sale-2026", "welcome-back", "diwali-early-access", "none"),
    "network": ("wifi", "5g", "4g"),
    "screen": ("home", "offers", "product", "basket", "wallet"),
    "source": ("store", "app", "web", "partner"),
    "description": ("10 % off the next visit", "Festive voucher", "Free delivery in October"),
    "search": ("cotton saree", "linen shirt men", "assam tea 500 g", "rain jacket kids"),
    "tier": ("blue", "silver", "gold", "platinum"),
}
_TYPED: Final = (FieldType.TILL_CODE, FieldType.PRODUCT_SKU, FieldType.CURRENCY_CODE)
"""The types that say more than any name."""

_INTEGERS: Final[Mapping[str, Sequence[int]]] = {
    "quantity": range(1, 6),
    "count": range(1, 13),
    "point": range(0, 5_000, 5),
    "session": range(1, 400),
    "series": range(7_001, 7_040),
    "till": range(301, 398),
    "cashier": range(301, 398),
}
_DOUBLES: Final[Mapping[str, Sequence[float]]] = {
    "level": [percent / 100 for percent in range(5, 101)],
    "value": (5.0, 10.0, 50.0, 100.0, 250.0),
}
_CUSTOMER_ID: Final = "customerid"
_CONSENTS: Final = ({"email": True, "sms": True}, {"email": True, "sms": False}, {"email": False})
_BASKETS: Final = [
    {
        "lineItemCount": number % 9 + 1,
        "till": {"id": 301 + number, "name": f"till.{number + 1:04d}"},
        "store": {"code": f"store.{number % 47 + 1:03d}", "name": "Church Street"},
    }
    for number in range(97)
]
_NESTED: Final[Mapping[str, Sequence[Any]]] = {"consent": _CONSENTS, "": _BASKETS}
_NUMBERS: Final[Mapping[Shape, Mapping[str, Sequence[Any]]]] = {
    Shape.LONG: _INTEGERS,
    Shape.DOUBLE: _DOUBLES,
    Shape.NESTED: _NESTED,
}


def compile_makers(definition: EventDefinition, random: Random, now_ms: int) -> dict[str, Maker]:
    """Return a maker for each field of the definition, in its order.

    Raises:
        ConfigurationError: if the made values are not what the definition accepts.
    """
    makers = {field.name: _maker(field, random, now_ms) for field in definition.fields}
    sample = {name: msgspec.json.decode(maker(1, 1)) for name, maker in makers.items()}
    if refused := check_fields(definition, sample, strict=True).violations:
        first = refused[0]
        raise ConfigurationError(
            f"no story can be told of {definition.event_name}: {first.path} {first.detail}"
        )
    return makers


def _maker(field: FieldDefinition, random: Random, now_ms: int) -> Maker:
    if field.shape is Shape.LONG and field.name.lower() == _CUSTOMER_ID:
        return lambda _serial, customer: str(50_000_000 + customer)
    if (choices := _choices(field, now_ms)) is not None:
        return _one_of(random, choices)
    match field.shape:
        case Shape.LONG:
            return lambda serial, _customer: str(90_000_000 + serial)
        case Shape.DOUBLE:
            return _amount(random)
        case _:
            return _serial(field.name)


def _choices(field: FieldDefinition, now_ms: int) -> Sequence[Any] | None:
    """Return the values that such a field takes, or None where each event has its own."""
    if field.possible_values is not None or field.unique:
        return field.possible_values
    if field.type is FieldType.DATE:
        return _moments(field.name, now_ms)
    match field.shape:
        case Shape.TEXT:
            return _hint(field.type if field.type in _TYPED else field.name, _TEXTS)
        case Shape.BOOLEAN:
            return (True, True, False)
        case _:
            return _hint(field.name, _NUMBERS[field.shape])


def _hint(name: str, hints: Mapping[str, Sequence[Any]]) -> Sequence[Any] | None:
    lowered = name.lower()
    return next((found for word, found in hints.items() if word in lowered), None)


def _one_of(random: Random, values: Sequence[Any]) -> Maker:
    texts = [msgspec.json.encode(value).decode() for value in values]
    count, draw = len(texts), random.random
    return lambda _serial, _customer: texts[int(draw() * count)]


def _serial(name: str) -> Maker:
    prefix = name.removesuffix("Id").removesuffix("Number").removesuffix("Code").upper()
    return lambda serial, _customer: f'"{prefix}-{serial:010d}"'


def _amount(random: Random) -> Maker:
    draw = random.random
    # Squared: many small amounts, a few large ones. In paise, so that the text is exact and short.
    return lambda _serial, _customer: f"{19 + int(draw() ** 2 * 1_500_000) / 100}"


def _moments(name: str, now_ms: int) -> list[str]:
    """Return mornings that suit the field, as ISO 8601 with a zone."""
    lowered = name.lower()
    first, last = (20 * 365, 60 * 365) if "birth" in lowered else (1, 400)
    sign = -1 if "end" in lowered else 1
    days = (now_ms - sign * back * DAY_MS for back in range(first, last, max(last // 400, 1)))
    return [f"{datetime.fromtimestamp(day // 1000, UTC):%Y-%m-%dT09:30:00+05:30}" for day in days]
