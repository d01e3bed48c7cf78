"""A definition in, generated functions for the usual kind of its events out: the hot path.

Pure. An event is plain when its fields are declared, of their very type, and all ASCII without
escapes; then decoding, content and encoding are straight-line code made for this definition. What
is not plain goes to `checking.py`, which gives the same result (a property test holds them to it).
"""

import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
import re2

from loyaltystream.avro.text import LENGTHS, LONGS
from loyaltystream.content import END, EXACT, canonical_json, escape_name
from loyaltystream.definitions.currencies import CURRENCY_CODES
from loyaltystream.definitions.model import EventDefinition, FieldDefinition, FieldType, Shape
from loyaltystream.times import vendor_date

# What msgspec takes in no field's name.
_UNNAMEABLE: Final = frozenset('"\\')
_NON_EMPTY = Annotated[str, msgspec.Meta(min_length=1)]
# Larger integers may have no double of their value, so their content is not plain.
_LONG = Annotated[int, msgspec.Meta(gt=-EXACT, lt=EXACT)]
_DOUBLE = Annotated[float, msgspec.Meta(gt=-EXACT, lt=EXACT)]

_FLAT_ENOUGH: Final = 48
"""So many brackets are surely not too deep."""

_DOUBLE_TOKEN: Final = re.compile(rb"[:,\[]-?[0-9]+[.eE]")
_encode = msgspec.json.Encoder(order="sorted").encode

# Avro's union branches of BehavioralEvent.fields, by position: null, boolean, long, double, string.
_BRANCHES: Final = {
    Shape.BOOLEAN: LENGTHS[1],
    Shape.LONG: LENGTHS[2],
    Shape.DOUBLE: LENGTHS[3],
    Shape.TEXT: LENGTHS[4],
}


PlainContent = tuple[str, str, tuple[str, ...] | None]
"""What is made of plain fields: their canonical text, equal to `content.fields_text`; the Avro maps
of fields and of nested ones, as latin-1 text; the canonical texts of the unique key, or None."""

ReadPlain = Callable[[msgspec.Raw, int], PlainContent | None]
"""Reads the JSON of `fields`, in which so many quotation marks have to be accounted for: two a key
and two a text. None: only a careful look can tell."""


class _Part:
    """One field as source code: its attribute on the struct, its variable, pieces of f-strings."""

    def __init__(self, position: int, field: FieldDefinition) -> None:
        self.field = field
        self.attribute = f"f{position}"
        self.value = f"value_{self.attribute}"

    def text(self) -> str:
        """Return the value's canonical text."""
        return {
            Shape.TEXT: f'"{{{self.value}}}',
            Shape.LONG: f"{{{self.value}}}.0",
            Shape.DOUBLE: f"{{{self.value} + 0.0!r}}",
            Shape.BOOLEAN: f"{{TRUTHS[{self.value}]}}",
            Shape.NESTED: f"{{{self.value}}}",
        }[self.field.shape]

    def content(self) -> str:
        """Return name and value as `content.fields_text` writes them."""
        return _literal(escape_name(self.field.name) + "=") + self.text() + _literal(END)

    def entry(self) -> str:
        """Return the entry of the Avro map: name, branch (of `fields` only), value."""
        name = self.field.name
        return (
            _literal(LENGTHS[len(name)] + name + _BRANCHES.get(self.field.shape, ""))
            + {
                Shape.TEXT: f"{{LENGTHS[len({self.value})]}}{{{self.value}}}",
                Shape.LONG: f"{{LONGS[{self.value}]}}",
                Shape.DOUBLE: f"{{PACK({self.value} + 0.0).decode(LATIN)}}",
                Shape.BOOLEAN: f"{{BITS[{self.value}]}}",
                Shape.NESTED: f"{{LENGTHS[len({self.value})]}}{{{self.value}}}",
            }[self.field.shape]
        )

    def matchers(self) -> dict[str, Callable[[str], object]]:
        """Return by name what a text has to satisfy; None from it is a refusal."""
        found: dict[str, Callable[[str], object]] = {}
        if self.field.shape is Shape.TEXT and self.field.type is FieldType.DATE:
            # The 17 patterns cost 10 us a text; days recur.
            found[f"date_{self.attribute}"] = lru_cache(4096)(vendor_date)
        if self.field.shape is Shape.TEXT and self.field.regex is not None:
            found[f"match_{self.attribute}"] = re2.compile(self.field.regex).fullmatch
        return found

    def conditions(self) -> list[str]:
        """Return what has to hold of the value, beyond its type, as expressions."""
        matches = [
            f"(not {self.value} or {name}({self.value}) is not None)" for name in self.matchers()
        ]
        blank = self.field.unique and self.field.shape is Shape.TEXT
        return [*matches, f"not {self.value}.isspace()"] if blank else matches

    def struct_field(self) -> tuple[Any, ...]:
        if self.field.required:
            return self.attribute, self._type()
        return self.attribute, self._type() | None, None

    def _type(self) -> Any:  # noqa: ANN401 (a type expression)
        match self.field.shape:
            case Shape.DOUBLE:
                return _DOUBLE
            case Shape.LONG:
                return _LONG
            case Shape.BOOLEAN:
                return bool
            case Shape.NESTED:
                return dict[str, Any] | list[Any]
            case _:
                return self._text_type()

    def _text_type(self) -> Any:  # noqa: ANN401 (a type expression)
        # An absent optional text may be sent as an empty one, which no list of values has to name.
        empty = () if self.field.required else ("",)
        if self.field.possible_values is not None:
            return Literal[(*self.field.possible_values, *empty)]
        if self.field.type is FieldType.CURRENCY_CODE:
            return Literal[(*sorted(CURRENCY_CODES), *empty)]
        return _NON_EMPTY if self.field.required else str


