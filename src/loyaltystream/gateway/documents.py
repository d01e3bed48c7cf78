"""What the gateway is, as OpenAPI has it: what each route takes, and every answer. Pure.

Schemas say what a body needs to be taken, which is less than it needs to be accepted.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from loyaltystream.dialects.envelope import ID_HEADER, SOURCE_HEADER
from loyaltystream.events import MAX_ID_CHARACTERS
from loyaltystream.gateway.bodies import CLOUD_EVENT, JSON, MAX_BATCH_EVENTS, NDJSON
from loyaltystream.gateway.intake import IDEMPOTENCY_KEY
from loyaltystream.gateway.standing import Standing

Document = dict[str, Any]

PROBLEM: Final = "application/problem+json"
MEANINGS: Final = {
    400: "The body ended before its end: send it again.",
    401: "No token, or one that nobody has.",
    403: "The token is not a producer's, or the event is of another org.",
    404: "No webhook, store or project of that name is the token's org's.",
    413: "Too long, or too many events.",
    415: "Another Content-Type, character set than UTF-8, or compressed.",
    422: "Can't be taken: the violations say why. It must not be sent again as it is.",
    429: "Too much waits for Kafka, or the token sends too fast: again after Retry-After.",
    501: "This gateway can't tell: it has no memory.hash_key.",
    503: "Not known to be written: again after Retry-After, under the same id.",
}
"""Every status but those of success, and what it means."""

_TEXT: Final[Document] = {"type": "string"}
_ID: Final[Document] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_ID_CHARACTERS,
    # Neither | nor a control character, and not blank.
    "pattern": r"^[^|\u0000-\u001f\u007f-\u009f]*[^\s|\u0000-\u001f\u007f-\u009f]"
    r"[^|\u0000-\u001f\u007f-\u009f]*$",
}
_CANONICAL: Final[Document] = {
    "type": "object",
    "required": ["eventId", "orgId"],
    "properties": {
        "eventId": {**_ID, "description": "May come as header Idempotency-Key instead."},
        "orgId": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        "eventName": {"description": "A text: one that is defined."},
        "occurredAt": {"description": "Epoch milliseconds, or ISO 8601 with a zone."},
        "customer": {"description": "An object with identifiers: type, value, source."},
        "fields": {"description": "An object of what the definition names."},
    },
    "description": "Whatever else is wrong with it is judged, and told by GET /events/{id}.",
}
_CLOUD: Final[Document] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _ID,
        "source": _TEXT,
        "type": _TEXT,
        "data": _CANONICAL,
    },
}
_MANY: Final[Document] = {
    "type": "array",
    "items": _CANONICAL,
    "minItems": 1,
    "maxItems": MAX_BATCH_EVENTS,
}
_LINES: Final[Document] = {"type": "string", "description": "One canonical event a line."}
_ANY: Final[Document] = {"type": "object"}
_COUNT: Final[Document] = {"type": "integer"}
_PROBLEM: Final[Document] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "violations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["reason", "path", "detail"],
                "properties": {
                    "event": {"type": "integer", "description": "Its number in the batch."},
                    "reason": _TEXT,
                    "path": _TEXT,
                    "detail": _TEXT,
                },
            },
        },
    },
}


def _parameter(place: str, name: str, schema: Document, description: str) -> Document:
    return {
        "in": place,
        "name": name,
        "required": place == "path",
        "schema": schema,
        "description": description,
    }


_NAMED: Final = _parameter("path", "source", _TEXT, "As the settings name it.")
_PROJECT: Final = _parameter("header", SOURCE_HEADER, _TEXT, "A project; else `default`.")
_ASKED_IDS: Final = tuple(
    _parameter("header", name, _ID, "The event's id; the same as its own, if it has one.")
    for name in (IDEMPOTENCY_KEY, ID_HEADER)
)


def document(max_event_bytes: int) -> Document:
    """Return the OpenAPI document of a gateway that takes events so long."""
    (told,), parts = msgspec.json.schema_components(
        [Standing], ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "loyaltystream gateway",
            "version": "1",
            "description": "Takes events of a loyalty program, and acknowledges each once Kafka "
            f"has it. One event has {max_event_bytes:,} bytes at most.",
        },
        "paths": _paths(told),
        "components": {
            "schemas": {**parts, "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _paths(told: Document) -> Document:
    """Return every route; those that take an event with all that they may answer."""
    taking = {
        "/events": _taking(
            "Take a canonical event, or one in a CloudEvent.",
            {JSON: _CANONICAL, CLOUD_EVENT: _CLOUD},
            {"202": _made(eventId=_TEXT)},
            _ASKED_IDS,
        ),
        "/events/batch": _taking(
            "Take many canonical events: all of them, or none.",
            {NDJSON: _LINES, JSON: _MANY},
            {"202": _made(accepted=_COUNT, eventIds={"type": "array", "items": _TEXT})},
            (),
        ),
        "/webhooks/{source}": _taking(
            "Take an event of Capillary's.",
            {JSON: _ANY},
            {"200": _made(status=_ANY, requestId=_TEXT)},
            (_NAMED, *_ASKED_IDS),
        ),
        "/api/{source}/customEvent": _taking(
            "Take an event of Open Loyalty's.",
            {JSON: _ANY},
            {"200": _made(customEventId=_TEXT)},
            (_NAMED, *_ASKED_IDS),
        ),
        "/v1/events": _taking(
            "Take an event of Voucherify's.",
            {JSON: _ANY},
            {"200": _made(object={"const": "event"})},
            (_PROJECT, *_ASKED_IDS),
        ),
    }
    posted = {path: {"post": operation} for path, operation in taking.items()}
    return posted | {"/events/{event_id}": {"get": _telling(told)}}


def _taking(
    summary: str, bodies: Document, answers: Document, parameters: Sequence[Document]
) -> Document:
    by_source = any("source" in parameter["name"] for parameter in parameters)
    statuses = [400, 401, 403, *([404] if by_source else []), 413, 415, 422, 429, 503]
    return {
        "summary": summary,
        "parameters": [*parameters],
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": schema} for kind, schema in bodies.items()},
        },
        "responses": answers | _refusals(*statuses),
    }


def _telling(told: Document) -> Document:
    """Return the operation that tells what became of an event."""
    unknown = "Nothing is known of an event of that id in the token's org."
    responses = {
        "200": _answer("It was judged; each attempt has its verdict and reasons.", JSON, told),
        "202": _answer("It was received, and is not judged yet.", JSON, told),
    }
    refusals = _refusals(401, 403, 404, 429, 501, 503)
    refusals["404"]["description"] = unknown
    refusals["429"]["description"] = "As many are asked for as may be: again after Retry-After."
    refusals["503"]["description"] = "Kafka or the registry is away: again after Retry-After."
    return {
        "summary": "Tell what became of an event.",
        "parameters": [_parameter("path", "event_id", _TEXT, "Its id.")],
        "responses": responses | refusals,
    }


def _made(**properties: Document) -> Document:
    schema = {"type": "object", "required": [*properties], "properties": properties}
    return _answer("Kafka has it.", JSON, schema)


def _refusals(*statuses: int) -> dict[str, Document]:
    problem = {"$ref": "#/components/schemas/Problem"}
    return {str(status): _answer(MEANINGS[status], PROBLEM, problem) for status in statuses}


def _answer(description: str, kind: str, schema: Document) -> Document:
    return {"description": description, "content": {kind: {"schema": schema}}}
