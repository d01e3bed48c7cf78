"""A definition in, generated functions for the usual kind of its events out: the hot path.

Pure. An event is plain when its fields are declared, of their very type, and all ASCII without
escapes; then decoding, content and encoding are straight-line code made for this definition. What
is not plain goes to `checking.py`, which gives the same result (a property test holds them to it).
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
import re2

from loyaltystream.avro.text import GROUPS, HIGH, LENGTHS, zigzag
from loyaltystream.content import END, EXACT, NUMBER, canonical_json, escape_name
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

# Avro's long as `text.zigzag` has it; inside the function, where a call would cost as much again.
_LONG_TEXT: Final = (
    f"LENGTHS[{{0}}] if 0 <= {{0}} < {len(LENGTHS)} else "
    "GROUPS[{0} << 1 & 127] + GROUPS[{0} >> 6 & 127] + HIGH[{0} >> 13] if {0} > 0 else "
    "LONG({0})"
)

# Avro's union branches of BehavioralEvent.fields, by position: null, boolean, long, double, string.
_BRANCHES: Final = {
    Shape.BOOLEAN: LENGTHS[1],
    Shape.LONG: LENGTHS[2],
    Shape.DOUBLE: LENGTHS[3],
    Shape.TEXT: LENGTHS[4],
}


PlainFields = tuple[int, bytes, tuple[str, ...] | None]
"""What is made of plain fields: the content's fingerprint, the Avro record, the canonical texts of
the unique key or None."""

ReadPlain = Callable[[msgspec.Raw, int, str, str, str], PlainFields | None]
"""Reads the JSON of `fields`; None: only a careful look can tell.

Takes it, how many quotation marks in it have to be accounted for (two a key and two a text), and
latin-1 text: of the content before the fields, and of the Avro record before and behind the maps of
fields and nested fields.
"""


class _Part:
    """One field as source code: its attribute on the struct, its variable, pieces of f-strings."""

    def __init__(self, position: int, field: FieldDefinition) -> None:
        self.field = field
        self.attribute = f"f{position}"
        self.value = f"value_{self.attribute}"
        self.content_name = f"content_{self.attribute}"
        self.entry_name = f"entry_{self.attribute}"
        self.marks = 4 if field.shape is Shape.TEXT else 2

    def preparation(self) -> list[str]:
        """Return statements that make of a value what the pieces need."""
        match self.field.shape:
            case Shape.DOUBLE:
                return [f"{self.value} = PACK({self.value} + 0.0).decode(LATIN)"]  # -0.0 is 0.0
            case Shape.NESTED:
                return [
                    f"{self.value}, marks = NEST({self.value})",
                    f"if {self.value} is None: return None",
                    "quotes -= marks",
                ]
            case _:
                return []

    def text(self) -> str:
        """Return the value's canonical text."""
        return {
            Shape.TEXT: f'"{{{self.value}}}',
            Shape.LONG: f"{NUMBER}{{PACK({self.value}).decode(LATIN)}}",
            Shape.DOUBLE: f"{NUMBER}{{{self.value}}}",
            Shape.BOOLEAN: f"{{TRUTHS[{self.value}]}}",
            Shape.NESTED: f"{{{self.value}}}",
        }[self.field.shape]

    def content(self) -> str:
        """Return name and value as `content.fields_text` writes them."""
        return _literal(escape_name(self.field.name) + "=") + self.text() + _literal(END)

    def entry(self) -> str:
        """Return the entry of the Avro map: name, branch (of `fields` only), value."""
        name, value = self.field.name, self.value
        return (
            _literal(LENGTHS[len(name)] + name + _BRANCHES.get(self.field.shape, ""))
            + {
                Shape.TEXT: f"{{LENGTHS[len({value})]}}{{{value}}}",
                Shape.LONG: f"{{{_LONG_TEXT.format(value)}}}",
                Shape.DOUBLE: f"{{{value}}}",
                Shape.BOOLEAN: f"{{BITS[{value}]}}",
                Shape.NESTED: f"{{LENGTHS[len({value})]}}{{{value}}}",
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
        "COUNTS": ("", *LENGTHS[1:]),
        "GROUPS": GROUPS,
        "HIGH": HIGH,
        "LONG": zigzag,
        "CRC": zlib.crc32,
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


def _source(parts: Sequence[_Part], definition: EventDefinition) -> str:
    """Return a function of two bodies: one for events that have every field, and one for all.

    The first has nothing to decide, which saves a third; most sources fill in all that they know.
    """
    optional = [part for part in parts if not part.field.required]
    complete = " and ".join(f"{part.value} is not None" for part in optional) or "True"
    return "\n".join(
        [
            "def read(raw, quotes, before, start, end):",
            "    try: fields = DECODE(raw)",
            "    except ERROR: return None",
            *(f"    {part.value} = fields.{part.attribute}" for part in parts),
            f"    if {complete}:",
            *(f"        {line}" for line in _body(parts, definition, may_lack=())),
            "    else:",
            *(f"        {line}" for line in _body(parts, definition, may_lack=optional)),
        ]
    )


def _body(
    parts: Sequence[_Part], definition: EventDefinition, may_lack: Sequence[_Part]
) -> Iterator[str]:
    """Yield statements that return what is made of the values, some of which may be None."""
    yield f"quotes -= {sum(part.marks for part in parts if part not in may_lack)}"
    for part in parts:
        if part not in may_lack:
            yield from part.preparation()
            continue
        yield f"if {part.value} is None: {part.content_name} = {part.entry_name} = ''"
        yield "else:"
        yield f"    quotes -= {part.marks}"
        yield from (f"    {line}" for line in part.preparation())
        yield f"    {part.content_name} = f'{part.content()}'"
        yield f"    {part.entry_name} = f'{part.entry()}'"
    conditions = [condition for part in parts for condition in part.conditions()]
    yield f"if not ({' and '.join(['not quotes', *conditions])}): return None"
    content = [f"{{{p.content_name}}}" if p in may_lack else p.content() for p in parts]
    scalars = [part for part in parts if part.field.shape is not Shape.NESTED]
    objects = [part for part in parts if part.field.shape is Shape.NESTED]
    maps = _map(scalars, may_lack) + _map(objects, may_lack)
    yield "return ("
    yield f"    CRC(f'{{before}}{''.join(content)}'.encode(LATIN)),"
    yield f"    f'{{start}}{maps}{{end}}'.encode(LATIN),"
    by_name = {part.field.name: part for part in parts}
    unique = [_unique_text(by_name[field.name]) for field in definition.unique_fields]
    yield f"    {'(' + ', '.join(unique) + ',)' if unique else 'None'},"
    yield ")"


def _map(parts: Sequence[_Part], may_lack: Sequence[_Part]) -> str:
    """Return the part of an f-string that is an Avro map."""
    present = [f"({part.value} is not None)" for part in parts if part in may_lack]
    entries = "".join(f"{{{p.entry_name}}}" if p in may_lack else p.entry() for p in parts)
    sure = len(parts) - len(present)
    if not present:
        return f"{_literal(LENGTHS[sure])}{entries}\\0" if sure else "\\0"
    count = " + ".join([str(sure), *present])
    # A map without entries has no block, only the end.
    head = "{LENGTHS[" + count + "]}" if sure else "{COUNTS[" + count + "]}"
    return f"{head}{entries}\\0"


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
