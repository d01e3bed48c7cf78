"""Counts what is committed, in a thread of its own. Does I/O: reads all topics of a run."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Protocol, Self

from loyaltystream.demo.counting import Seen, look
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.events import Record
from loyaltystream.topology import Topics


class Log(Protocol):
    """Topics as a read_committed consumer sees them."""

    def follow(
        self, topics: Sequence[str], *, oldest: bool, stopping: Callable[[], bool]
    ) -> Iterator[tuple[str, Record]]:
        """Yield records of all partitions as they get committed, with their topic."""


class Watcher(AbstractContextManager["Watcher"]):
    """Counts the records of a run's topics while it is entered."""

    def __init__(self, log: Log, topics: Topics) -> None:
        self._log = log
        self._topics = topics
        self._seen: Counter[Seen] = Counter()
        self._failure: LoyaltyStreamError | None = None
        self._lock = Lock()
        self._stopping = Event()
        self._thread = Thread(target=self._watch, name="watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def seen(self) -> Counter[Seen]:
        """Return the counts so far.

        Raises:
            LoyaltyStreamError: if reading has failed.
        """
        with self._lock:
            if self._failure is not None:
                raise self._failure
            return self._seen.copy()

    def _watch(self) -> None:
        topics = self._topics
        watched = [
            topics.ingest,
            topics.emf,
            topics.ei,
            topics.notifications,
            topics.duplicates,
            topics.dead_letter,
        ]
        try:
            for topic, record in self._log.follow(
                watched, oldest=True, stopping=self._stopping.is_set
            ):
                if (what := look(topics, topic, record)) is not None:
                    with self._lock:
                        self._seen[what] += 1
        except LoyaltyStreamError as error:
            with self._lock:
                self._failure = error
