"""The body of the vendor's Create Event API in, a checked definition or all that is wrong out.

Pure. Checks run in the vendor's stages (name 1811, actions 1810, types 1823, attributes 1802); all
problems of a stage are reported together, in the vendor's words (domain.md 3.2).
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import re2

from loyaltystream.definitions.causes import build_notifications
from loyaltystream.definitions.model import (
    EXTENDED_TYPES,
    IDENTIFIER_TYPES,
    PSI_TYPES,
    Action,
    CustomerDefinition,
    EventDefinition,
    FieldDefinition,
    FieldType,
)
from loyaltystream.definitions.ours import check_ours, is_text
from loyaltystream.definitions.problem import Problem
from loyaltystream.notifications.mapping import compile_rules

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_)){0,99}", re.ASCII)
_FIELD_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_FIELD_TYPES: Final = {kind.value.lower(): kind for kind in FieldType}
_IDENTIFIER_TYPES: Final = {kind.lower(): kind for kind in IDENTIFIER_TYPES}
FLAGS: Final = ("isRequired", "isUniqueKeyField", "isPsiData", "addCustomerIfNotExists")
_ATTRIBUTES: Final = {*FLAGS, "identifierType", "regex", "possibleValues", "source", "accountId"}


def parse_definition(
    org_id: int, body: object, *, extended: bool = True
) -> EventDefinition | list[Problem]:
    """Return the definition in `body`, or every problem of the first stage that has any.

    Args:
        org_id: whose definition it is.
        body: of the Create Event API.
        extended: whether there are more than the vendor's types.
    """
    if not isinstance(body, dict):
        return [Problem("NOT_OBJECT", "a definition is a JSON object")]
    check_types = _check_types if extended else _check_vendor_types
    for stage in (_check_name, _check_actions, check_types, _check_attributes, check_ours):
        if problems := list(stage(body)):
            return problems
    definition = _build(org_id, body)
    wrong = compile_rules(definition).problems
    return [Problem("NOTIFICATION", message) for message in wrong] or definition


def _check_name(body: Mapping[str, Any]) -> Iterator[Problem]:
    name = body.get("eventName")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Problem(1811, "event name invalid")


def _check_actions(body: Mapping[str, Any]) -> Iterator[Problem]:
    actions = _actions(body)
    if not actions or not all(action in set(Action) for action in actions):
        yield Problem(1810, f"{body['eventName']} event actions invalid")


def _actions(body: Mapping[str, Any]) -> Sequence[Any]:
    actions = body.get("actions")
    if isinstance(actions, str):
        return [actions]
    return actions if isinstance(actions, list) and all(map(is_text, actions)) else []


def _check_vendor_types(body: Mapping[str, Any]) -> Iterator[Problem]:
    return _check_types(body, _FIELD_TYPES.keys() - {kind.lower() for kind in EXTENDED_TYPES})


def _check_types(
    body: Mapping[str, Any], known: Collection[str] = _FIELD_TYPES.keys()
) -> Iterator[Problem]:
    fields = body.get("fields", [])
    if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
        yield Problem(1823, "fields invalid event field type")
        return
    for field in fields:
        kind = field.get("type")
        if not isinstance(kind, str) or kind.lower() not in known:
            said = kind if isinstance(kind, str) else msgspec.json.encode(kind).decode()
            yield Problem(1823, f"{said} invalid event field type")


def _check_attributes(body: Mapping[str, Any]) -> Iterator[Problem]:
    fields = body.get("fields", [])
    names = [field.get("name") for field in fields]
    counts = Counter(name for name in names if isinstance(name, str))
    for field, name in zip(fields, names, strict=True):
        if not isinstance(name, str) or not _FIELD_NAME.fullmatch(name) or counts[name] > 1:
            yield _invalid("name", name)
        yield from _check_field(str(name), field)
    if sum(_is_customer(field) for field in fields) != 1:
        yield _invalid("customer", None)


def _check_field(name: str, field: Mapping[str, Any]) -> Iterator[Problem]:
    attributes = {} if field.get("attributes") is None else field["attributes"]
    if not isinstance(attributes, dict):
        yield _invalid("attributes", name)
        return
    for attribute, content in attributes.items():
        yield from _check_attribute(name, attribute, content)
    if _flag(attributes, "isUniqueKeyField") and _flag(attributes, "isRequired") is False:
        yield _invalid("isRequired", name)
    if _flag(attributes, "isPsiData") and _FIELD_TYPES[field["type"].lower()] not in PSI_TYPES:
        yield _invalid("isPsiData", name)
    if field["type"].lower() == FieldType.ENUM and "possibleValues" not in attributes:
        yield _invalid("possibleValues", name)


def _check_attribute(name: str, attribute: str, content: object) -> Iterator[Problem]:
    check = _ATTRIBUTE_CHECKS.get(attribute, is_text)
    if attribute not in _ATTRIBUTES or not check(_value(attribute, content)):
        yield _invalid(attribute, name)
    elif isinstance(content, dict) and not _is_value_type(content.get("valueType")):
        yield _invalid("valueType", name)


def _invalid(validation: str, name: object) -> Problem:
    text = f"field attribute value fails for validation type {validation}"
    return Problem(1802, text, name if isinstance(name, str) else None)


def _value(attribute: str, content: object) -> object:
    """Return an attribute's value; the vendor writes all as text, `possibleValues` apart."""
    if not isinstance(content, dict):
        return None
    if attribute == "possibleValues":
        return content.get("values", content.get("value"))
    return content.get("value")


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in _TRUTH)


