"""The dead letters that wait, as metrics: counted in a thread of its own. Does I/O: its port, logs.

A scrape finds the last numbers of the partitions that are ours. One that was not counted yet has
none: nobody is told that nothing waits before that is known.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.seldom import Seldom

LOOK_EVERY_S: Final = 10.0
_TELL_EVERY_S: Final = 600.0
_SHARE: Final = 0.1
_NAME: Final = "loyaltystream_dead_letter"


class Waiting(Protocol):
    """What waits in a partition."""

    @property
    def letters(self) -> int:
        """How many letters nobody has dealt with."""

    @property
    def oldest_ms(self) -> int | None:
        """When the first of them was written; None: there is none."""


class WaitingLetters(Collector):
    """What is known of the partitions that are ours.

    Args:
        now_ms: the wall clock, in epoch milliseconds.
    """

    def __init__(self, now_ms: Callable[[], int] = lambda: int(time.time() * 1000)) -> None:
        self.retention_s: float | None = None
        """How long a letter is kept; None: nobody counts here."""
        self.moved = threading.Event()
        """Set whenever partitions come or go."""
        self._now_ms = now_ms
        self._guard = threading.Lock()
        self._waiting: dict[int, Waiting | None] = {}

    @property
    def owned(self) -> list[int]:
        """The partitions that are ours."""
        with self._guard:
            return list(self._waiting)

    def owns(self, partitions: Collection[int]) -> None:
        """Note which partitions are ours; what is known of others is theirs to tell."""
        with self._guard:
            self._waiting = {number: self._waiting.get(number) for number in partitions}
        self.moved.set()

    def counted(self, found: Mapping[int, Waiting]) -> None:
        """Note what waits, in those that are still ours."""
        with self._guard:
            self._waiting = {
                number: found.get(number, before) for number, before in self._waiting.items()
            }

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauges, as a scrape wants them."""
        backlog = GaugeMetricFamily(
            f"{_NAME}_backlog",
            "Dead letters that nobody has replayed, released or discarded.",
            labels=["partition"],
        )
        oldest = GaugeMetricFamily(
            f"{_NAME}_oldest_seconds",
            "How old the oldest of them is; 0 if there is none.",
            labels=["partition"],
        )
        kept = GaugeMetricFamily(
            f"{_NAME}_retention_seconds", "How long a dead letter is kept at least."
        )
        with self._guard:
            known = dict(self._waiting)
        for number, found in known.items():
            if found is not None:
                backlog.add_metric([str(number)], found.letters)
                oldest.add_metric([str(number)], self._age_s(found.oldest_ms))
        if self.retention_s is not None:
            kept.add_metric([], self.retention_s)
        return [backlog, oldest, kept]

    def _age_s(self, written_ms: int | None) -> float:
        return 0.0 if written_ms is None else max(self._now_ms() - written_ms, 0) / 1000


class LetterWatch:
    """Has what waits counted now and then; whatever goes wrong with it, the work goes on.

    Args:
        waiting: told.
        count: counts what waits in these partitions; raises what the log raises.
    """

    def __init__(
        self,
        waiting: WaitingLetters,
        count: Callable[[Collection[int]], Mapping[int, Waiting]],
    ) -> None:
        self._waiting = waiting
        self._count = count
        self._failed = Seldom(_TELL_EVERY_S)

    def begin(self, every_s: float = LOOK_EVERY_S) -> None:
        """Count from now on, and whenever partitions move, until the process ends."""
        moved = self._waiting.moved

        def go_on() -> None:
            while True:
                moved.wait(every_s)
                moved.clear()
                self.look()

        threading.Thread(target=go_on, name="letters", daemon=True).start()

    def look(self) -> None:
        """Count once, and tell."""
        try:
            self._waiting.counted(self._count(self._waiting.owned))
        except Exception as error:  # noqa: BLE001 (of no worth beside the judging)
            if self._failed.take():
                log_events.letters_uncounted(why=str(error) or type(error).__name__)


class Rest:
    """Lets a thread have a share of one processor, and the interpreter no more than that.

    Args:
        share: of the time, for the thread's own work.
        used_s: how long the calling thread has used a processor.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        share: float = _SHARE,
        *,
        used_s: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._idle = 1 / share - 1
        self._used_s = used_s
        self._sleep = sleep
        self._before_s: float | None = None

    def take(self) -> None:
        """Wait as long as what was done since the last time demands."""
        now_s = self._used_s()
        if self._before_s is not None:
            self._sleep((now_s - self._before_s) * self._idle)
        self._before_s = now_s
