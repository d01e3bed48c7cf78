"""Bodies of the Create Event API in one spelling, and as the vendor shows them. Pure.

Only bodies that `parse_definition` accepts come in. In: any case of types and value types, truth
values as JSON or text. Stored: the vendor's spelling, all values as text (domain.md 3.3).
"""

from collections.abc import Mapping
from typing import Any, Final

from loyaltystream.definitions.parsing import FLAGS, canonical_identifier_type, canonical_type

_LISTS: Final = "possibleValues"
_LEFT_OUT: Final = frozenset({"version", "disabled"})
"""What the stored event says itself."""


def normalise(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an accepted body in the spelling that is stored."""
    actions = body["actions"]
    kept = {name: value for name, value in body.items() if name not in _LEFT_OUT}
    return kept | {
        "actions": list(dict.fromkeys([actions] if isinstance(actions, str) else actions)),
        "fields": [_normalise_field(field) for field in body.get("fields", [])],
    }


def shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored body as the vendor's GET shows it: with types in capitals."""
    fields = [field | {"type": field["type"].upper()} for field in body["fields"]]
    return {**body, "fields": fields}


def _normalise_field(field: Mapping[str, Any]) -> dict[str, Any]:
    attributes = field.get("attributes") or {}
    return {
        "name": field["name"],
        "type": canonical_type(field["type"]),
        "attributes": {
            name: _normalise_attribute(name, content) for name, content in attributes.items()
        },
    }


def _normalise_attribute(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    value = content.get("value")
    if name in FLAGS:
        return {"valueType": "Boolean", "value": str(value).lower()}
    if name == _LISTS:
        return {"valueType": "Enum", "values": content.get("values", value)}
    if name == "identifierType":
        return {"valueType": "Enum", "value": canonical_identifier_type(str(value))}
    return {"valueType": "String", "value": value}
