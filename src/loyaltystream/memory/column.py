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

    def clear(self, shard: int) -> None:
        """Zero a shard and give its memory back."""
        start = self._bytes(shard)
        self._memory.madvise(mmap.MADV_DONTNEED, start, self._bytes(1))

    def _bytes(self, shards: int) -> int:
        return shards * SHARD_SLOTS * self._width * self._dtype.itemsize

    def _view(self) -> npt.NDArray[N]:
        values: npt.NDArray[N] = np.frombuffer(self._memory, self._dtype)
        return values.reshape(-1, self._width) if self._width > 1 else values
