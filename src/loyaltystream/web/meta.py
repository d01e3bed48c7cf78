"""What a definition may consist of, as the vendor's fields-meta call tells it. Pure."""

from typing import Any, Final

from loyaltystream.definitions.limits import Limits
from loyaltystream.definitions.model import (
    EXTENDED_TYPES,
    IDENTIFIER_TYPES,
    PSI_TYPES,
    Action,
    FieldType,
)

_NO_TEXT: Final = frozenset(
    {FieldType.DOUBLE, FieldType.BOOLEAN, FieldType.INTEGER, FieldType.JSON}
)
"""Types whose values are no texts; all others may have a pattern, or a list of values."""


def fields_meta(limits: Limits) -> dict[str, Any]:
    """Return actions, and for each type its attributes with their defaults."""
    return {
        "actions": list(Action),
        "fields": [
            {"type": kind.value.upper(), "attributes": _attributes(kind)}
            for kind in FieldType
            if limits.extended_types or kind not in EXTENDED_TYPES
        ],
    }


def _attributes(kind: FieldType) -> dict[str, Any]:
    if kind is FieldType.CUSTOMER:
        return {
            "isRequired": _flag("true"),
            "identifierType": _choice("mobile", IDENTIFIER_TYPES),
            "addCustomerIfNotExists": _flag("false"),
        }
    attributes = {"isRequired": _flag("false"), "isUniqueKeyField": _flag("false")}
    if kind in PSI_TYPES:
        attributes["isPsiData"] = _flag("false")
    if kind not in _NO_TEXT:
        attributes["regex"] = {"valueType": "String", "value": None}
        attributes["possibleValues"] = {"valueType": "Enum", "values": None}
    return attributes


def _flag(default: str) -> dict[str, Any]:
    return {"valueType": "Boolean", "value": default}


def _choice(default: str, values: tuple[str, ...]) -> dict[str, Any]:
    return {"valueType": "Enum", "value": default, "values": list(values)}
