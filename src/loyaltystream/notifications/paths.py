"""A path into an event in, the way to what lies there and what it can be out. Pure.

Events are decoded `BehavioralEvent`s; the paths are spelled as its schema spells them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from loyaltystream.definitions.model import IDENTIFIER_TYPES, EventDefinition, FieldType, Shape
from loyaltystream.notifications.catalog import CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.fitting import Misfit
from loyaltystream.notifications.near import hint
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Table, Target

Event = dict[str, Any]


class Holds(StrEnum):
    """What a path can hold; the value of a member says so in a message."""

    TEXT = "text"
    WORD = "text that is never a number"
    DATE = "a date as text"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    JSON = "any JSON"
    TEXTS = "an object of texts"
    IDENTIFIERS = "the customer's identifiers"


class Move(StrEnum):
    """One step of a way, from a value to what lies in it; the name may say what is looked for."""

    AT = "the part of that name, which is always there"
    GET = "the part of that name, or nothing"
    WITHIN = "the part of that name, or nothing, of what may be nothing itself"
    JSON = "what a text, or nothing, says in JSON"
    INTO = "the part of that name or position, of anything"
    IDENTIFIER = "the value of the first identifier of that type, or nothing"
    IDENTIFIERS = "the record of a customer with these identifiers"


EVENT: Final = "event"
ELEMENT: Final = "element"
ENTRY: Final = "entry"

Way = tuple[tuple[Move, str], ...]
"""What to do with an event, one after the other, to get at a value; nothing is None."""


class Source(msgspec.Struct, frozen=True):
    """A path that events have.

    Attributes:
        path: for messages.
        holds: what may lie there.
        way: that leads there.
        root: where the way begins: the event, or what a template repeats itself for.
    """

    path: str
    holds: Holds
    way: Way
    root: str = EVENT


_SINGLE: Final = (Holds.TEXT, Holds.WORD, Holds.DATE, Holds.NUMBER, Holds.BOOLEAN, Holds.JSON)
_NUMBERS: Final = (Holds.TEXT, Holds.NUMBER, Holds.JSON)
_FITTING: Final = {
    Kind.STRING: _SINGLE,
    Kind.DYNAMIC: _SINGLE,
    Kind.INT: _NUMBERS,
    Kind.LONG: _NUMBERS,
    Kind.DOUBLE: _NUMBERS,
    Kind.MOMENT: (*_NUMBERS, Holds.DATE),
    Kind.BOOLEAN: (Holds.TEXT, Holds.WORD, Holds.BOOLEAN, Holds.JSON),
}


def can_fit(holds: Holds, target: Target) -> bool:
    """Say whether anything that a path holds can ever fit."""
    match target:
        case Scalar():
            return holds in _FITTING[target.kind]
        case Composite(name=name):
            known = holds is Holds.IDENTIFIERS and name == CUSTOMER_IDENTIFIERS
            return known or holds is Holds.JSON
        case Listing():
            return holds is Holds.JSON
        case Table():
            return holds in (Holds.JSON, Holds.TEXTS)


_FIXED: Final = {
    "eventId": Holds.TEXT,
    "eventName": Holds.WORD,
    "orgId": Holds.NUMBER,
    "definitionVersion": Holds.NUMBER,
    "dialect": Holds.WORD,
    "eventIdOrigin": Holds.WORD,
    "occurredAtOrigin": Holds.WORD,
    "occurredAt": Holds.NUMBER,
    "ingestedAt": Holds.NUMBER,
    "tillCode": Holds.TEXT,
    "webhookId": Holds.TEXT,
    "createCustomer": Holds.BOOLEAN,
    "referral.code": Holds.TEXT,
    "referral.referrerId": Holds.TEXT,
    "loyaltyCard.code": Holds.TEXT,
    "customer.identifiers": Holds.IDENTIFIERS,
    "customer.profile": Holds.TEXTS,
    "trace": Holds.TEXTS,
}
IDENTIFIERS: Final = (Move.AT, "customer"), (Move.AT, "identifiers")
"""The way to the event's identifiers, as they are."""

_FAMILIES: Final = (
    "fields",
    "nested",
    "customer.identifiers",
    "customer.profile",
    "trace",
    "extensions",
)
_HOLDS: Final = {
    FieldType.DATE: Holds.DATE,
    FieldType.CURRENCY_CODE: Holds.WORD,
    FieldType.DOUBLE: Holds.NUMBER,
    FieldType.INTEGER: Holds.NUMBER,
    FieldType.BOOLEAN: Holds.BOOLEAN,
}
_POSITION = re.compile(r"[0-9]{1,9}", re.ASCII)
_IDENTIFIER_TYPES: Final = {kind.lower() for kind in IDENTIFIER_TYPES}


