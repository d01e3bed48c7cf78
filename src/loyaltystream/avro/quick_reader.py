"""A schema in, a generated function from Avro to what it holds out: the hot path of NOTIFY.

Pure. The bytes become one latin-1 text, of which texts are slices; lengths and numbers are read
from the bytes. Whatever is unusual, or not right, is left to fastavro, which reads or refuses it:
so there is one opinion on what a record is (a property test holds the quick way to that).
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from loyaltystream.avro.schemas import Schema
from loyaltystream.errors import SchemaError

Read = Callable[[bytes, int], dict[str, Any] | None]
"""Takes bytes and where the record begins, up to their end; None: only fastavro can tell."""

_LONG: Final = (
    "{0} = raw[at]",
    "if {0} & 0x81: {0}, at = NUMBER(raw, at)",
    "else: {0} >>= 1; at += 1",
)
_SINGLE: Final = {
    "null": ("{0} = None",),
    "boolean": ("{0} = (False, True)[raw[at]]; at += 1",),
    "int": (_LONG[0], "if {0} & 0x81: {0}, at = SMALL(raw, at)", *_LONG[2:]),
    "long": _LONG,
    "double": ("{0} = DOUBLE(raw, at)[0]; at += 8",),
    # An end beyond the bytes' own shows at the next read, or where the last one ends.
    "string": (
        "size = raw[at]",
        "if size & 0x81: start, at = SPAN(raw, at)",
        "else: start = at + 1; at = start + (size >> 1)",
        "{0} = text[start:at]",
        "if not {0}.isascii(): {0} = {0}.encode('latin-1').decode()",
    ),
}
_LONGEST: Final = 9
"""Bytes of a number that Python reads at once; the tenth is only for numbers beyond 2^62."""

_LONGEST_INT: Final = 5


class _UnusualError(ValueError):
    """Content that is left to fastavro."""


def compile_reader(schema: Schema) -> Read:
    """Return the reader made for a schema without logical types and bare nulls.

    Raises:
        SchemaError: if it has what `BehavioralEvent` has not.
    """
    lines = list(_Lines().record(schema, "event"))
    names: dict[str, Any] = {
        "NUMBER": _number,
        "SMALL": _small,
        "SPAN": _span,
        "DOUBLE": struct.Struct("<d").unpack_from,
        "UNUSUAL": _UnusualError,
    }
    source = [
        "def read(raw, at):",
        "    text = raw.decode('latin-1')",
        *(f"    {line}" for line in lines),
        "    return event if at == len(raw) else None",
    ]
    exec("\n".join(source), names)  # noqa: S102 (the source is ours)
    quick: Callable[[bytes, int], dict[str, Any]] = names["read"]

    def read(raw: bytes, at: int) -> dict[str, Any] | None:
        try:
            return quick(raw, at)
        except (ValueError, IndexError, struct.error):  # unusual, no UTF-8, or cut off
            return None

    return read


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """Return Avro's long at a place, and the place behind it."""
    folded = raw[at] & 0x7F
    shift = 7
    if raw[at] < 0x80:
        return (folded >> 1) ^ -(folded & 1), at + 1
    for byte in raw[at + 1 : at + _LONGEST]:
        folded |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (folded >> 1) ^ -(folded & 1), at + 1 + shift // 7
        shift += 7
    raise _UnusualError


def _small(raw: bytes, at: int) -> tuple[int, int]:
    """Return Avro's int at a place, and the place behind it."""
    number, behind = _number(raw, at)
    if behind - at > _LONGEST_INT or not -(1 << 31) <= number < 1 << 31:
        raise _UnusualError
    return number, behind


def _span(raw: bytes, at: int) -> tuple[int, int]:
    """Return where the text at a place begins and ends."""
    size, start = _number(raw, at)
    if size < 0:
        raise _UnusualError
    return start, start + size


class _Lines:
    """Writes statements that read what lies at `at` into a variable, and move on."""

    def __init__(self) -> None:
        self._variables = 0

    def record(self, schema: Schema, target: str) -> Iterator[str]:
        """Yield statements that read a record, field by field."""
        names = []
        for field in schema["fields"]:
            variable = self._variable()
            yield from self._read(field["type"], variable)
            names.append(f"{field['name']!a}: {variable}")
        yield f"{target} = {{{', '.join(names)}}}"

    def _variable(self) -> str:
        self._variables += 1
        return f"v{self._variables}"

    def _read(self, schema: Any, target: str) -> Iterator[str]:  # noqa: ANN401 (Avro's JSON)
        match schema:
            case str() if schema in _SINGLE:
                yield from (line.format(target) for line in _SINGLE[schema])
            case {"type": "record"}:
                yield from self.record(schema, target)
            case {"type": "array", "items": items}:
                yield f"{target} = []"
                entry = self._variable()
                lines = [*self._read(items, entry), f"{target}.append({entry})"]
                yield from self._blocks(lines)
            case {"type": "map", "values": values}:
                yield f"{target} = {{}}"
                name, entry = self._variable(), self._variable()
                lines = [*self._read("string", name), *self._read(values, entry)]
                yield from self._blocks([*lines, f"{target}[{name}] = {entry}"])
            case list():
                yield from self._union(schema, target)
            case {"type": str(kind)}:
                yield from self._read(kind, target)
            case _:
                raise SchemaError(f"no reader can be made for an Avro {schema}")

    def _blocks(self, lines: list[str]) -> Iterator[str]:
        """Yield statements that read the blocks of an array or map, each of at least one entry."""
        count = self._variable()
        yield from self._read("long", count)
        yield f"while {count}:"
        yield f"    if {count} < 0: raise UNUSUAL"
        yield f"    for _ in range({count}):"
        yield from (f"        {line}" for line in lines)
        yield from (f"    {line}" for line in self._read("long", count))

    def _union(self, branches: list[Any], target: str) -> Iterator[str]:
        branch = self._variable()
        yield f"{branch} = raw[at]; at += 1"
        word = "if"
        for position, schema in reversed(list(enumerate(branches))):
            yield f"{word} {branch} == {2 * position}:"
            yield from (f"    {line}" for line in self._read(schema, target))
            word = "elif"
        yield "else: raise UNUSUAL"
