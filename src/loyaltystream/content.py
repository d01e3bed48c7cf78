"""What an event says, in one canonical text: for telling a resend from a conflict. Pure.

Content is event name, partition key and all fields as sent: keys sorted, numbers by value, null as
absent, without ids, times and trace; no definition has a say in it (design.md section 3). Its text
is latin-1, a character a byte: texts are in UTF-8, numbers are doubles as Avro has them, too.
"""

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

END: Final = "\x1e"
"""Ends every part. No text holds it unescaped, so no two contents have the same text."""

NUMBER: Final = "#"
"""Begins a number of eight bytes, which may hold anything."""

EXACT: Final = 2**53
"""Doubles hold every integer below this."""

_WRITTEN_OUT: Final = 10**22
"""Whole numbers below this are written digit by digit; a larger double may have 309 of them."""

_pack = struct.Struct("<d").pack
_ESCAPES: Final = {code: f"\\u{code:04x}" for code in range(0x20)} | {ord("\\"): "\\\\"}
_NAME_ESCAPES: Final = _ESCAPES | {ord("="): "\\="}


def escape(text: str) -> str:
    """Return `text` as content has it, without control characters.

    ASCII free of them and of backslashes is itself.
    """
    return text.translate(_ESCAPES).encode().decode("latin-1")


def escape_name(name: str) -> str:
    """Return a field's name such that the first bare `=` after it is where it ends."""
    return name.translate(_NAME_ESCAPES).encode().decode("latin-1")


def number_text(number: float) -> str:
    """Return the same text for numbers of the same value: 5 and 5.0 are both `5`.

    Never much longer than the shortest text that a producer could send: 1e308 stays short.
    """
    if number != int(number):
        return repr(number)
    if -_WRITTEN_OUT < number < _WRITTEN_OUT:
        return repr(int(number))
    return repr(float(number)) if number == float(number) else repr(number)


def number_content(number: float) -> str:
    """Return a number as content has it: by value.

    Below 2^53, where doubles hold every integer, it is the double, little-endian.
    """
    if -EXACT < number < EXACT:
        return NUMBER + _pack(number + 0.0).decode("latin-1")  # -0.0 is 0.0
    return number_text(number)


def canonical_json(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return `value` as JSON with sorted keys, no white space, and numbers by value."""
    match value:
        case dict():
            members = (f"{_quote(key)}:{canonical_json(value[key])}" for key in sorted(value))
            return "{" + ",".join(members) + "}"
        case list() | tuple():
            return "[" + ",".join(map(canonical_json, value)) + "]"
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return number_text(value)
        case _:
            return _quote(value)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def value_text(value: Any) -> str:  # noqa: ANN401 (any JSON value but null)
    """Return a field's value, marked such that a text never equals a number or an object."""
    match value:
        case str():
            return '"' + escape(value)
        case int() | float() if not isinstance(value, bool):
            return number_content(value)
        case _:
            return canonical_json(value).encode().decode("latin-1")


def fields_text(fields: Mapping[str, Any]) -> str:
    """Return all fields but the null ones, in order of their names."""
    return "".join(
        f"{escape_name(name)}={value_text(fields[name])}{END}"
        for name in sorted(fields)
        if fields[name] is not None
    )


def unique_texts(values: Iterable[Any]) -> tuple[str, ...]:
    """Return the values of a unique key: text trimmed but case-kept, numbers by value."""
    return tuple(
        '"' + value.strip() if isinstance(value, str) else value_text(value) for value in values
    )


def fingerprint(event_name: str, key: str, fields: str) -> int:
    """Return 4 bytes of the content, as an unsigned integer.

    A CRC: it tells different content of one id apart with 2^-32 left to chance, at 0.2 us an event
    where a keyed hash costs five times that. It protects nothing against a producer who forges.

    Args:
        event_name: the event's name, escaped.
        key: its partition key, escaped.
        fields: its fields' canonical text.
    """
    return zlib.crc32(f"{event_name}{END}{key}{END}{fields}".encode("latin-1"))
