"""For how long a consumer was not polled. Does no I/O.

A member that does not poll hears of no rebalance, and beyond `max.poll.interval.ms` the group goes
on without it.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

WINDOW_S: Final = 60.0


class PollGap:
    """The longest of the gaps between polls, and of the waits inside of one.

    Args:
        now_s: a clock that only rises.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._began_s = now_s()
        self._polled_s = math.inf  # never yet
        self._before_s = self._longest_s = 0.0

    @contextmanager
    def ended(self) -> Iterator[None]:
        """Poll inside of this: a gap ends with it, and the next one begins behind it."""
        self._note(self._now_s() - self._polled_s)
        try:
            yield
        finally:
            self._polled_s = self._now_s()

    @contextmanager
    def widened(self) -> Iterator[None]:
        """Do what keeps a poll waiting inside of this."""
        began_s = self._now_s()
        try:
            yield
        finally:
            self._note(self._now_s() - began_s)

    def longest_s(self) -> float:
        """Return the longest of the last one to two `WINDOW_S`; one that lasts counts so far."""
        return max(self._before_s, self._longest_s, self._now_s() - self._polled_s)

    def _note(self, gap_s: float) -> None:
        now_s = self._now_s()
        if now_s - self._began_s >= WINDOW_S:
            is_recent = now_s - self._began_s < 2 * WINDOW_S
            self._before_s = self._longest_s if is_recent else 0.0
            self._began_s, self._longest_s = now_s, 0.0
        self._longest_s = max(self._longest_s, gap_s)
