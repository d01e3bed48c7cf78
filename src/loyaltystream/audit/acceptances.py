"""Every event that was really accepted, in 37 bytes; in the end, the ids accepted twice. Pure."""

import struct
from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from loyaltystream.audit.findings import Place

_ROW: Final = struct.Struct("<16s8sIq?")
_COLUMNS: Final = np.dtype(
    [("id", "<u8", 2), ("customer", "V8"), ("partition", "<u4"), ("offset", "<i8"), ("due", "?")]
)


class Acceptance(NamedTuple):
    """An accepted record; `due` if the independent judge accepted it as well."""

    id: bytes
    customer: bytes
    partition: int
    offset: int
    due: bool


class Twice(NamedTuple):
    """Two acceptances of one id in one org."""

    earlier: Acceptance
    later: Acceptance

    @property
    def is_fault(self) -> bool:
        """Whether both meet in one customer or partition, and not by the end of a window."""
        meet = (
            self.earlier.customer == self.later.customer
            or self.earlier.partition == self.later.partition
        )
        return meet and not (self.earlier.due and self.later.due)

    @property
    def is_notable(self) -> bool:
        """Whether two customers share an id."""
        return self.earlier.customer != self.later.customer


class Acceptances:
    """Collects what was accepted anywhere."""

    def __init__(self) -> None:
        self._rows = bytearray()

    def add(self, identity: bytes, key: bytes, place: Place, *, due: bool) -> None:
        """Keep one acceptance.

        Args:
            identity: the 16 bytes of its eventId in its org.
            key: its partition key, of which only a hash is kept.
            place: where it was read.
            due: whether the independent judge accepted it as well.
        """
        customer = blake2b(key, digest_size=8).digest()
        self._rows += _ROW.pack(identity, customer, place.partition, place.offset, due)

    def twice(self) -> Iterator[Twice]:
        """Yield every two acceptances of one id that follow each other, by partition and offset."""
        table = np.frombuffer(self._rows, _COLUMNS)
        order = np.lexsort(
            [table["offset"], table["partition"], table["id"][:, 1], table["id"][:, 0]]
        )
        ids = table["id"][order]
        again = np.flatnonzero((ids[1:] == ids[:-1]).all(axis=1)).tolist()
        for row in again:
            pair = table[order[row : row + 2]].tobytes()
            for earlier, later in pairwise(_ROW.iter_unpack(pair)):
                yield Twice(Acceptance(*earlier), Acceptance(*later))
