"""How many events each token may send: events in, seconds to wait out. Pure, but for the clock."""

import math
from collections.abc import Callable


class Rates:
    """A bucket for each token, which holds what one second lets pass.

    Whoever has anything left may send a whole batch, and waits longer behind it: so a batch that is
    larger than the bucket passes too, and in the long run no token passes its rate.

    Args:
        per_second: how many events; 0: any number.
        clock: seconds that only grow.
    """

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._most = max(per_second, 1.0)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, token: str, events: int) -> int:
        """Take events; return 0, or after how many seconds they may come again."""
        if not self._per_second:
            return 0
        now_s = self._clock()
        left, since_s = self._left.get(token, (self._most, now_s))
        left = min(self._most, left + (now_s - since_s) * self._per_second)
        if left < 1:
            self._left[token] = left, now_s
            return math.ceil((1 - left) / self._per_second)
        self._left[token] = left - events, now_s
        return 0
