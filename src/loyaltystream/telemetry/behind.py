"""How old the oldest unread record of each partition is at most. Pure, but for its clock.

A partition is read in order, so whatever is not read yet was appended no earlier than what was read
last, by the broker's own times; nor earlier than the moment when there was nothing left to read.
"""

import time
from collections.abc import Callable, Mapping


class Behind:
    """The lag of a worker's partitions in seconds.

    Args:
        now_ms: the wall clock, in epoch milliseconds.
    """

    def __init__(self, now_ms: Callable[[], int] = lambda: int(time.time() * 1000)) -> None:
        self._now_ms = now_ms
        self._read_ms: dict[int, int] = {}
        self._level: set[int] = set()

    def begin(self, partition: int) -> None:
        """Take a partition: what waits in it is not known to be any older than this."""
        self._read_ms[partition] = self._now_ms()

    def leave(self, partition: int) -> None:
        """Forget a partition."""
        self._read_ms.pop(partition, None)
        self._level.discard(partition)

    def read(self, partition: int, appended: Mapping[int, int]) -> None:
        """Note when the broker appended what was read and committed.

        Args:
            partition: which one.
            appended: epoch milliseconds, and how many records of each.
        """
        if appended and partition in self._read_ms:
            self._read_ms[partition] = max(appended)

    def heard(self, partition: int, *, is_level: bool) -> None:
        """Note whether there is nothing left to read in a partition."""
        if not is_level:
            self._level.discard(partition)
        elif partition in self._read_ms:
            self._level.add(partition)
            self._read_ms[partition] = max(self._read_ms[partition], self._now_ms())

    def lag_s(self, partition: int) -> float:
        """Return how old the oldest unread record is at most, now; 0 if there was none."""
        if partition in self._level or partition not in self._read_ms:
            return 0.0
        return max(self._now_ms() - self._read_ms[partition], 0) / 1000