def compile_plain(definition: EventDefinition) -> ReadPlain | None:
    """Return the reader made for this definition, or None where none of its events can be plain."""
    ordered = sorted(definition.fields, key=lambda field: field.name)
    if not all(field.name.isascii() and _UNNAMEABLE.isdisjoint(field.name) for field in ordered):
        return None
    parts = [_Part(position, field) for position, field in enumerate(ordered)]
    fields = msgspec.defstruct(
        "Fields",
        [part.struct_field() for part in parts],
        gc=False,
        rename={part.attribute: part.field.name for part in parts},
        kw_only=True,
    )
    names: dict[str, Any] = {
        "DECODE": msgspec.json.Decoder(fields).decode,
        "ERROR": msgspec.MsgspecError,
        "LENGTHS": LENGTHS,
        "LONGS": LONGS,
        "PACK": struct.Struct("<d").pack,
        "LATIN": "latin-1",
        "TRUTHS": {True: "true", False: "false"},
        "BITS": {True: "\x01", False: "\x00"},
        "NEST": _nest,
        **{name: matcher for part in parts for name, matcher in part.matchers().items()},
    }
    exec(_source(parts, definition), names)  # noqa: S102 (the source is ours, names are escaped)
    read: ReadPlain = names["read"]
    return read


def _source(parts: list[_Part], definition: EventDefinition) -> str:
    conditions = ["not quotes", *(condition for part in parts for condition in part.conditions())]
    by_name = {part.field.name: part for part in parts}
    unique = [_unique_text(by_name[field.name]) for field in definition.unique_fields]
    return "\n".join(
        [
            "def read(raw, quotes):",
            "    try: fields = DECODE(raw)",
            "    except ERROR: return None",
            *(line for part in parts for line in _load(part)),
            f"    if not ({' and '.join(conditions)}): return None",
            f"    content = f'{''.join(_piece(part, 'content') for part in parts)}'",
            f"    unique = {'(' + ', '.join(unique) + ',)' if unique else 'None'}",
            *_map("scalars", [part for part in parts if part.field.shape is not Shape.NESTED]),
            *_map("objects", [part for part in parts if part.field.shape is Shape.NESTED]),
            "    return content, scalars + objects, unique",
        ]
    )


def _load(part: _Part) -> list[str]:
    """Return statements that take a field's value and account for its quotation marks."""
    load = f"    {part.value} = fields.{part.attribute}"
    marks = 4 if part.field.shape is Shape.TEXT else 2
    taken = [f"quotes -= {marks}"]
    if part.field.shape is Shape.NESTED:
        taken += [
            f"{part.value}, marks = NEST({part.value})",
            f"if {part.value} is None: return None",
            "quotes -= marks",
        ]
    if part.field.required:
        return [load, *(f"    {line}" for line in taken)]
    content, entry = f"content_{part.attribute}", f"entry_{part.attribute}"
    return [
        load,
        f"    if {part.value} is None: {content} = {entry} = ''",
        "    else:",
        *(f"        {line}" for line in taken),
        f"        {content}, {entry} = f'{part.content()}', f'{part.entry()}'",
    ]


def _piece(part: _Part, kind: str) -> str:
    """Return a field's part of an f-string that holds all of them."""
    if not part.field.required:
        return f"{{{kind}_{part.attribute}}}"
    return part.content() if kind == "content" else part.entry()


def _map(name: str, parts: list[_Part]) -> list[str]:
    """Return statements that leave an Avro map in the variable of that name."""
    present = [f"({part.value} is not None)" for part in parts if not part.field.required]
    count = " + ".join([str(len(parts) - len(present)), *present])
    entries = "".join(_piece(part, "entry") for part in parts)
    made = f"f'{{LENGTHS[count]}}{entries}\\0' if count else '\\0'"
    return [f"    count = {count}", f"    {name} = {made}"]


def _nest(value: dict[str, Any] | list[Any]) -> tuple[str | None, int]:
    """Return an object or array as canonical JSON, and how many quotation marks it has inside.

    No text: only a careful look can tell.
    """
    try:
        encoded = _encode(value)
    except (OverflowError, RecursionError):
        return None, 0
    if encoded.count(b"{") + encoded.count(b"[") > _FLAT_ENOUGH:
        return None, 0
    # The quick encoder writes some doubles otherwise than by value: 5.0, 1e16.
    exact = _DOUBLE_TOKEN.search(encoded) is None
    return encoded.decode() if exact else canonical_json(value), encoded.count(b'"')


def _unique_text(part: _Part) -> str:
    if part.field.shape is Shape.TEXT:
        return f"'\"' + {part.value}.strip()"
    return f"f'{part.text()}'"


def _literal(text: str) -> str:
    """Return ASCII `text` as it is written inside an f-string."""
    escaped = text.encode("unicode_escape").decode()
    return escaped.replace("'", "\\x27").replace("{", "{{").replace("}", "}}")
