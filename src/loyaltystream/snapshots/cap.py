"""A bound on the memory that ids take: beyond it they lie in files. Does I/O through its room.

Nothing is forgotten for it: a table in a file answers the same, only later where the system has put
its pages aside.
"""

import math
from collections.abc import Callable
from typing import Final, Protocol

from loyaltystream.memory.column import Room
from loyaltystream.memory.partition import PartitionMemory

RETRY_S: Final = 60.0


class Mapped(Protocol):
    """Told what lies in files."""

    def mapped(self, size_bytes: int) -> None:
        """So many bytes of ids lie in files now."""

    def not_mapped(self, partition: int, why: str) -> None:
        """A partition had to stay in memory, beyond the bound."""


class Cap:
    """Holds a process's memories to a number of bytes.

    Args:
        max_bytes: of all ids together, outside of files; 0: as many as there are.
        room: where files come from.
        watch: is told.
        now_s: a clock that never goes back.
    """

    def __init__(
        self, max_bytes: int, room: Room, watch: Mapped, now_s: Callable[[], float]
    ) -> None:
        self._max_bytes = max_bytes or math.inf
        self._room = room
        self._watch = watch
        self._now_s = now_s
        self._memories: dict[int, PartitionMemory] = {}
        self._not_before_s = -math.inf

    def take(self, partition: int, memory: PartitionMemory) -> None:
        """Have a memory under the bound; others may have to make room for it."""
        self._memories[partition] = memory
        while self.hold():
            pass

    def drop(self, partition: int) -> None:
        """Have one memory less."""
        if self._memories.pop(partition, None) is not None:
            self._tell()

    def hold(self) -> bool:
        """Move the largest partition into files if there is too much; return whether it was.

        Takes as long as copying it once.
        """
        if self._max_bytes == math.inf:
            return False
        anonymous = {number: found.anonymous_bytes for number, found in self._memories.items()}
        if sum(anonymous.values()) <= self._max_bytes or self._now_s() < self._not_before_s:
            return False
        largest = max(anonymous, key=anonymous.__getitem__)
        try:
            self._memories[largest].move(self._room)
        except OSError as error:
            self._not_before_s = self._now_s() + RETRY_S
            self._watch.not_mapped(largest, str(error))
            return False
        self._tell()
        return True

    def _tell(self) -> None:
        memories = self._memories.values()
        self._watch.mapped(sum(found.used_bytes - found.anonymous_bytes for found in memories))
