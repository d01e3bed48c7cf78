"""Avro's primitives as latin-1 text, for encoders that build a record as one Python string.

Pure. One `str` from an f-string, encoded as latin-1 at the end, costs about half of joining byte
pieces (hot-path.md section 0). It holds for ASCII text only: there a character is a byte.
"""

from typing import Final

from loyaltystream.memo import Memo

NULL: Final = "\x00"
"""The first branch of a union of null and something else."""
SOME: Final = "\x02"
"""Its second branch; the value follows."""


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

LONG_SOURCE: Final = (
    f"LENGTHS[{{0}}] if 0 <= {{0}} < {len(LENGTHS)} else "
    "GROUPS[{0} << 1 & 127] + GROUPS[{0} >> 6 & 127] + HIGH[{0} >> 13] if {0} > 0 else "
    "LONG({0})"
)
"""`zigzag` (as LONG) of a variable, for generated code: a call would cost as much again."""


def string(text: str) -> str:
    """Return Avro's string of ASCII `text`."""
    return LENGTHS[len(text)] + text


def optional_string(text: str | None) -> str:
    """Return a union of null and string; an empty text is none."""
    return f"{SOME}{LENGTHS[len(text)]}{text}" if text else NULL


MOMENTS: Memo[int, str] = Memo(lambda moment_ms: _long(moment_ms << 1))
"""`MOMENTS[ms]` is Avro's long of a time, for those that many events have in common."""

STRINGS: Memo[str, str] = Memo(string, 4096)
"""`STRINGS[s]` is Avro's string s, for the few texts that recur in every event."""
