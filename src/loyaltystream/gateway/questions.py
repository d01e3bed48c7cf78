"""Questions after events in, answers out; so many at once, and no more. Does I/O: threads.

An answer reads topics through, which takes a second and a processor: what asks may not hold up what
sends.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from loyaltystream.dialects.inspection import Inspection
from loyaltystream.gateway.channel import FullError
from loyaltystream.gateway.standing import Standing

Ask = Callable[[str, int], Standing | None]
"""Returns what became of an event of an org, by its id; None: nothing is known of it."""

_AGAIN_S: Final = 0.3


class Questions:
    """Answers in threads of its own.

    Args:
        ask: called in such a thread.
        at_once: how many may be open.
        close: lets go of what `ask` reads with.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        at_once: int,
        close: Callable[[], None] = lambda: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ask = ask
        self._pause = pause
        self._close = close
        self._room = at_once
        self._open = 0
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="question")

    async def answer(self, event_id: str, org_id: int) -> Standing | None:
        """Return what became of an event; None: the org has none of that id.

        Raises:
            FullError: if as many are open as may be.
            LoyaltyStreamError: if the topics can't be read.
        """
        look = Inspection()
        look.event_id(event_id)
        if look.violations:  # nothing was ever taken under such an id
            return None
        if self._open >= self._room:
            raise FullError(f"{self._room} questions are being answered already")
        self._open += 1
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._pool, self._twice, event_id, org_id)
        # Whoever waits for it may be gone: it stays open until its thread has ended.
        asked.add_done_callback(self._note_end)
        return await asyncio.shield(asked)

    def close(self) -> None:
        """Have the open ones answered, and let go."""
        self._pool.shutdown(cancel_futures=True)
        self._close()

    def _note_end(self, asked: "asyncio.Future[Standing | None]") -> None:
        self._open -= 1
        if not asked.cancelled():
            asked.exception()

    def _twice(self, event_id: str, org_id: int) -> Standing | None:
        """Ask, and once more if nothing is known.

        The topics of a transaction become visible one after the other: between them an event may
        be judged already, and its verdict not there yet.
        """
        found = self._ask(event_id, org_id)
        if found is None:
            self._pause(_AGAIN_S)
            found = self._ask(event_id, org_id)
        return found
