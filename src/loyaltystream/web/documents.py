"""What the OpenAPI page says of bodies, which are read by our own rules. Pure."""

from typing import Any, Final

from loyaltystream.definitions.model import DAY_CLASSES, Action, FieldType
from loyaltystream.web.answers import STATUSES

_WORDS: Final = {
    400: "The definition or the request is not usable; every problem of the first stage is told.",
    401: "No token, or one that nobody has.",
    403: "The token may look, and change nothing.",
    404: "No such event in the token's org.",
    409: "What is published or disabled does not allow that.",
    413: "The body is too large.",
    422: "Beyond the limits of this deployment.",
    503: "The broker is away; nothing has changed, or all that was asked for.",
}
_REFUSAL: Final = {
    "type": "object",
    "required": ["errors", "warnings"],
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["status", "code", "message"],
                "properties": {
                    "status": {"type": "boolean"},
                    "code": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                    "message": {"type": "string"},
                },
            },
        },
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": _WORDS[status],
        "content": {"application/json": {"schema": _REFUSAL}},
    }
    for status in sorted({400, *STATUSES.values()})
}
"""Every answer but 200, and what it means."""

_ATTRIBUTE: Final = {
    "type": "object",
    "properties": {
        "valueType": {"type": "string", "enum": ["Boolean", "Enum", "String"]},
        "value": {"description": "As text, also true and false."},
        "values": {"type": "array", "items": {"type": "string"}},
    },
}
_FIELD: Final = {
    "type": "object",
    "required": ["name", "type"],
    "properties": {
        "name": {"type": "string"},
        "type": {"type": "string", "enum": list(FieldType), "description": "In any case."},
        "attributes": {"type": "object", "additionalProperties": _ATTRIBUTE},
    },
}
_FLAG: Final = {"type": "boolean", "default": False}
DEFINITION: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["eventName", "actions", "fields"],
                "properties": {
                    "eventName": {"type": "string", "maxLength": 100},
                    "actions": {"type": "array", "items": {"enum": list(Action)}, "minItems": 1},
                    "description": {"type": "string"},
                    "fields": {
                        "type": "array",
                        "items": _FIELD,
                        "description": "Exactly one is of type customer.",
                    },
                    "notifications": {"type": "array", "items": {"type": "object"}},
                    "uniquenessWindow": {"type": "integer", "enum": list(DAY_CLASSES)},
                    "uniqueKeyConflicts": _FLAG,
                    "acceptsLate": _FLAG,
                },
            }
        }
    },
}
"""The body of the Create Event API."""

EVENT: Final[dict[str, Any]] = {
    "required": False,
    "content": {
        "application/json": {
            "schema": {"description": "An event; of anything else the verdict tells what it is."}
        }
    },
}
"""A sample event; bytes of any kind have a verdict."""
