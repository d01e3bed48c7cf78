"""Notes when this machine itself stands still: then seconds say nothing. Does I/O: a clock.

Shared machines are paused, and their processors given to others; nobody tells those inside.
"""

import threading
import time
from typing import Final

_TICK_S: Final = 0.1
_LONG_S: Final = 1.0


class Stalls:
    """Sleeps a moment again and again, and notes when it was far longer."""

    def __init__(self) -> None:
        self._found: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stalls", daemon=True)
        self._thread.start()

    def since(self, moment_s: float) -> float:
        """Return how many seconds the machine stood still since a moment."""
        return sum(took_s for ended_s, took_s in self._found if ended_s > moment_s)

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        last_s = time.monotonic()
        while not self._ended.wait(_TICK_S):
            now_s = time.monotonic()
            if now_s - last_s > _LONG_S:
                self._found.append((now_s, now_s - last_s))
            last_s = now_s
