"""What a source writes in a unit of its own in, the value that is meant out. Pure.

The list is closed: a definition names a conversion as `{"path": ..., "convert": NAME}`. Nothing is
rounded, and what is already as it has to be goes through unchanged.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from loyaltystream.content import number_text
from loyaltystream.notifications.fitting import Misfit, fit, mismatch, number_of
from loyaltystream.notifications.paths import Holds
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Target

_MOMENT: Final = Scalar(Kind.MOMENT)
_DAY_CHARACTERS: Final = 10
_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]{1,309}),([0-9]{1,309})", re.ASCII)
_NAMES: Final = ("key", "name")


class Conversion(msgspec.Struct, frozen=True):
    """One conversion.

    Attributes:
        convert: makes the value that is to be fitted, or says why there is none.
        takes: what a path may hold.
        makes: what the target may be.
    """

    convert: Callable[[Any, Target], Any]
    takes: frozenset[Holds]
    makes: Callable[[Target], bool]


def label_of(target: Target) -> str | None:
    """Return what the names of pairs are called in an array of pairs, None if it is none."""
    if isinstance(target, Listing) and isinstance(target.items, Composite):
        first = next(iter(target.items.members))
        return first if first in _NAMES and [*target.items.members] == [first, "value"] else None
    return None


def _seconds_to_moment(value: Any, _: Target) -> Any:  # noqa: ANN401 (any JSON)
    number = number_of(value)
    if number is None:
        return Misfit("", mismatch("a number of seconds", value))
    return _whole(
        Decimal(str(number)) * 1000, "seconds of which a millisecond is the smallest part"
    )


def _whole(number: Decimal, needed: str) -> int | Misfit:
    is_whole = number == number.to_integral_value()
    return int(number) if is_whole else Misfit("", f"{needed} are needed")


def _hundredths_to_amount(value: Any, _: Target) -> Any:  # noqa: ANN401 (any JSON)
    number = number_of(value)
    if isinstance(number, float):
        number = int(number) if number.is_integer() else None
    if number is None:
        return Misfit("", mismatch("an integer of hundredths", value))
    return float(Decimal(number) / 100)


def _comma_to_decimal(value: Any, _: Target) -> Any:  # noqa: ANN401 (any JSON)
    matched = _DECIMAL_COMMA.fullmatch(value.strip()) if isinstance(value, str) else None
    return ".".join(matched.groups()) if matched else value


def _moment_to_day(value: Any, _: Target) -> Any:  # noqa: ANN401 (any JSON)
    if isinstance(value, str) and len(value) == _DAY_CHARACTERS and value[4] == "-":
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    misfits: list[Misfit] = []
    moment_ms = fit(value, _MOMENT, misfits)
    if misfits:
        return misfits[0]
    return f"{datetime.fromtimestamp(moment_ms // 1000, UTC):%Y-%m-%d}"


def _to_absolute(value: Any, target: Target) -> Any:  # noqa: ANN401 (any JSON)
    number = number_of(value)
    if number is None:
        return Misfit("", mismatch("a number", value))
    if isinstance(value, str):
        return value.strip().lstrip("+-")  # its decimal places stay
    is_text = isinstance(target, Scalar) and target.kind is Kind.STRING
    return number_text(abs(number)) if is_text else abs(number)


def _to_pairs(value: Any, target: Target) -> Any:  # noqa: ANN401 (any JSON)
    if not isinstance(value, dict):
        return Misfit("", mismatch("an object", value))
    label = label_of(target) or _NAMES[0]
    return [{label: name, "value": value[name]} for name in sorted(value)]


def _any_of(*kinds: Kind) -> Callable[[Target], bool]:
    return lambda target: isinstance(target, Scalar) and target.kind in kinds


_NUMBERS: Final = frozenset({Holds.TEXT, Holds.NUMBER, Holds.JSON})

CONVERSIONS: Final = {
    "secondsToMoment": Conversion(_seconds_to_moment, _NUMBERS, _any_of(Kind.MOMENT)),
    "hundredthsToAmount": Conversion(_hundredths_to_amount, _NUMBERS, _any_of(Kind.DOUBLE)),
    "commaToDecimal": Conversion(
        _comma_to_decimal,
        frozenset({Holds.TEXT, Holds.WORD, Holds.JSON}),
        _any_of(Kind.DOUBLE, Kind.STRING),
    ),
    "momentToDay": Conversion(
        _moment_to_day, _NUMBERS | {Holds.DATE, Holds.WORD}, _any_of(Kind.STRING)
    ),
    "absolute": Conversion(
        _to_absolute, _NUMBERS, _any_of(Kind.DOUBLE, Kind.INT, Kind.LONG, Kind.STRING)
    ),
    "objectToPairs": Conversion(
        _to_pairs,
        frozenset({Holds.JSON, Holds.TEXTS}),
        lambda target: label_of(target) is not None,
    ),
}
"""Every conversion by its name."""
