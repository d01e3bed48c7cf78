"""One field of a definition in, its share of the generated functions of `plain.py` out. Pure."""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
import re2

from loyaltystream.avro.text import LENGTHS, LONG_SOURCE
from loyaltystream.content import END, EXACT, NUMBER, escape_name
from loyaltystream.definitions.currencies import CURRENCY_CODES
from loyaltystream.definitions.model import FieldDefinition, FieldType, Shape
from loyaltystream.definitions.psi import Conceal, Side
from loyaltystream.times import vendor_date

_NON_EMPTY = Annotated[str, msgspec.Meta(min_length=1)]
# Larger integers may have no double of their value, so their content is not plain.
_LONG = Annotated[int, msgspec.Meta(gt=-EXACT, lt=EXACT)]
_DOUBLE = Annotated[float, msgspec.Meta(gt=-EXACT, lt=EXACT)]

# Avro's union branches of BehavioralEvent.fields, by position: null, boolean, long, double, string.
_BRANCHES: Final = {
    Shape.BOOLEAN: LENGTHS[1],
    Shape.LONG: LENGTHS[2],
    Shape.DOUBLE: LENGTHS[3],
    Shape.TEXT: LENGTHS[4],
}


class Piece:
    """One field as source code: its attribute on the struct, its variable, pieces of f-strings.

    Args:
        position: among the fields, by name.
        field: which one.
        conceal: hides its values on masked sides; None: it is not sensitive.
    """

    def __init__(
        self, position: int, field: FieldDefinition, conceal: Conceal | None = None
    ) -> None:
        self.field = field
        self.conceal = conceal
        self.attribute = f"f{position}"
        self.value = f"value_{self.attribute}"
        self.content_name = f"content_{self.attribute}"
        self.hidden = f"hidden_{self.attribute}"
        self.marks = 4 if field.shape is Shape.TEXT else 2

    def entry_name(self, side: Side) -> str:
        """Return the variable that holds the entry of a field which may be absent."""
        return f"{side.value}_{self.attribute}"

    def preparation(self) -> list[str]:
        """Return statements that make of a value what the pieces need."""
        if self.conceal is None:
            return self._spelling()
        hiding = f"{self.hidden} = CONCEAL_{self.attribute}(f'{self.text()}')"
        return [*self._spelling(), hiding]

    def _spelling(self) -> list[str]:
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
        return literal(escape_name(self.field.name) + "=") + self.text() + literal(END)

    def entry(self, side: Side) -> str:
        """Return the entry of the Avro map: name, branch (of `fields` only), value."""
        name, value = self.field.name, self.value
        if side is Side.MASKED and self.conceal is not None:
            start = literal(LENGTHS[len(name)] + name + _BRANCHES[Shape.TEXT])
            return f"{start}{{LENGTHS[len({self.hidden})]}}{{{self.hidden}}}"
        return (
            literal(LENGTHS[len(name)] + name + _BRANCHES.get(self.field.shape, ""))
            + {
                Shape.TEXT: f"{{LENGTHS[len({value})]}}{{{value}}}",
                Shape.LONG: f"{{{LONG_SOURCE.format(value)}}}",
                Shape.DOUBLE: f"{{{value}}}",
                Shape.BOOLEAN: f"{{BITS[{value}]}}",
                Shape.NESTED: f"{{LENGTHS[len({value})]}}{{{value}}}",
            }[self.field.shape]
        )

    def concealers(self) -> dict[str, Conceal]:
        """Return by name what `preparation` hides a value with."""
        return {} if self.conceal is None else {f"CONCEAL_{self.attribute}": self.conceal}

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
        """Return the field of the struct that the JSON is decoded into: name, type, default."""
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


def literal(text: str) -> str:
    """Return ASCII `text` as it is written inside an f-string."""
    escaped = text.encode("unicode_escape").decode()
    return escaped.replace("'", "\\x27").replace("{", "{{").replace("}", "}}")
