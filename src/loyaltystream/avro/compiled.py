"""A schema in, a generated function from a value to its Avro out: the hot path of NOTIFY.

Pure. A function for each record puts one latin-1 text together (`text.py`). It takes values of the
very types that the schema has; whatever else comes goes to fastavro, which takes or refuses it. So
there is one opinion on what fits, and the same bytes either way (a property test holds them to it).
"""

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NoReturn

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.text import GROUPS, HIGH, LENGTHS, LONG_SOURCE, NULL, SOME, zigzag

Encode = Callable[[dict[str, Any]], bytes]

_LATIN: Final = "latin-1"
_BITS: Final = {"int": 31, "long": 63}


class _UnusualError(ValueError):
    """A value, or a schema, that is left to fastavro."""


@cache
def load_encoder(name: str) -> Encode:
    """Return the encoder of the schema of that full name."""
    return compile_encoder(schemas.load(name))


def compile_encoder(schema: Schema) -> Encode:
    """Return the encoder made for a loaded schema; it raises as `schemas.encode` does."""
    try:
        quick = _Compiler().compile(schema)
    except _UnusualError:
        return lambda value: schemas.encode(schema, value)

    def encode(value: dict[str, Any]) -> bytes:
        try:
            return quick(value).encode(_LATIN)
        except (ValueError, IndexError):  # unusual, half of a surrogate pair, or a very long text
            return schemas.encode(schema, value)

    return encode


def _unusual(_: object) -> NoReturn:
    raise _UnusualError


def _text(value: object) -> str:
    """Return the Avro string of any text."""
    if value.__class__ is not str:
        raise _UnusualError
    latin = str(value).encode().decode(_LATIN)
    return LENGTHS[len(latin)] + latin


class _Compiler:
    """Collects the functions of all records below a schema.

    Expressions stand inside f-strings, where Python 3.11 allows them no quotation mark.
    """

    def __init__(self) -> None:
        self._functions: dict[str, str] = {}
        self._source: list[str] = []
        self._names: dict[str, Any] = {
            "GROUPS": GROUPS,
            "HIGH": HIGH,
            "JOIN": "".join,
            "LATIN": _LATIN,
            "LENGTHS": LENGTHS,
            "LONG": zigzag,
            "NULL": NULL,
            "PACK": struct.Struct("<d").pack,
            "SOME": SOME,
            "TEXT": _text,
            "UNUSUAL": _unusual,
        }

    def compile(self, schema: Schema) -> Callable[[Any], str]:
        """Return the function that makes Avro, as latin-1 text, of a record's value.

        Raises:
            _UnusualError: if the schema has something that no notification has.
        """
        name = self._function_of(schema)
        exec("\n".join(self._source), self._names)  # noqa: S102 (the source is ours)
        function: Callable[[Any], str] = self._names[name]
        return function

    def _function_of(self, record: Schema) -> str:
        """Write the function of a record; return its name."""
        function = self._functions[record["name"]] = f"record_{len(self._functions)}"
        reads, pieces = [], []
        for position, field in enumerate(record["fields"]):
            value, default = f"value_{position}", f"{function}_default_{position}"
            self._names[default] = field.get("default")
            lacking = "" if field.get("default") is None else f", {default}"
            reads.append(f"    {value} = get({field['name']!a}{lacking})")
            pieces.append(f"{{{self._piece(field['type'], value)}}}")
        self._source += [
            f"def {function}(value):",
            "    if value.__class__ is not dict: UNUSUAL(value)",
            "    get = value.get",
            *reads,
            f"    return f'{''.join(pieces)}'",
        ]
        return function

    def _union_of(self, branches: list[str]) -> str:
        """Write the function of a union whose values are pairs of branch and value, or null."""
        function = f"union_{len(self._source)}"
        lines = [f"def {function}(pair):", "    branch, value = pair"]
        lines.insert(1, "    if pair.__class__ is not tuple: UNUSUAL(pair)")
        for position, branch in enumerate(branches):
            number = ascii(LENGTHS[position])
            if branch == "null":
                lines.insert(1, f"    if pair is None: return {number}")
            else:
                piece = _single(branch, "value")
                lines.append(f"    if branch == {branch!a}: return {number} + ({piece})")
        self._source += [*lines, "    UNUSUAL(pair)"]
        return function

    def _piece(self, schema: Any, value: str) -> str:  # noqa: ANN401 (Avro's JSON)
        """Return an expression for the Avro of what a variable holds."""
        match schema:
            case str() if schema in self._functions:
                made = f"{self._functions[schema]}({value})"
            case {"type": "record"}:
                made = f"{self._function_of(schema)}({value})"
            case {"type": "array", "items": items}:
                made = _block(value, "list", f"{self._piece(items, 'each')} for each in {value}")
            case {"type": "map", "values": values}:
                entry = f"TEXT(name) + ({self._piece(values, 'each')})"
                made = _block(value, "dict", f"{entry} for name, each in {value}.items()")
            case ["null", rest]:
                made = f"NULL if {value} is None else SOME + ({self._piece(rest, value)})"
            case list() if all(isinstance(branch, str) for branch in schema):
                made = f"{self._union_of(schema)}({value})"
            case {"type": "long", "logicalType": "timestamp-millis"}:
                made = _single("long", value)
            case _:
                made = _single(schema, value)
        return made


def _block(value: str, kind: str, entries: str) -> str:
    """Return an expression for an array or a map, which has no block where it is empty."""
    full = f"LENGTHS[len({value})] + JOIN([{entries}]) + NULL"
    return f"({full} if {value} else NULL) if {value}.__class__ is {kind} else UNUSUAL({value})"


def _single(schema: object, value: str) -> str:
    """Return an expression for a primitive.

    Raises:
        _UnusualError: if it is none that is known here.
    """
    match schema:
        case "string":
            kind = "str"
            made = f"LENGTHS[len({value})] + {value} if {value}.isascii() else TEXT({value})"
        case "boolean":
            kind, made = "bool", f"chr({value})"
        case "double":
            kind, made = "float", f"PACK({value}).decode(LATIN)"
        case "int" | "long":
            edge = 1 << _BITS[str(schema)]
            kind = "int"
            made = (
                f"({LONG_SOURCE.format(value)}) if {-edge} <= {value} < {edge}"
                f" else UNUSUAL({value})"
            )
        case _:
            raise _UnusualError
    return f"({made}) if {value}.__class__ is {kind} else UNUSUAL({value})"