def _is_pattern(value: object) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        re2.compile(value, _QUIET)
    except re2.error:
        return False
    return True


def _is_value_type(kind: object) -> bool:
    """Say whether that is one of the vendor's, in any case; it may be left out."""
    return kind is None or (isinstance(kind, str) and kind.lower() in _VALUE_TYPES)


def _is_text_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_text, value))


_QUIET = re2.Options()
_QUIET.log_errors = False
_VALUE_TYPES: Final = frozenset({"boolean", "enum", "string"})
_TRUTH: Final = {"true": True, "false": False}
_ATTRIBUTE_CHECKS: Final[dict[str, Callable[[object], bool]]] = {
    **dict.fromkeys(FLAGS, _is_flag),
    "identifierType": lambda value: str(value).lower() in _IDENTIFIER_TYPES,
    "regex": _is_pattern,
    "possibleValues": _is_text_list,
}


def _flag(attributes: Mapping[str, Any], attribute: str) -> bool | None:
    value = _value(attribute, attributes.get(attribute))
    return value if isinstance(value, bool) else _TRUTH.get(str(value).lower())


def canonical_type(kind: str) -> str:
    """Return a type that is known in any case, in the vendor's spelling."""
    return _FIELD_TYPES[kind.lower()].value


def canonical_identifier_type(kind: str) -> str:
    """Return an identifier's type that is known in any case, in the vendor's spelling."""
    return _IDENTIFIER_TYPES[kind.lower()]


def _is_customer(field: Mapping[str, Any]) -> bool:
    return str(field.get("type")).lower() == FieldType.CUSTOMER


def _build(org_id: int, body: Mapping[str, Any]) -> EventDefinition:
    fields = body.get("fields", [])
    return EventDefinition(
        org_id=org_id,
        event_name=body["eventName"],
        version=body.get("version", 1),
        description=str(body.get("description") or ""),
        actions=tuple(dict.fromkeys(map(Action, _actions(body)))),
        customer=next(_build_customer(field) for field in fields if _is_customer(field)),
        fields=tuple(_build_field(field) for field in fields if not _is_customer(field)),
        notifications=tuple(build_notifications(body.get("notifications", []))),
        uniqueness_window_days=body.get("uniquenessWindow", 30),
        unique_key_conflicts=body.get("uniqueKeyConflicts", False),
        accepts_late=body.get("acceptsLate", False),
        disabled=body.get("disabled", False),
    )


def _build_customer(field: Mapping[str, Any]) -> CustomerDefinition:
    attributes = field.get("attributes") or {}
    kind = str(_value("identifierType", attributes.get("identifierType")) or "mobile")
    return CustomerDefinition(
        name=field["name"],
        identifier_type=_IDENTIFIER_TYPES[kind.lower()],
        add_if_not_exists=bool(_flag(attributes, "addCustomerIfNotExists")),
    )


def _build_field(field: Mapping[str, Any]) -> FieldDefinition:
    attributes = field.get("attributes") or {}
    unique = bool(_flag(attributes, "isUniqueKeyField"))
    regex: Any = _value("regex", attributes.get("regex"))
    values: Any = _value("possibleValues", attributes.get("possibleValues"))
    return FieldDefinition(
        name=field["name"],
        type=_FIELD_TYPES[field["type"].lower()],
        required=unique or bool(_flag(attributes, "isRequired")),
        unique=unique,
        regex=regex,
        possible_values=tuple(values) if values else None,
        psi=bool(_flag(attributes, "isPsiData")),
    )