def find_source(path: str, definition: EventDefinition) -> Source | str:
    """Return the source at `path` in events of that definition, or why there can be none."""
    if path in _FIXED:
        return Source(path, _FIXED[path], _way_to(path))
    for family in _FAMILIES:
        name = path.removeprefix(f"{family}.")
        if name != path:
            return _FINDERS[family](path, name, definition)
    families = ", ".join(f"{family}.*" for family in _FAMILIES)
    near = hint(path, [*_FIXED, *(f"fields.{field.name}" for field in definition.fields)])
    return f"an event has no {path}{near}; it has {', '.join(_FIXED)} and {families}"


def find_inside(path: str, root: str, repeated: str) -> Source:
    """Return the source at a path that begins with `root`, an element of the array `repeated`."""
    steps = path.split(".")[1:]
    way = tuple((Move.INTO, step) for step in steps)
    return Source(".".join([f"{repeated}[]", *steps]), Holds.JSON, way, root)


def _way_to(path: str) -> Way:
    head, _, name = path.partition(".")
    if path == "customer.identifiers":
        return (*IDENTIFIERS, (Move.IDENTIFIERS, ""))
    if not name:
        return ((Move.AT, head),)
    return (Move.AT, head), (Move.WITHIN, name)


def _find_field(path: str, name: str, definition: EventDefinition) -> Source | str:
    field = next((field for field in definition.fields if field.name == name), None)
    if field is None:
        return _no_field(name, definition, nested=False)
    if field.shape is Shape.NESTED:
        return f"field {name} is an object or array; write nested.{name}"
    if field.psi:
        return f"field {name} has isPsiData, and no notification carries such values"
    way = (Move.AT, "fields"), (Move.GET, name)
    return Source(path, _HOLDS.get(field.type, Holds.TEXT), way)


def _find_nested(path: str, name: str, definition: EventDefinition) -> Source | str:
    # Names may hold dots themselves, so the longest declared one that leads the path is meant.
    declared = [field.name for field in definition.fields if field.shape is Shape.NESTED]
    leading = [known for known in declared if name == known or name.startswith(f"{known}.")]
    if not leading:
        return _no_field(name, definition, nested=True)
    found = max(leading, key=len)
    steps = name[len(found) + 1 :].split(".") if name != found else []
    inside = ((Move.INTO, step) for step in steps)
    way = (Move.AT, "nested"), (Move.GET, found), (Move.JSON, ""), *inside
    return Source(path, Holds.JSON, way)


def _no_field(name: str, definition: EventDefinition, *, nested: bool) -> str:
    if name == definition.customer.name:
        return f"{name} is the customer; write customer.identifiers"
    names = [f.name for f in definition.fields if (f.shape is Shape.NESTED) is nested]
    kind = "json field" if nested else "field"
    known = ", ".join(names) or "none"
    return f"{definition.event_name} has no {kind} {name}{hint(name, names)}; it has {known}"


def _find_identifier(path: str, name: str, _: EventDefinition) -> Source | str:
    kind = name.lower()
    if kind not in _IDENTIFIER_TYPES:
        near = hint(name, IDENTIFIER_TYPES)
        return f"no such type of identifier{near}; there are {', '.join(IDENTIFIER_TYPES)}"
    return Source(path, Holds.TEXT, (*IDENTIFIERS, (Move.IDENTIFIER, kind)))


def _find_profile(path: str, name: str, _: EventDefinition) -> Source:
    return Source(path, Holds.TEXT, ((Move.AT, "customer"), (Move.AT, "profile"), (Move.GET, name)))


def _find_trace(path: str, name: str, _: EventDefinition) -> Source:
    return Source(path, Holds.TEXT, ((Move.AT, "trace"), (Move.GET, name)))


def _find_extension(path: str, name: str, _: EventDefinition) -> Source:
    return Source(path, Holds.JSON, ((Move.AT, "extensions"), (Move.GET, name), (Move.JSON, "")))


_FINDERS: Final[dict[str, Callable[[str, str, EventDefinition], Source | str]]] = {
    "fields": _find_field,
    "nested": _find_nested,
    "customer.identifiers": _find_identifier,
    "customer.profile": _find_profile,
    "trace": _find_trace,
    "extensions": _find_extension,
}


def read_json(text: str | None) -> Any:  # noqa: ANN401 (any JSON value)
    """Return what `text` says, a misfit where it is no JSON."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Misfit("", "not JSON")


def step_into(value: Any, step: str) -> Any:  # noqa: ANN401 (any JSON value)
    """Return the part of an object or array; of anything else there is none, a misfit stays."""
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and _POSITION.fullmatch(step):
        return value[int(step)] if int(step) < len(value) else None
    return value if isinstance(value, Misfit) else None


def find_identifier(identifiers: Sequence[Mapping[str, Any]], kind: str) -> str | None:
    """Return the first identifier of a type, which is given in lower case."""
    return next((each["value"] for each in identifiers if each["type"].lower() == kind), None)
