"""Any JSON value in, a value of the needed Avro type out, or why it is none. Pure.

Nothing is guessed and nothing rounded: a value keeps its meaning or it is refused.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

import msgspec

from loyaltystream.content import number_text
from loyaltystream.dialects.strict_json import name_type
from loyaltystream.memo import Memo
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Table, Target
from loyaltystream.times import due_ms, vendor_date
from loyaltystream.verdicts import Reason


class Misfit(msgspec.Struct, frozen=True):
    """Why a value does not fit; `path` leads from the value to the part that does not."""

    path: str
    detail: str


_NUMERIC_TEXT = re.compile(r"[+-]?[0-9]{1,309}(\.[0-9]{1,309})?([eE][+-]?[0-9]{1,3})?")
_INTS: Final = {Kind.INT: range(-(2**31), 2**31), Kind.LONG: range(-(2**63), 2**63)}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def fit(value: Any, target: Target, misfits: list[Misfit], path: str = "") -> Any:  # noqa: ANN401
    """Return `value` as `target` needs it; what does not fit is noted.

    Blank text is null where no text is needed: tills write it for what they do not know.
    """
    if value is None or (value.__class__ is str and not value.strip() and not _is_text(target)):
        return _fit_nothing(target, misfits, path)
    match target:
        case Scalar(kind=kind):
            fitted = _SCALARS[kind](value)
            if not isinstance(fitted, Misfit):
                return fitted
            misfits.append(Misfit(path, fitted.detail))
        case Composite() if isinstance(value, dict):
            return _fit_composite(value, target, misfits, path)
        case Table(values=values) if isinstance(value, dict):
            return {
                name: fit(entry, values, misfits, f"{path}.{name}") for name, entry in value.items()
            }
        case Listing(items=items) if isinstance(value, list):
            return [
                fit(entry, items, misfits, f"{path}[{position}]")
                for position, entry in enumerate(value)
            ]
        case _:
            needed = "an array" if isinstance(target, Listing) else "an object"
            misfits.append(Misfit(path, mismatch(needed, value)))
    return None


def _is_text(target: Target) -> bool:
    return isinstance(target, Scalar) and target.kind in (Kind.STRING, Kind.DYNAMIC)


def _fit_nothing(target: Target, misfits: list[Misfit], path: str) -> list[Any] | None:
    if target.nullable:
        return None
    if isinstance(target, Listing):
        return []
    misfits.append(Misfit(path, "missing"))
    return None


def _fit_composite(
    value: dict[str, Any], target: Composite, misfits: list[Misfit], path: str
) -> dict[str, Any]:
    known = value.keys() & target.members.keys()
    if len(known) < len(value):
        # Which keys is not said: they may be a customer's data.
        record = target.name.rpartition(".")[2]
        misfits.append(Misfit(path, f"{len(value) - len(known)} keys that {record} lacks"))
    return {
        name: part
        if _is_usual(part := value.get(name), member)
        else fit(part, member, misfits, f"{path}.{name}")
        for name, member in target.members.items()
    }


def _is_usual(value: object, target: Target) -> bool:
    """Say whether a value fits as it is: a plain text, or nothing where that is allowed."""
    if value is None:
        return target.nullable
    is_plain = isinstance(value, str) and value.isascii()
    return is_plain and isinstance(target, Scalar) and target.kind is Kind.STRING


def mismatch(needed: str, value: object) -> str:
    """Return why a value is none of what is needed."""
    return f"{needed} is needed, not {name_type(value)}"


def number_of(value: object) -> int | float | None:
    """Return the finite number that `value` is or spells, or None."""
    match value:
        case bool():
            return None
        case int():
            return value
        case float():
            return value if isfinite(value) else None
        case str() if matched := _NUMERIC_TEXT.fullmatch(value.strip()):
            spelled = float(value) if any(matched.groups()) else int(value)
            return spelled if isinstance(spelled, int) or isfinite(spelled) else None
        case _:
            return None


def _fit_string(value: object) -> str | Misfit:
    match value:
        case str():
            return value if value.isascii() or _is_unicode(value) else Misfit("", "not Unicode")
        case bool():
            return "true" if value else "false"
        case int() | float() if (number := number_of(value)) is not None:
            return number_text(number)
        case _:
            return Misfit("", mismatch(Kind.STRING, value))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _fit_integer(kind: Kind) -> Callable[[object], int | Misfit]:
    allowed = _INTS[kind]

    def fit_integer(value: object) -> int | Misfit:
        number = number_of(value)
        if isinstance(number, float):
            number = int(number) if number.is_integer() else None
        if number is None:
            return Misfit("", mismatch(kind, value))
        return number if number in allowed else Misfit("", f"{kind} is needed, this one is larger")

    return fit_integer


def _fit_double(value: object) -> float | Misfit:
    number = number_of(value)
    if number is None:
        return Misfit("", mismatch(Kind.DOUBLE, value))
    try:
        double = float(number)
    except OverflowError:
        return Misfit("", "beyond the range of a double")
    return double + 0.0 if double == number else Misfit("", "an integer that no double equals")


def _fit_boolean(value: object) -> bool | Misfit:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower(), value)
    return value if isinstance(value, bool) else Misfit("", mismatch(Kind.BOOLEAN, value))


def _fit_moment(value: object) -> int | Misfit:
    return _WRITTEN[value] if isinstance(value, str) else _to_moment(value)


def _to_moment(value: object) -> int | Misfit:
    number = number_of(value)
    moment = due_ms(value if number is None else number)
    if isinstance(moment, Reason) and isinstance(value, str) and number is None:
        dated = vendor_date(value)
        moment = moment if dated is None else due_ms((dated - _EPOCH) // _MILLISECOND)
    if not isinstance(moment, Reason):
        return moment
    if number is None and not isinstance(value, str):
        return Misfit("", mismatch(Kind.MOMENT, value))
    return Misfit("", f"{Kind.MOMENT} of 2000 to 9999 is needed")


_WRITTEN: Final[Memo[str, int | Misfit]] = Memo(_to_moment, 4096)
"""Moments as texts: a text costs up to 20 us, and days recur."""


def _fit_dynamic(value: object) -> tuple[str, Any] | Misfit:
    match value:
        case str():
            return ("string", value) if _is_unicode(value) else Misfit("", "not Unicode")
        case bool():
            return "boolean", value
        case int() if value in _INTS[Kind.LONG]:
            return "long", value
        case float() if isfinite(value):
            return "double", value
        case _:
            return Misfit("", mismatch(Kind.DYNAMIC, value))


_SCALARS: Final[dict[Kind, Callable[[object], Any]]] = {
    Kind.STRING: _fit_string,
    Kind.INT: _fit_integer(Kind.INT),
    Kind.LONG: _fit_integer(Kind.LONG),
    Kind.DOUBLE: _fit_double,
    Kind.BOOLEAN: _fit_boolean,
    Kind.MOMENT: _fit_moment,
    Kind.DYNAMIC: _fit_dynamic,
}
