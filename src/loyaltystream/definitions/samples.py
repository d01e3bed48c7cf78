"""A definition in, an event that it accepts out: what a producer may start from. Pure."""

import uuid
from typing import Any, Final

from loyaltystream.definitions.checking import refuse_text
from loyaltystream.definitions.model import EventDefinition, FieldDefinition, FieldType, Shape

_VALUES: Final[dict[FieldType, Any]] = {
    FieldType.TILL_CODE: "till.0042",
    FieldType.COUPON_CODE: "WELCOME10",
    FieldType.PRODUCT_SKU: "SKU-001234",
    FieldType.PRODUCT_BRAND: "Meridian",
    FieldType.PRODUCT_CATEGORY: "Footwear",
    FieldType.STRING: "text",
    FieldType.DOUBLE: 1299.5,
    FieldType.DATE: "2026-01-31",
    FieldType.GROUP_ID: "G-100",
    FieldType.CURRENCY_CODE: "EUR",
    FieldType.BOOLEAN: True,
    FieldType.INTEGER: 3,
    FieldType.JSON: {"key": "value"},
}
_IDENTIFIERS: Final = {
    "mobile": "919812345678",
    "email": "customer@example.com",
    "userId": "50000017",
    "cardnumber": "7000123412341234",
}
_GUESSES: Final = ("A", "1", "a", "AB", "ABC", "ABC123", "1234", "123456", "A-1", "2026-01-31")
_SPACE: Final = uuid.UUID("6f4cf1c6-3ed2-5d57-8d4a-5d7d1a9f0b11")


class Sample(dict[str, Any]):
    """An event, with `open_fields`: those that a person has to fill in."""

    open_fields: tuple[str, ...] = ()


def sample_event(definition: EventDefinition) -> Sample:
    """Return an event of a definition, always the same one.

    A text that has to match a pattern, or a list that fits its type only in part, is guessed; where
    no guess does, a required field is open, and an optional one left out.
    """
    fields: dict[str, Any] = {}
    open_fields: list[str] = []
    for field in definition.fields:
        value = _value(field)
        if value is not None:
            fields[field.name] = value
        elif field.required:
            open_fields.append(field.name)
    kind = definition.customer.identifier_type
    name = f"{definition.org_id}/{definition.event_name}/{definition.version}"
    sample = Sample(
        eventId=str(uuid.uuid5(_SPACE, name)),
        eventName=definition.event_name,
        orgId=definition.org_id,
        customer={"identifiers": [{"type": kind, "value": _IDENTIFIERS.get(kind, "C-1001")}]},
        fields=fields,
    )
    sample.open_fields = tuple(open_fields)
    return sample


def _value(field: FieldDefinition) -> Any:  # noqa: ANN401 (any JSON value)
    if field.shape is not Shape.TEXT:
        return _VALUES[field.type]
    guesses = field.possible_values or (_VALUES.get(field.type, "text"), *_GUESSES)
    return next((one for one in guesses if refuse_text(field, one) is None), None)
