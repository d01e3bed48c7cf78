"""Sends a story at a steady pace, as plain producers do. Does I/O: waits on the clock."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from threading import Event, Lock
from typing import Final, Protocol

from loyaltystream.events import Header
from loyaltystream.story import Intent, Sent

PACES_A_SECOND: Final = 20


class Channel(Protocol):
    """Takes records for one topic, as `kafka.sending.Sender` does."""

    def send(self, value: bytes | None, key: bytes | None, headers: Sequence[Header] = ()) -> None:
        """Take one record."""

    def flush(self) -> None:
        """Wait until the broker has all of them."""


class Pacer:
    """Sends a story at so many records a second; counts what was sent by intent."""

    def __init__(self, channel: Channel, *, per_second: int) -> None:
        self._channel = channel
        self._pace = max(per_second // PACES_A_SECOND, 1)
        self._stopping = Event()
        self._lock = Lock()
        self._sent: Counter[Intent] = Counter()

    def sent(self) -> Counter[Intent]:
        """Return how many records of each intent were sent so far."""
        with self._lock:
            return self._sent.copy()

    def stop(self) -> None:
        """Send no more than is being sent."""
        self._stopping.set()

    def send(
        self,
        story: Iterable[Sent],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send all of it, or what goes before `stop`.

        Raises:
            BrokerError: if the broker does not take it.
        """
        due_s = clock()
        for pace in _paces(story, self._pace):
            if self._stopping.is_set():
                break
            for sent in pace:
                self._channel.send(sent.value, sent.key, sent.headers)
            with self._lock:
                self._sent.update(sent.intent for sent in pace)
            due_s += 1 / PACES_A_SECOND
            sleep(max(due_s - clock(), 0))
        self._channel.flush()


def _paces(story: Iterable[Sent], size: int) -> Iterator[list[Sent]]:
    rest = iter(story)
    while pace := list(islice(rest, size)):
        yield pace
