"""A column of the id table: an array that grows without being copied, in memory or in a file.

Does no I/O, but for the file that a room gives.
"""

import mmap
from collections.abc import Sequence
from functools import cache
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

SHARD_SLOTS: Final = 1 << 16
FIRST_SLOTS: Final = 1 << 10
"""Of a new column: some kinds of keys never need more, and a mapping is dear for so few."""

N = TypeVar("N", bound=np.generic)


class Room(Protocol):
    """Gives files to put columns into."""

    def file(self, size_bytes: int) -> "RoomFile":
        """Return a file of zeros that nobody else has, its blocks all there.

        Raises:
            OSError: if there is no room.
        """


class RoomFile(Protocol):
    """A file that is gone once nobody holds it."""

    def fileno(self) -> int:
        """Return its descriptor."""

    def extend(self, size_bytes: int) -> None:
        """Make it as long as that, its blocks all there.

        Where one is missing, touching the map would end the process.

        Raises:
            OSError: if there is no room.
        """


class Column(Generic[N]):
    """One column of all shards, in anonymous memory until it is moved.

    Shard k has the places from k * SHARD_SLOTS on; memory that no entry touched is not in use. As
    long as nobody asks for more, there are the first slots of the first shard only.
    """

    def __init__(self, dtype: type[N], width: int) -> None:
        self._dtype: np.dtype[N] = np.dtype(dtype)
        self._whole = _whole(width * self._dtype.itemsize)
        self._width = width
        self._file: RoomFile | None = None
        self._memory: mmap.mmap | None = None
        self.values: npt.NDArray[N] = np.zeros(FIRST_SLOTS * width, dtype)
        if width > 1:
            self.values = self.values.reshape(-1, width)

    @property
    def is_mapped(self) -> bool:
        """Whether it lies in a file, of which the system keeps in memory what it has room for."""
        return self._file is not None

    @property
    def slot_bytes(self) -> int:
        """Bytes of one slot."""
        return self._width * self._dtype.itemsize

    def grow(self, shards: int) -> None:
        """Make room for that many shards; pages move, their content is not copied.

        A file that can't grow is left: what has to be known is known at the cost of memory.
        """
        memory = self.spread()
        if self._file is not None:
            try:
                self._file.extend(self._bytes(shards))
            except OSError:
                self._file = None
                old = len(memory) // self._bytes(1)
                memory = self._take_over(_anonymous(len(memory)), [SHARD_SLOTS] * old)
        del self.values  # the mapping refuses to move while an array looks at it
        memory.resize(self._bytes(shards))
        self.values = self._view(memory)

    def spread(self) -> mmap.mmap:
        """Make room for all slots of the shards that there are; return what they lie in."""
        if self._memory is None:
            return self._take_over(_anonymous(self._bytes(1)), [FIRST_SLOTS])
        return self._memory

    def move(self, room: Room, slots: Sequence[int]) -> None:
        """Move into a file, of each shard so many slots as are in use.

        Raises:
            OSError: if there is no room; nothing has changed then.
        """
        size = len(self.spread())
        file = room.file(size)
        self._take_over(mmap.mmap(file.fileno(), size), slots)
        self._file = file

    def take(self, places: npt.NDArray[np.int64]) -> npt.NDArray[N]:
        """Return what lies at places."""
        # Indexing with an array costs ten times as much where a value is two words.
        taken: npt.NDArray[N] = self.values.take(places, axis=0)
        return taken

    def put(self, places: npt.NDArray[np.int64], values: npt.NDArray[N]) -> None:
        """Write values to places."""
        if self._width == 1:
            self.values[places] = values
        else:
            whole = np.ascontiguousarray(values).view(self._whole)
            self.values.view(self._whole)[places] = whole

    def clear(self, shard: int, slots: int) -> None:
        """Zero the slots of a shard that are in use; they are filled again at once."""
        start = shard * SHARD_SLOTS
        self.values[start : start + slots] = 0

    def give_back(self, shard: int, slots: int) -> None:
        """Give the memory behind so many slots of a shard back to the system; it has only zeros."""
        if self._memory is None or self._file is not None or not hasattr(mmap, "MADV_DONTNEED"):
            return
        end = self._bytes(shard + 1)
        start = self._bytes(shard) + slots * self.slot_bytes
        start += -start % mmap.PAGESIZE
        if start < end:
            self._memory.madvise(mmap.MADV_DONTNEED, start, end - start)

    def _take_over(self, memory: mmap.mmap, slots: Sequence[int]) -> mmap.mmap:
        self._memory = memory
        old, self.values = self.values, self._view(memory)
        for shard, count in enumerate(slots):
            window = slice(shard * SHARD_SLOTS, shard * SHARD_SLOTS + count)
            self.values[window] = old[window]
        return memory

    def _bytes(self, shards: int) -> int:
        return shards * SHARD_SLOTS * self._width * self._dtype.itemsize

    def _view(self, memory: mmap.mmap) -> npt.NDArray[N]:
        values: npt.NDArray[N] = np.frombuffer(memory, self._dtype)
        return values.reshape(-1, self._width) if self._width > 1 else values


@cache
def _whole(size_bytes: int) -> np.dtype[np.void]:
    """Return a type for all words of a value at once."""
    return np.dtype((np.void, size_bytes))


def _anonymous(size_bytes: int) -> mmap.mmap:
    # Private: giving pages of a shared mapping back would not zero them.
    return mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
