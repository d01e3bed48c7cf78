"""Avro's primitives as latin-1 text, for encoders that build a record as one Python string.

Pure. One `str` from an f-string, encoded as latin-1 at the end, costs about half of joining byte
pieces (hot-path.md section 0). It holds for ASCII text only: there a character is a byte.
"""

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

_MEMO_SIZE = 32_768


class Memo(dict[K, V]):
    """A dictionary that makes what it lacks, and keeps what was asked for lately.

    What was not asked for while it filled up twice is forgotten.
    """

    def __init__(self, make: Callable[[K], V], size: int = _MEMO_SIZE) -> None:
        super().__init__()
        self._make = make
        self._size = size
        self._older: dict[K, V] = {}

    def __missing__(self, key: K) -> V:
        if len(self) >= self._size:
            self._older = dict(self)
            self.clear()
        made = self[key] = self._older[key] if key in self._older else self._make(key)
        return made


def _varint(rest: int) -> str:
    groups = []
    while rest > 0x7F:
        groups.append(chr(rest & 0x7F | 0x80))
        rest >>= 7
    groups.append(chr(rest))
    return "".join(groups)


GROUPS = tuple(chr(group | 0x80) for group in range(1 << 7))
"""A group of seven bits that others follow."""
HIGH: Memo[int, str] = Memo(_varint)
"""What is left of a number behind two such groups: it is small, or it recurs."""


def zigzag(number: int) -> str:
    """Return Avro's long: zig-zag, then base 128, low group first."""
    folded = (number << 1) ^ (number >> 63)
    return _varint(folded) if folded < 1 << 14 else _long(folded)


def _long(folded: int) -> str:
    return f"{GROUPS[folded & 127]}{GROUPS[folded >> 7 & 127]}{HIGH[folded >> 14]}"


LENGTHS = tuple(map(zigzag, range(8192)))
"""`LENGTHS[n]` is Avro's long n, for lengths, counts and small numbers."""


def string(text: str) -> str:
    """Return Avro's string of ASCII `text`."""
    return LENGTHS[len(text)] + text


STRINGS: Memo[str, str] = Memo(string, 4096)
"""`STRINGS[s]` is Avro's string s, for the few texts that recur in every event."""
