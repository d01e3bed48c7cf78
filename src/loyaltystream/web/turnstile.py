"""Lets requests that cost much pass one at a time. Does no I/O; of use to several threads."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from loyaltystream.web.answers import BUSY, refusal


class Turnstile:
    """Lets each org pass once at a time, a few orgs at once, and nobody again at once.

    Args:
        orgs: so many at once.
        rest_s: so long an org waits after it was let pass.
        clock: seconds that only grow.
    """

    def __init__(
        self, orgs: int, rest_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._orgs = orgs
        self._rest_s = rest_s
        self._clock = clock
        self._inside: set[int] = set()
        self._rested_s: dict[int, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def passing(self, org: int) -> Iterator[None]:
        """Let an org pass, until the end of the block.

        Raises:
            RefusedError: if it has to wait, with how long.
        """
        self._enter(org)
        try:
            yield
        finally:
            with self._lock:
                self._inside.discard(org)
                self._rested_s[org] = self._clock() + self._rest_s

    def _enter(self, org: int) -> None:
        with self._lock:
            now_s = self._clock()
            # An org that waited long enough is forgotten.
            self._rested_s = {one: end for one, end in self._rested_s.items() if end > now_s}
            if org in self._inside:
                raise self._busy("another one of this org is still being looked at", self._rest_s)
            if org in self._rested_s:
                wait_s = self._rested_s[org] - now_s
                raise self._busy("this org had one just now", wait_s)
            if len(self._inside) >= self._orgs:
                raise self._busy("other orgs' are being looked at", self._rest_s)
            self._inside.add(org)

    def _busy(self, why: str, wait_s: float) -> Exception:
        return refusal(BUSY, f"{why}; try again in a while", retry_after_s=math.ceil(wait_s))
