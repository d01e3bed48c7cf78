"""A `src` header in, the record that caused an output out. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from loyaltystream.audit.findings import Place
from loyaltystream.events import SOURCE_HEADER, Header

_PARTITION_LIMIT = 2**31
_OFFSET_LIMIT = 2**63


class Source(NamedTuple):
    """The record that caused an output, and which of its outputs that is."""

    topic: str
    partition: int
    offset: int
    ordinal: int

    @property
    def place(self) -> Place:
        """Where the record lies."""
        return Place(self.topic, self.partition, self.offset)


def source_of(headers: Sequence[Header]) -> Source | None:
    """Return what the last `src` header says, or None where there is none, or none usable."""
    values = [value for name, value in headers if name == SOURCE_HEADER]
    if not values or values[-1] is None:
        return None
    try:
        topic, *numbers = values[-1].decode("ascii").rsplit("/", 4)
        partition, offset, ordinal, _ = map(int, numbers)
    except ValueError:
        return None
    fits = (
        0 <= partition < _PARTITION_LIMIT
        and 0 <= offset < _OFFSET_LIMIT
        and 0 <= ordinal < _PARTITION_LIMIT
    )
    return Source(topic, partition, offset, ordinal) if fits else None
