"""What producers may write on the ingest topic, as JSON Schemas, one a dialect. Pure.

The canonical event's says what strict reading demands of any event (`dialects/canonical.py`). What
a definition demands of the fields of its own events, no schema of all events can say.
"""

from typing import Any, Final

from loyaltystream.dialects.inspection import MAX_NAME_CHARACTERS
from loyaltystream.dialects.sources import Dialect
from loyaltystream.events import MAX_ID_CHARACTERS

Document = dict[str, Any]

_TEXT: Final[Document] = {"type": "string", "pattern": r"\S"}
_MAYBE_TEXT: Final[Document] = {"type": ["string", "null"]}
_SPELLED: Final[Document] = {"type": ["string", "number"]}

_IDENTIFIER: Final[Document] = {
    "type": "object",
    "required": ["type", "value"],
    "properties": {
        "type": {**_TEXT, "description": "mobile, email, externalId, cardnumber, userId, ..."},
        "value": {**_SPELLED, "description": "A number counts as its text."},
        "source": {**_MAYBE_TEXT, "description": "The channel that knows it; INSTORE if absent."},
        "accountId": {**_MAYBE_TEXT, "description": "The account, where a source has several."},
    },
}
_CUSTOMER: Final[Document] = {
    "type": "object",
    "required": ["identifiers"],
    "properties": {
        "identifiers": {
            "type": "array",
            "items": _IDENTIFIER,
            "minItems": 1,
            "description": "The first of the type that the definition names decides the partition.",
        },
        "profile": {
            "type": ["object", "null"],
            "description": "What else is known of her, by name.",
        },
    },
    "description": "Whose event it is.",
}
_REFERRAL: Final[Document] = {
    "type": ["object", "null"],
    "properties": {"code": _MAYBE_TEXT, "referrerId": _MAYBE_TEXT},
    "description": "The referral that the event converts.",
}
_CARD: Final[Document] = {
    "type": ["object", "null"],
    "properties": {"code": _MAYBE_TEXT},
    "description": "The loyalty card that it is credited to.",
}
CANONICAL_EVENT: Final[Document] = {
    "type": "object",
    "required": ["eventId", "eventName", "orgId", "customer", "fields"],
    "properties": {
        "eventId": {
            **_TEXT,
            "maxLength": MAX_ID_CHARACTERS,
            # In one pattern: not blank, neither | nor a control character.
            "pattern": r"^[^|\u0000-\u001f\u007f-\u009f]*[^\s|\u0000-\u001f\u007f-\u009f]"
            r"[^|\u0000-\u001f\u007f-\u009f]*$",
            "description": "Unique in the org; the same whenever the event is sent again. May "
            "come as header x-event-id instead.",
        },
        "eventName": {
            **_TEXT,
            "maxLength": MAX_NAME_CHARACTERS,
            "description": "Names a definition of the org.",
        },
        "orgId": {
            "type": "integer",
            "minimum": 0,
            "maximum": 2**63 - 1,
            "description": "The organization whose program it belongs to.",
        },
        "occurredAt": {
            "type": ["integer", "string", "null"],
            "description": "When it happened: epoch milliseconds, or ISO 8601 with date, time and "
            "zone. Absent: the broker's time of arrival.",
        },
        "customer": _CUSTOMER,
        "fields": {
            "type": "object",
            "description": "What the definition declares, by name, and whatever else there is.",
        },
        "tillCode": {**_MAYBE_TEXT, "description": "The till that it comes from."},
        "webhookId": {**_MAYBE_TEXT, "description": "The webhook that it came through."},
        "createCustomer": {
            "type": ["boolean", "null"],
            "description": "Whether an unknown customer is to be registered.",
        },
        "referral": _REFERRAL,
        "loyaltyCard": _CARD,
        "trace": {
            "type": ["object", "null"],
            "additionalProperties": _MAYBE_TEXT,
            "description": "Trace attributes, passed on unchanged.",
        },
    },
    "description": "Null counts as absent everywhere; keys that are not named here are kept.",
}
"""An event as loyaltystream has it."""

_ANY: Final[Document] = {"type": ["object", "null"]}

_CAPILLARY: Final[Document] = {
    "type": "object",
    "required": ["event_name"],
    "properties": {
        "event_name": {**_TEXT, "description": "The event, by the webhook's name for it."},
        "eventDateTime": {
            **_MAYBE_TEXT,
            "description": "When it happened, in one of the vendor's 17 date patterns.",
        },
        "orgResolver": {**_ANY, "description": "A child org, where the webhook serves several."},
    },
    "description": "One flat object; all other keys are the definition's fields.",
}
_OPEN_LOYALTY: Final[Document] = {
    "type": "object",
    "required": ["event"],
    "properties": {
        "event": {
            "type": "object",
            "required": ["type", "eventDate", "customerData"],
            "properties": {
                "type": {**_TEXT, "description": "The event, by the store's name for it."},
                "eventId": {"type": ["string", "number", "null"], "description": "Its id."},
                "eventDate": {**_TEXT, "description": "ISO 8601 with date and time."},
                "customerData": {
                    "type": "object",
                    "description": "customerId, email, phone, loyaltyCardNumber: one at least.",
                },
                "body": {**_ANY, "description": "The definition's fields."},
            },
        }
    },
}
_VOUCHERIFY: Final[Document] = {
    "type": "object",
    "required": ["event", "customer"],
    "properties": {
        "event": {**_TEXT, "description": "The event, by the project's name for it."},
        "customer": {
            "type": "object",
            "description": "id, source_id, email or phone: one at least.",
        },
        "metadata": {**_ANY, "description": "The definition's fields."},
        "referral": _ANY,
        "loyalty": _ANY,
    },
    "description": "Its id and moment stand in the headers x-event-id and x-event-time.",
}

DIALECTS: Final[dict[Dialect, Document]] = {
    Dialect.CANONICAL: CANONICAL_EVENT,
    Dialect.CAPILLARY: _CAPILLARY,
    Dialect.OPEN_LOYALTY: _OPEN_LOYALTY,
    Dialect.VOUCHERIFY: _VOUCHERIFY,
}
"""What a value has to look like in each dialect."""
