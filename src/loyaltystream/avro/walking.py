"""A schema and untrusted Avro in, what is wrong with it out. Pure.

Walks over content before a library builds values of it. fastavro by itself takes five bytes for
fifty million nulls, lets numbers wrap at 64 bits, takes a negative branch for the last one, and
ends the process at some thousand levels. Cost here is bounded by the number of bytes.
"""

from typing import Any, Final

from loyaltystream.errors import LoyaltyStreamError

MAX_DEPTH: Final = 64
MAX_DECIMAL_BYTES: Final = 64
"""Of a longer decimal the digits alone would take minutes."""

_FREE: Final = 10_000
_PER_BYTE: Final = 4
_BITS: Final = {"int": 32, "long": 64}
_SIZES: Final = {"null": 0, "float": 4, "double": 8}


class _BrokenError(LoyaltyStreamError):
    """Content that is not what its schema says."""


def broken(schema: dict[str, Any], content: bytes) -> str | None:
    """Return what is wrong with the Avro of a parsed schema, all of which has to be used up."""
    walk = _Walk(content, schema.get("__named_schemas", {}))
    try:
        walk.over(schema)
    except _BrokenError as error:
        return str(error)
    rest = len(content) - walk.at
    return f"{rest} bytes are left over" if rest else None


class _Walk:
    def __init__(self, content: bytes, named: dict[str, Any]) -> None:
        self.at = 0
        self._content = content
        self._named = named
        self._values = _FREE + _PER_BYTE * len(content)

    def over(self, schema: Any, depth: int = 0) -> None:  # noqa: ANN401 (Avro's JSON)
        """Move behind a value.

        Raises:
            _BrokenError: if it is none.
        """
        self._values -= 1
        if self._values < 0:
            raise _BrokenError("more values than its bytes can hold")
        if depth > MAX_DEPTH:
            raise _BrokenError(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(schema, list):
            self.over(schema[self._below(len(schema), "branches")], depth + 1)
        elif isinstance(schema, dict):
            self._over_complex(schema, depth)
        elif schema in self._named:
            self.over(self._named[schema], depth + 1)
        else:
            self._over_primitive(schema)

    def _over_complex(self, schema: dict[str, Any], depth: int) -> None:
        match schema["type"]:
            case "record" | "error":
                for field in schema["fields"]:
                    self.over(field["type"], depth + 1)
            case "array":
                self._over_blocks(schema["items"], depth)
            case "map":
                self._over_blocks(schema["values"], depth, key_of_each="string")
            case "enum":
                self._below(len(schema["symbols"]), "symbols")
            case "fixed":
                self._skip(schema["size"])
            case other:
                start = self.at
                self.over(other, depth + 1)
                self._check_logical(schema, self.at - start)

    def _over_primitive(self, kind: str) -> None:
        if kind in _BITS:
            self._number(_BITS[kind])
        elif kind in _SIZES:
            self._skip(_SIZES[kind])
        elif kind == "boolean":
            self._skip(1)
            if self._content[self.at - 1] > 1:
                raise _BrokenError(f"byte {self.at - 1} is no boolean")
        elif kind in {"string", "bytes"}:
            self._skip(self._number(64))
        else:
            raise _BrokenError(f"{kind} is no type")

    def _over_blocks(self, each: Any, depth: int, key_of_each: str | None = None) -> None:  # noqa: ANN401 (Avro's JSON)
        while count := self._number(64):
            if count < 0:
                self._number(64)  # how many bytes the block has
            for _ in range(abs(count)):
                if key_of_each is not None:
                    self._over_primitive(key_of_each)
                self.over(each, depth + 1)

    def _check_logical(self, schema: dict[str, Any], size: int) -> None:
        if schema.get("logicalType") == "decimal" and size > MAX_DECIMAL_BYTES:
            raise _BrokenError(f"a decimal of {size} bytes")

    def _below(self, end: int, what: str) -> int:
        number = self._number(64)
        if not 0 <= number < end:
            raise _BrokenError(f"{number} is none of {end} {what}")
        return number

    def _skip(self, size: int) -> None:
        if not 0 <= size <= len(self._content) - self.at:
            raise _BrokenError(f"{size} bytes are said to follow byte {self.at}")
        self.at += size

    def _number(self, bits: int) -> int:
        folded = shift = 0
        while shift < bits:
            if self.at >= len(self._content):
                raise _BrokenError(f"cut off at byte {self.at}")
            group = self._content[self.at]
            folded |= (group & 0x7F) << shift
            self.at += 1
            shift += 7
            if group < 0x80:
                if folded >> bits:
                    break
                return (folded >> 1) ^ -(folded & 1)
        raise _BrokenError(f"a number of more than {bits} bits before byte {self.at}")
