"""A definition and an event's fields in, typed values and every violation out. Pure.

The careful twin of `plain.py`: it accepts whatever that accepts, with the same result, and whatever
else is allowed; and it explains. Type rules: domain.md 4.4.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import re2

from loyaltystream.content import canonical_json, number_text
from loyaltystream.definitions.currencies import CURRENCY_CODES
from loyaltystream.definitions.model import EventDefinition, FieldDefinition, FieldType, Shape
from loyaltystream.dialects.strict_json import name_type
from loyaltystream.times import vendor_date
from loyaltystream.verdicts import Reason, Violation

TypedValue = tuple[str, Any]
"""An Avro branch (`boolean`, `long`, `double`, `string`) and a value that fits it."""

_NUMERIC_TEXT = re.compile(r"-?[0-9]{1,309}(\.[0-9]{1,309})?([eE][+-]?[0-9]{1,3})?")
_LONG_RANGE: Final = range(-(2**63), 2**63)
_DATE_PATTERNS: Final = "one of the vendor's 17 date patterns"


class TypedFields(msgspec.Struct):
    """An event's fields in their declared types; `nested` holds objects and arrays as JSON text."""

    scalars: dict[str, TypedValue] = {}
    nested: dict[str, str] = {}
    violations: list[Violation] = []

    def value(self, name: str) -> Any:  # noqa: ANN401 (any JSON value)
        """Return a field's value; an object or array as its canonical JSON."""
        return self.scalars[name][1] if name in self.scalars else self.nested[name]

    def refuse(self, reason: Reason, name: str, detail: str) -> None:
        """Add a violation of the field of that name."""
        self.violations.append(Violation(reason, f"fields.{name}", detail))


def check_fields(
    definition: EventDefinition, fields: Mapping[str, Any], *, strict: bool
) -> TypedFields:
    """Return all fields in their types, with every violation found on the way.

    Undeclared fields keep the type they were sent in; `strict` makes each of them a violation.
    """
    typed = TypedFields()
    for field in definition.fields:
        value = fields.get(field.name)
        if value is not None:
            _CHECKS[field.shape](typed, field, value)
        elif field.unique:
            typed.refuse(Reason.NO_KEY, field.name, "part of the unique key, and missing")
        elif field.required:
            typed.refuse(Reason.REQUIRED, field.name, "missing")
    declared = {field.name for field in definition.fields}
    for name in sorted(fields.keys() - declared):
        if strict:
            typed.refuse(Reason.UNKNOWN_FIELD, name, "not part of the definition")
        else:
            _keep(typed, name, fields[name])
    return typed


def _keep(typed: TypedFields, name: str, value: object) -> None:
    match value:
        case None:
            return
        case bool():
            typed.scalars[name] = ("boolean", value)
        case int() if value not in _LONG_RANGE:
            typed.refuse(Reason.RANGE, name, "an integer beyond 64 bits")
        case int():
            typed.scalars[name] = ("long", value)
        case float():
            typed.scalars[name] = ("double", value + 0.0)
        case str():
            typed.scalars[name] = ("string", value)
        case _:
            typed.nested[name] = canonical_json(value)


def _number(value: object) -> int | float | None:
    """Return the number that `value` is or spells, exactly, or None."""
    match value:
        case bool():
            return None
        case int() | float():
            return value
        case str() if matched := _NUMERIC_TEXT.fullmatch(value):
            return float(value) if any(matched.groups()) else int(value)
        case _:
            return None


def _check_double(typed: TypedFields, field: FieldDefinition, value: object) -> None:
    number = _number(value)
    if number is None:
        typed.refuse(Reason.TYPE, field.name, f"a number is needed, not {name_type(value)}")
    elif isinstance(number, float):
        if number in (float("inf"), float("-inf")):
            typed.refuse(Reason.RANGE, field.name, "beyond the range of a double")
        else:
            typed.scalars[field.name] = ("double", number + 0.0)
    elif number not in _LONG_RANGE:
        typed.refuse(Reason.RANGE, field.name, "an integer beyond 64 bits")
    else:
        # An integer that no double equals stays an integer: points are counted, not estimated.
        exact = float(number) == number
        typed.scalars[field.name] = ("double", float(number)) if exact else ("long", number)


def _check_long(typed: TypedFields, field: FieldDefinition, value: object) -> None:
    number = _number(value)
    if isinstance(number, float):
        number = int(number) if number.is_integer() else None
    if number is None:
        typed.refuse(Reason.TYPE, field.name, f"an integer is needed, not {name_type(value)}")
    elif number not in _LONG_RANGE:
        typed.refuse(Reason.RANGE, field.name, "an integer beyond 64 bits")
    else:
        typed.scalars[field.name] = ("long", number)


def _check_boolean(typed: TypedFields, field: FieldDefinition, value: object) -> None:
    if isinstance(value, bool):
        typed.scalars[field.name] = ("boolean", value)
    else:
        typed.refuse(Reason.TYPE, field.name, f"true or false is needed, not {name_type(value)}")


def _check_nested(typed: TypedFields, field: FieldDefinition, value: object) -> None:
    if isinstance(value, dict | list):
        typed.nested[field.name] = canonical_json(value)
    else:
        detail = f"an object or array is needed, not {name_type(value)}"
        typed.refuse(Reason.TYPE, field.name, detail)


def _check_text(typed: TypedFields, field: FieldDefinition, value: object) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = number_text(value)
    elif isinstance(value, str):
        text = value
    else:
        typed.refuse(Reason.TYPE, field.name, f"a text is needed, not {name_type(value)}")
        return
    if field.unique and not text.strip():
        # Blanks around it do not count, so all events without it would have one key.
        typed.refuse(Reason.NO_KEY, field.name, "part of the unique key, and blank")
    elif field.required and not text:
        typed.refuse(Reason.REQUIRED, field.name, "empty")
    elif refusal := refuse_text(field, text):
        typed.refuse(refusal[0], field.name, refusal[1])
    else:
        typed.scalars[field.name] = ("string", text)


def refuse_text(field: FieldDefinition, text: str) -> tuple[Reason, str] | None:
    """Return what is wrong with a text as that field's value, or None."""
    if not text:  # tills write an empty text for what they do not know
        return None
    if field.possible_values is not None and text not in field.possible_values:
        return Reason.NOT_POSSIBLE, "not among possibleValues"
    if field.type is FieldType.CURRENCY_CODE and text not in CURRENCY_CODES:
        return Reason.TYPE, "not an ISO 4217 code"
    if field.type is FieldType.DATE and vendor_date(text) is None:
        return Reason.FORMAT, f"not {_DATE_PATTERNS}"
    if field.regex is not None and re2.fullmatch(field.regex, text) is None:
        return Reason.FORMAT, "does not match the definition's regex"
    return None


_CHECKS: Final[dict[Shape, Callable[[TypedFields, FieldDefinition, object], None]]] = {
    Shape.TEXT: _check_text,
    Shape.DOUBLE: _check_double,
    Shape.LONG: _check_long,
    Shape.BOOLEAN: _check_boolean,
    Shape.NESTED: _check_nested,
}
