"""The shards of an id table: their slots, and which hashes belong to which. Does no I/O.

A shard is a window of slots, each of 21 bytes in three columns; its ids share a prefix of their
hashes, and the directory has the shard of every prefix (extendible hashing).
"""

from collections.abc import Iterator, Sequence
from typing import Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

from loyaltystream.memory.column import FIRST_SLOTS, SHARD_SLOTS, Column, Room
from loyaltystream.memory.hashing import Hashes, nonzero
from loyaltystream.memory.identity import Ids

SLOT_BYTES: Final = 21
MAX_LOAD: Final = 0.75

Indexes = npt.NDArray[np.int64]
Fingerprints = npt.NDArray[np.uint32]
Generations = npt.NDArray[np.uint8]


class TableShape(msgspec.Struct, frozen=True):
    """All of a table but what stands in its slots.

    Attributes:
        generation: the one of the last sweep.
        directory: the shard of each prefix of hashes.
        zero: fingerprint and generation's code of the id of zeros, if it is there.
    """

    generation: int
    directory: list[int]
    zero: tuple[int, int] | None

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return max(self.directory) + 1


class Shards:
    """What a table consists of, and how it is taken apart and put together again."""

    def __init__(self) -> None:
        self._ids = Column(np.uint64, 2)
        self._fingerprints = Column(np.uint32, 1)
        self._generations = Column(np.uint8, 1)
        self._slots = np.array([FIRST_SLOTS], np.uint64)  # per shard
        self._counts = np.zeros(1, np.int64)  # per shard
        self._depths = np.zeros(1, np.int64)  # per shard: how many prefix bits are its own
        self._directory = np.zeros(1, np.int64)  # prefix of hashes -> shard
        self._room = int(FIRST_SLOTS * MAX_LOAD)  # how many ids every shard has room for at least
        self._generation = 0  # of the last sweep
        self._unswept = self._next_swept = 0  # shards to go in this generation, and the next one
        # The all-zero id looks like an empty slot, so it has a place of its own.
        self._zero: tuple[int, int] | None = None

    def __len__(self) -> int:
        return sum(self._counts.tolist()) + (self._zero is not None)

    @property
    def used_bytes(self) -> int:
        """Bytes of all slots that may hold an entry."""
        return int(self._slots.sum()) * SLOT_BYTES

    @property
    def anonymous_bytes(self) -> int:
        """Those of them that lie in memory and nowhere else."""
        columns = (self._ids, self._fingerprints, self._generations)
        slot_bytes = sum(column.slot_bytes for column in columns if not column.is_mapped)
        return int(self._slots.sum()) * slot_bytes

    def move(self, room: Room) -> None:
        """Move all columns into files.

        Raises:
            OSError: if there is no room; some may lie in files then.
        """
        for column in (self._ids, self._fingerprints, self._generations):
            if not column.is_mapped:
                column.move(room, self._slots.tolist())

    @property
    def generation(self) -> int:
        """The generation of the last sweep."""
        return self._generation

    @property
    def shape(self) -> TableShape:
        """What `shaped` makes a table like this one of."""
        return TableShape(self._generation, self._directory.tolist(), self._zero)

    @classmethod
    def shaped(cls, shape: TableShape, slots: Sequence[int]) -> Self:
        """Return a table whose shards are empty: each is to be filled in `columns`, and counted.

        Args:
            shape: of the table.
            slots: how many each shard has.
        """
        table, shards = cls(), shape.shards
        if shards > 1 or slots[0] > FIRST_SLOTS:
            for column in (table._ids, table._fingerprints, table._generations):
                column.grow(shards)
        table._slots = np.array(slots, np.uint64)
        table._counts = np.zeros(shards, np.int64)
        table._room = 0  # nobody knows before they are filled
        table._directory = np.array(shape.directory, np.int64)
        shares = np.bincount(table._directory, minlength=shards)
        table._depths = np.log2(len(shape.directory) / shares).astype(np.int64)
        table._generation, table._zero, table._unswept = shape.generation, shape.zero, shards
        return table

    def marks(self) -> Indexes:
        """Return a number above 0 for each shard, another one once it was split."""
        return self._depths + 1

    def columns(self, shard: int) -> tuple[Ids, Fingerprints, Generations]:
        """Return a shard's slots themselves, empty ones included."""
        window = slice(shard * SHARD_SLOTS, shard * SHARD_SLOTS + int(self._slots[shard]))
        return (
            self._ids.values[window],
            self._fingerprints.values[window],
            self._generations.values[window],
        )

    def count(self, shard: int) -> int:
        """Return how many entries a shard has."""
        return int(self._counts[shard])

    def entries(self) -> Iterator[tuple[Ids, Fingerprints, Generations]]:
        """Yield everything that is there, a shard at a time."""
        for shard in range(len(self._slots)):
            yield self._read(shard)
        if self._zero is not None:
            fingerprint, generation = self._zero
            yield (
                np.zeros((1, 2), np.uint64),
                np.array([fingerprint], np.uint32),
                np.array([generation], np.uint8),
            )

    def _shards(self, hashes: Hashes) -> Indexes:
        bits = int(self._directory.size).bit_length() - 1
        if bits == 0:
            return np.zeros(len(hashes), np.int64)
        return self._directory[(hashes >> np.uint64(64 - bits)).astype(np.int64)]

    def _take(self, shard: int) -> tuple[Ids, Fingerprints, Generations]:
        content = self._read(shard)
        self._clear(shard)
        return content

    def _clear(self, shard: int) -> None:
        for column in (self._ids, self._fingerprints, self._generations):
            column.clear(shard, int(self._slots[shard]))
        self._counts[shard] = 0

    def _read(self, shard: int) -> tuple[Ids, Fingerprints, Generations]:
        ids, fingerprints, generations = self.columns(shard)
        used = nonzero(ids).nonzero()[0]
        return ids.take(used, axis=0), fingerprints.take(used), generations.take(used)
