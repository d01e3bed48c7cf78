"""Changes the topic of definitions, one change after the other whoever makes them.

Does I/O through its ports. Each change claims the topic, reads it to its end, decides by what it
read, and writes; another one that came in between fails the write, and the change is decided anew.
So no change is lost, however many services and commands there are.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from loyaltystream.definitions.changing import Changed, Mark
from loyaltystream.definitions.history import History, Name
from loyaltystream.definitions.problem import Problem
from loyaltystream.definitions.source import Log
from loyaltystream.definitions.stored import StoredEvent, encode, key_of
from loyaltystream.errors import BrokerError, RetryableBrokerError
from loyaltystream.ports import Writer
from loyaltystream.topology import Output

ATTEMPTS: Final = 12
_VISIBLE_S: Final = 10.0
_PAUSE_S: Final = 0.02

Change = Callable[[Mapping[Name, StoredEvent], Mark], Sequence[StoredEvent] | list[Problem]]
"""Decides what is to be stored, given everything that is, and the first free revision.

Each event that it changes takes a revision of its own, from that one on.
"""


ChangeOne = Callable[[Mapping[Name, StoredEvent], Mark], Changed]
"""Decides likewise what is to be stored of a single event."""


class Desk:
    """Reads and changes definitions; of use to several threads.

    Args:
        history: takes what the topic says.
        log: the topic.
        writer: writes to it.
        clock_ms: tells when a change is made.
        pause: waits for so many seconds.
    """

    def __init__(
        self,
        history: History,
        log: Log,
        writer: Writer,
        *,
        clock_ms: Callable[[], int] = lambda: int(time.time() * 1000),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._history = history
        self._log = log
        self._writer = writer
        self._clock_ms = clock_ms
        self._pause = pause
        self._lock = threading.Lock()

    def read(self) -> History:
        """Return everything that is stored by now.

        Raises:
            BrokerError: if the topic can't be read.
        """
        with self._lock:
            return self._read()

    def change(self, by: str, change: Change) -> Sequence[StoredEvent] | list[Problem]:
        """Return what a change has stored, once everybody can read it; or why it stores nothing.

        Args:
            by: who makes it.
            change: decides; it may be asked several times.

        Raises:
            BrokerError: if the topic can't be read or written; then nothing, or all, is stored.
        """
        with self._lock:
            for attempt in range(1, ATTEMPTS + 1):
                self._writer.open()
                events = self._read().events
                mark = Mark(self._history.revision + 1, self._clock_ms(), by)
                wanted = change(events, mark)
                stored = [one for one in wanted if isinstance(one, StoredEvent)]
                new = [one for one in stored if one.revision >= mark.revision]
                if not new or self._write(new, last=attempt == ATTEMPTS):
                    return wanted
                self._pause(random.uniform(0, _PAUSE_S * 2**attempt))  # noqa: S311 (only spreads)
        raise RetryableBrokerError("others change definitions all the time; try again later")

    def change_one(self, by: str, change: ChangeOne) -> Changed:
        """Return what a change of a single event has stored, or why it stores nothing.

        Raises:
            BrokerError: as `change` does.
        """
        found: Changed = []

        def decide(
            events: Mapping[Name, StoredEvent], mark: Mark
        ) -> Sequence[StoredEvent] | list[Problem]:
            nonlocal found
            found = change(events, mark)
            return found if isinstance(found, list) else [found]

        self.change(by, decide)
        return found

    def _write(self, new: Sequence[StoredEvent], *, last: bool) -> bool:
        """Write, and return whether that is there now; if it may not be, the change starts anew."""
        try:
            self._writer.write([self._output(one) for one in new])
        except BrokerError:
            # Perhaps it was written all the same: opening settles it, and reading tells.
            self._writer.open()
            events = self._read().events
            if any(events.get(one.name) == one for one in new):
                return True
            if last:
                raise
            return False
        deadline = time.monotonic() + _VISIBLE_S
        # A commit is told before its records can be read: whoever is answered may send events now.
        while self._read().revision < new[-1].revision:
            if time.monotonic() > deadline:
                raise RetryableBrokerError("the change was written, and can't be read yet")
            self._pause(_PAUSE_S)
        return True

    def _output(self, event: StoredEvent) -> Output:
        return Output(self._history.topic, key_of(*event.name), encode(event), 0, [])

    def _read(self) -> History:
        self._history.learn(self._log.rest())
        return self._history
