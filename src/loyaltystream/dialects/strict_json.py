"""One strict reading of JSON: bytes in, a value or the violation that forbids it out. Pure.

Every common decoder is lenient somewhere: duplicate keys win silently, NaN passes, a lone surrogate
passes (reliability.md section 4). Here each of these has a reason of its own. The quick decoder
decides; the slow one is asked only to explain, or when the keys do not add up.
"""

import json
import re
from typing import Any, Final, NoReturn

import msgspec

from loyaltystream.verdicts import Reason, Violation

MAX_DEPTH: Final = 64
MAX_KEYS: Final = 1_000
MAX_ITEMS: Final = 10_000
MAX_DOUBLE_DIGITS: Final = 309

_decode = msgspec.json.Decoder().decode
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(rb"[][{}]")
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % MAX_DOUBLE_DIGITS)
_SPACED_COLONS = (b" :", b"\n:", b"\t:", b"\r:")


class _ForbiddenError(ValueError):
    """Carries a violation out of the standard library's parser."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.violation = Violation(reason, "", detail)


def parse(raw: bytes, *, max_bytes: int) -> dict[str, Any] | Violation:
    """Return the JSON object in `raw`, or the one violation that makes it unreadable.

    Integers stay exact, whatever their size; keys are unique at every level.
    """
    if len(raw) > max_bytes:
        return Violation(Reason.SIZE, "", f"{len(raw)} bytes, {max_bytes} allowed")
    if not raw.strip():
        return Violation(Reason.EMPTY, "", "no bytes but white space")
    if is_too_deep(raw):
        return Violation(Reason.DEPTH, "", f"nested deeper than {MAX_DEPTH} levels")
    try:
        value = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return _explain(raw, error)
    if not isinstance(value, dict):
        return Violation(Reason.NOT_OBJECT, "", f"an object is needed, not {name_type(value)}")
    return _first_violation(raw, value) or value


def is_too_deep(raw: bytes) -> bool:
    """Say whether `raw` nests deeper than `MAX_DEPTH`, without parsing it."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", raw)):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def has_keys(raw: bytes, keys: int) -> bool:
    """Say whether `raw` surely has no more than that many keys, duplicates included.

    Every key stands before a colon, and before a white-space-free `":` where none hides it. Strings
    may hold the same bytes, so a larger count proves nothing, and an equal one everything.
    """
    if raw.count(b":") == keys:
        return True
    return raw.count(b'":') == keys and not any(spaced in raw for spaced in _SPACED_COLONS)


def name_type(value: object) -> str:
    """Return the JSON name of a value's type, for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _first_violation(raw: bytes, value: dict[str, Any]) -> Violation | None:
    keys, items, strange_number = _measure(value) if _needs_measuring(raw) else (0, 0, False)
    if keys > MAX_KEYS or items > MAX_ITEMS:
        return Violation(Reason.SIZE, "", f"{keys} keys ({MAX_KEYS} allowed), {items} array items")
    if strange_number:
        return Violation(Reason.JSON_NUMBER, "", "a number beyond the range of a double")
    if b"\\u0000" in raw and _holds_nul(value):
        return Violation(Reason.CTRL_CHAR, "", "a string holds U+0000")
    if not has_keys(raw, _count_keys(value)):
        return _run_slow_parser(raw)
    return None


def _needs_measuring(raw: bytes) -> bool:
    return raw.count(b",") > MAX_KEYS or _LONG_NUMBER.search(raw) is not None


def _measure(value: Any) -> tuple[int, int, bool]:  # noqa: ANN401 (any JSON value)
    """Return keys, array items, and whether a number is out of every double's range."""
    keys = items = 0
    strange_number = False
    open_values = [value]
    while open_values:
        match open_values.pop():
            case dict() as table:
                keys += len(table)
                open_values += table.values()
            case list() as array:
                items += len(array)
                open_values += array
            case int() as number:
                strange_number |= abs(number) >= 10**MAX_DOUBLE_DIGITS
            case _:
                pass
    return keys, items, strange_number


def _count_keys(value: dict[str, Any] | list[Any]) -> int:
    if value.__class__ is dict:
        keys = len(value)
        children: Any = value.values()
    else:
        keys, children = 0, value
    for child in children:
        if child.__class__ is dict or child.__class__ is list:
            keys += _count_keys(child)
    return keys


def _holds_nul(value: Any) -> bool:  # noqa: ANN401 (any JSON value)
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_holds_nul, value)) or any(map(_holds_nul, value.values()))
    return isinstance(value, list) and any(map(_holds_nul, value))


def _explain(raw: bytes, error: Exception) -> Violation:
    try:
        raw.decode()
    except UnicodeDecodeError as undecodable:
        return Violation(Reason.ENCODING, "", f"not UTF-8 at byte {undecodable.start}")
    found = _run_slow_parser(raw)
    if found is not None:
        return found
    # The standard library took what the quick decoder refused: only half a surrogate pair is left.
    if rb"\u" in raw:
        return Violation(Reason.ENCODING, "", "an escape is one half of a surrogate pair")
    return Violation(Reason.JSON_SYNTAX, "", f"not JSON: {type(error).__name__}")


def _run_slow_parser(raw: bytes) -> Violation | None:
    try:
        _slow_decoder.decode(raw.decode())
    except _ForbiddenError as forbidden:
        return forbidden.violation
    except json.JSONDecodeError as error:
        return Violation(Reason.JSON_SYNTAX, "", f"not JSON at character {error.pos}: {error.msg}")
    except RecursionError:
        return Violation(Reason.DEPTH, "", f"nested deeper than {MAX_DEPTH} levels")
    return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise _ForbiddenError(Reason.DUP_KEY, "an object has the same key twice")
    return table


def _refuse_constant(_: str) -> NoReturn:
    raise _ForbiddenError(Reason.JSON_NUMBER, "NaN and Infinity are not JSON")


def _checked_int(digits: str) -> int:
    if len(digits) > MAX_DOUBLE_DIGITS:
        raise _ForbiddenError(Reason.JSON_NUMBER, "a number beyond the range of a double")
    return int(digits)


def _checked_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _ForbiddenError(Reason.JSON_NUMBER, "a number beyond the range of a double")
    return number


_slow_decoder = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_refuse_constant,
    parse_int=_checked_int,
    parse_float=_checked_float,
)
