"""When the same thing is told once more: an outage makes thousands. Does no I/O but a clock."""

import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 10.0


class Seldom:
    """Lets a thing be told once in a while.

    Args:
        every_s: not before so long behind the last time.
        now_s: a clock that only rises.
    """

    def __init__(
        self, every_s: float = EVERY_S, *, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._every_s = every_s
        self._now_s = now_s
        self._taken_s: float | None = None

    def take(self) -> bool:
        """Return whether it is time; if so, the next time is a while from now."""
        now_s = self._now_s()
        if self._taken_s is not None and now_s - self._taken_s < self._every_s:
            return False
        self._taken_s = now_s
        return True
