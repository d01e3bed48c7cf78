"""A column of the id table: an array over anonymous memory that grows without being copied.

Does no I/O.
"""

import mmap
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

SHARD_SLOTS: Final = 1 << 16

N = TypeVar("N", bound=np.generic)


class Column(Generic[N]):
    """One column of all shards in anonymous memory that grows without being copied.

    Shard k has the places from k * SHARD_SLOTS on; memory that no entry touched is not in use.
    """

    def __init__(self, dtype: type[N], width: int) -> None:
        self._dtype: np.dtype[N] = np.dtype(dtype)
        self._width = width
        # Private: giving pages of a shared mapping back would not zero them.
        self._memory = mmap.mmap(-1, self._bytes(1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.values = self._view()

    def grow(self, shards: int) -> None:
        """Make room for that many shards; pages move, their content is not copied."""
        del self.values  # the mapping refuses to move while an array looks at it
        self._memory.resize(self._bytes(shards))
        self.values = self._view()

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
            whole = np.dtype((np.void, self._width * self._dtype.itemsize))
            self.values.view(whole)[places] = np.ascontiguousarray(values).view(whole)

    def clear(self, shard: int, slots: int) -> None:
        """Zero the slots of a shard that are in use; they are filled again at once."""
        start = shard * SHARD_SLOTS
        self.values[start : start + slots] = 0

    def _bytes(self, shards: int) -> int:
        return shards * SHARD_SLOTS * self._width * self._dtype.itemsize

    def _view(self) -> npt.NDArray[N]:
        values: npt.NDArray[N] = np.frombuffer(self._memory, self._dtype)
        return values.reshape(-1, self._width) if self._width > 1 else values
