"""The outputs that are there, kept small and given back in the order of what caused them.

Pure. A row is 55 bytes: of a million outputs 55 MB are kept.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from loyaltystream.audit.findings import Place
from loyaltystream.audit.source import Source
from loyaltystream.audit.stamp import Stamp
from loyaltystream.events import Record
from loyaltystream.verdicts import Verdict

NOTIFIED: Final = "notified"
UNKNOWN: Final = "unknown"
OUTCOMES: Final = (*(verdict.value for verdict in Verdict), NOTIFIED, UNKNOWN)
"""What an output says its source became; the place in this list is what a row keeps."""

_ROW: Final = struct.Struct("<IqIBB?IqII16s")
_COLUMNS: Final = np.dtype(
    [
        ("source_partition", "<u4"),
        ("source_offset", "<i8"),
        ("index", "<u4"),
        ("topic", "u1"),
        ("rest", "V2"),
        ("partition", "<u4"),
        ("offset", "<i8"),
        ("stamp", "V24"),
    ]
)
_VERSIONED: Final = frozenset(OUTCOMES) - {Verdict.DUPLICATE, Verdict.REKEYED, NOTIFIED, UNKNOWN}


class Found(NamedTuple):
    """One output: what caused it, where it stands, what it says.

    Attributes:
        ordinal: which output of its source it is.
        outcome: what it says its source became.
        foreign: whether its value names another definition version than the one in force.
    """

    source_offset: int
    ordinal: int
    topic: str
    outcome: str
    foreign: bool
    partition: int
    offset: int
    stamp: Stamp

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.topic, self.partition, self.offset)

    @property
    def versioned(self) -> bool:
        """Whether such an output tells the definition version that it was judged by."""
        return self.outcome in _VERSIONED


class Said(NamedTuple):
    """What an output says: the outcome, whether by another definition version, and its content."""

    outcome: str
    foreign: bool
    stamp: Stamp


class Head(NamedTuple):
    """The first record that a partition still holds."""

    offset: int
    timestamp_ms: int


class FoundOutputs:
    """All outputs that records of one input topic caused.

    Args:
        topics: of all outputs, in any order.
    """

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self._rows = bytearray()
        self._lowest: dict[tuple[int, str, int], int] = {}

    def add(self, topic: str, record: Record, source: Source, *, said: Said) -> None:
        """Keep one output: the record, what caused it, and what it says."""
        self._rows += _ROW.pack(
            source.partition,
            source.offset,
            source.ordinal,
            self._topics.index(topic),
            OUTCOMES.index(said.outcome),
            said.foreign,
            record.partition,
            record.offset,
            *said.stamp,
        )
        where = source.partition, topic, record.partition
        self._lowest[where] = min(self._lowest.get(where, source.offset), source.offset)

    def lowest(self, partition: int, topic: str, target: int) -> int | None:
        """Return the lowest offset of an input partition that has an output in that place."""
        return self._lowest.get((partition, topic, target))

    def by_partition(self) -> dict[int, "FoundRows"]:
        """Return the outputs of each input partition, in order of what caused them."""
        table = np.frombuffer(self._rows, _COLUMNS)
        names = ("offset", "index", "topic", "source_offset", "source_partition")
        order = np.lexsort([table[name] for name in names])
        partitions, starts = np.unique(table["source_partition"][order], return_index=True)
        ends = [*starts.tolist(), len(order)][1:]
        return {
            partition: FoundRows(table[order[start:end]].tobytes(), self._topics)
            for partition, start, end in zip(
                partitions.tolist(), starts.tolist(), ends, strict=True
            )
        }


class FoundRows:
    """The outputs of one input partition, taken from the front."""

    def __init__(self, rows: bytes, topics: Sequence[str]) -> None:
        self._rows = self._unpack(rows, topics)
        self._next = next(self._rows, None)

    def take(self, offset: int) -> list[Found]:
        """Return the outputs of the record at `offset`; those of earlier ones are taken before."""
        taken = []
        while self._next is not None and self._next.source_offset == offset:
            taken.append(self._next)
            self._next = next(self._rows, None)
        return taken

    def any_before(self, offset: int) -> bool:
        """Say whether a record before `offset` has an output that is not taken yet."""
        return self._next is not None and self._next.source_offset < offset

    def before(self, offset: int) -> Iterator[Found]:
        """Yield, and take, the outputs of all records before `offset`."""
        while self._next is not None and self._next.source_offset < offset:
            found, self._next = self._next, next(self._rows, None)
            yield found

    @staticmethod
    def _unpack(rows: bytes, topics: Sequence[str]) -> Iterator[Found]:
        for row in _ROW.iter_unpack(rows):
            _, source_offset, ordinal, topic, outcome, foreign, partition, offset, *mark = row
            yield Found(
                source_offset,
                ordinal,
                topics[topic],
                OUTCOMES[outcome],
                foreign,
                partition,
                offset,
                Stamp(*mark),
            )
