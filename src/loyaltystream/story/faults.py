"""What producers do wrong: a valid event in, bytes that have to be rejected out. Pure."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from loyaltystream.definitions.model import EventDefinition, Shape
from loyaltystream.verdicts import Reason

Event = dict[str, Any]


def malformed(value: bytes, turn: int) -> bytes:
    """Return `value` as bytes that are not an event's JSON; each turn in another way."""
    return list(_BREAKERS.values())[turn % len(_BREAKERS)](value)


def invalid(value: bytes, definition: EventDefinition, turn: int) -> bytes:
    """Return `value` as JSON that no definition accepts; each turn for another reason."""
    event: Event = msgspec.json.decode(value)
    list(_SPOILERS.values())[turn % len(_SPOILERS)](event, definition)
    return msgspec.json.encode(event)


def _number_that_is_none(value: bytes) -> bytes:
    return value.replace(b'"fields":{', b'"fields":{"weight":NaN,', 1)


def _key_twice(value: bytes) -> bytes:
    return value[:-1] + b',"eventName":"purchaseCompleted"}'


def _latin_1(value: bytes) -> bytes:
    return value.replace(b'"fields":{', b'"fields":{"note":"caf\xe9",', 1)


_BREAKERS: Final[dict[Reason, Callable[[bytes], bytes]]] = {
    Reason.JSON_SYNTAX: lambda value: value[: len(value) * 2 // 3],
    Reason.JSON_NUMBER: _number_that_is_none,
    Reason.DUP_KEY: _key_twice,
    Reason.ENCODING: _latin_1,
    Reason.EMPTY: lambda _: b"",
}


def _lack_required(event: Event, definition: EventDefinition) -> None:
    required = [field for field in definition.fields if field.required and not field.unique]
    if required:
        del event["fields"][required[0].name]
    else:
        del event["fields"]


def _mistype(event: Event, definition: EventDefinition) -> None:
    flat = next((field for field in definition.fields if field.shape is not Shape.NESTED), None)
    if flat is not None:
        event["fields"][flat.name] = ["what", "is", "this"]
    else:
        event["fields"] = []


def _misname(event: Event, _: EventDefinition) -> None:
    event["eventName"] = "basketAbandonned"


def _misdial(event: Event, _: EventDefinition) -> None:
    event["customer"]["identifiers"][0] = {"type": "mobile", "value": "ask again", "source": "TILL"}


def _lose_id(event: Event, _: EventDefinition) -> None:
    del event["eventId"]


def _lose_zone(event: Event, _: EventDefinition) -> None:
    event["occurredAt"] = "2026-01-31T18:05:00"


def _do_all_of_it(event: Event, definition: EventDefinition) -> None:
    for spoil in (_mistype, _misdial, _lose_id, _lose_zone):
        spoil(event, definition)


_SPOILERS: Final[dict[str, Callable[[Event, EventDefinition], None]]] = {
    Reason.REQUIRED: _lack_required,
    Reason.TYPE: _mistype,
    Reason.UNKNOWN_EVENT: _misname,
    Reason.MOBILE: _misdial,
    Reason.NO_ID: _lose_id,
    Reason.TIME_ZONE: _lose_zone,
    "several": _do_all_of_it,
}
MALFORMED_REASONS: Final = frozenset(_BREAKERS)
INVALID_REASONS: Final = frozenset(Reason(name) for name in _SPOILERS if name != "several")
