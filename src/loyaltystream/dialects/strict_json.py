"""One strict reading of JSON: bytes in, a value or the violation that forbids it out. Pure.

Every common decoder is lenient somewhere: duplicate keys win silently, NaN passes, a lone surrogate
passes (reliability.md section 4). Here each of these has a reason of its own. The quick decoder
decides; the slow one is asked only to explain, or when the keys do not add up. All of it is linear
in the bytes, and most of it C: a hostile record costs little more than a good one of its size.
"""

import json
import re
import sys
from collections.abc import Callable
from typing import Any, Final, NoReturn

import msgspec

from loyaltystream.verdicts import Reason, Violation

ANY_SIZE: Final = 2**31
"""More bytes than any record has: for what was let pass, or is only looked at."""

MAX_DEPTH: Final = 64
MAX_KEYS: Final = 1_000
MAX_ITEMS: Final = 10_000
MAX_DOUBLE_DIGITS: Final = 309
_MAX_DOUBLE: Final = int(sys.float_info.max)

_decode = msgspec.json.Decoder().decode
# Only a run's first digit may start a match: tried at each, long runs would cost their square.
_LONG_NUMBER = re.compile(rb"(?<![0-9])[0-9]{%d}" % MAX_DOUBLE_DIGITS)
_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


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
    structure = _structure(raw)
    if _is_too_deep(structure):
        return Violation(Reason.DEPTH, "", f"nested deeper than {MAX_DEPTH} levels")
    try:
        value = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return _explain(raw, error)
    if not isinstance(value, dict):
        return Violation(Reason.NOT_OBJECT, "", f"an object is needed, not {name_type(value)}")
    return _first_violation(raw, structure, value) or value


def _structure(raw: bytes) -> bytes:
    """Return `raw` without its strings: what is left of a colon or a bracket is one."""
    # Pairs of backslashes first: what then stands before a quote escapes it.
    unescaped = raw.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in raw else raw
    return b"".join(unescaped.split(b'"')[::2])


def _is_too_deep(structure: bytes) -> bool:
    """Say whether brackets nest deeper than `MAX_DEPTH`; asked before anything recurses."""
    brackets = structure.translate(_TO_SQUARE, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if b"[]" not in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    # Unclosed brackets are no JSON, but still send a parser down.
    return b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH


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


def _first_violation(raw: bytes, structure: bytes, value: dict[str, Any]) -> Violation | None:
    keys = structure.count(b":")
    if keys > MAX_KEYS:
        return Violation(Reason.SIZE, "", f"{keys} keys, {MAX_KEYS} allowed")
    # Every item is the first of its array or stands behind a comma.
    if structure.count(b",") + structure.count(b"[") > MAX_ITEMS and _has_many_items(value):
        return Violation(Reason.SIZE, "", f"more than {MAX_ITEMS} array items")
    if _LONG_NUMBER.search(structure) and _holds(value, _is_beyond_double):
        return Violation(Reason.JSON_NUMBER, "", _BEYOND_DOUBLE)
    if b"\\u0000" in raw and _holds(value, _is_nul_text):
        return Violation(Reason.CTRL_CHAR, "", "a string holds U+0000")
    return None if keys == _count_keys(value) else _run_slow_parser(raw)


_BEYOND_DOUBLE: Final = "a number beyond the range of a double"


def _has_many_items(value: dict[str, Any]) -> bool:
    items = 0
    open_values: list[Any] = [value]
    while open_values and items <= MAX_ITEMS:
        last = open_values.pop()
        if last.__class__ is dict:
            open_values += last.values()
        elif last.__class__ is list:
            items += len(last)
            open_values += last
    return items > MAX_ITEMS


def _is_beyond_double(value: object) -> bool:
    return isinstance(value, int) and abs(value) > _MAX_DOUBLE


def _is_nul_text(value: object) -> bool:
    return isinstance(value, str) and "\0" in value


def _count_keys(value: dict[str, Any] | list[Any]) -> int:
    """Return how many keys all objects in `value` have."""
    if value.__class__ is dict:
        keys = len(value)
        children: Any = value.values()
    else:
        keys, children = 0, value
    for child in children:
        if child.__class__ is dict or child.__class__ is list:
            keys += _count_keys(child)
    return keys


def _holds(value: Any, asked: Callable[[object], bool]) -> bool:  # noqa: ANN401 (any JSON value)
    """Say whether any key, text or number in `value` is what is asked for."""
    if isinstance(value, dict):
        return any(map(asked, value)) or any(_holds(child, asked) for child in value.values())
    if isinstance(value, list):
        return any(_holds(child, asked) for child in value)
    return asked(value)


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
    if len(digits) > MAX_DOUBLE_DIGITS + 1 or _is_beyond_double(number := int(digits)):
        raise _ForbiddenError(Reason.JSON_NUMBER, _BEYOND_DOUBLE)
    return number


def _checked_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _ForbiddenError(Reason.JSON_NUMBER, _BEYOND_DOUBLE)
    return number


_slow_decoder = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_refuse_constant,
    parse_int=_checked_int,
    parse_float=_checked_float,
)
