"""Looks over many JSON texts at once: their characters, before any is decoded. Pure.

How many quotation marks a text has proves that nothing in it was overlooked, and that it has no
escapes saves looking for them (`validation/plain.py`). One by one, that cost 0.9 us an event.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import numpy as np

from loyaltystream.events import Record

NOT_PLAIN: Final = -1
"""In place of the count: the text is too long, not ASCII, or has escapes."""

_AT_ONCE: Final = 256
"""So many events, and what is made of them here, stay in a processor's cache of 1 MiB."""
_MARK: Final = ord('"')
_ESCAPE: Final = ord("\\")
_ASCII: Final = 128


def quotation_marks(records: Sequence[Record], *, longest: int) -> Iterator[int]:
    """Return how many quotation marks each record's value has, or `NOT_PLAIN`.

    Args:
        records: some may be tombstones; those are not plain.
        longest: bytes that a plain value may have, less than 65,536.
    """
    parts = (records[start : start + _AT_ONCE] for start in range(0, len(records), _AT_ONCE))
    return chain.from_iterable(_count(part, longest) for part in parts)


def _count(records: Sequence[Record], longest: int) -> list[int]:
    values = [
        value if (value := record.value) is not None and len(value) <= longest else b"\\"
        for record in records
    ]
    # The line end keeps an empty value from having no part of the whole.
    text = b"\n".join(values) + b"\n"
    characters = np.frombuffer(text, np.uint8)
    starts = np.zeros(len(values), np.intp)
    np.cumsum(np.fromiter(map(len, values), np.intp, len(values))[:-1] + 1, out=starts[1:])
    marks = np.add.reduceat((characters == _MARK).view(np.uint8), starts, dtype=np.uint16)
    counts: list[int] = marks.tolist()
    if b"\\" in text or not text.isascii():
        odd = (characters == _ESCAPE) | (characters >= _ASCII)
        for row in np.flatnonzero(np.logical_or.reduceat(odd, starts)).tolist():
            counts[row] = NOT_PLAIN
    return counts
