"""What one loop took, from its first commit to its last, and what came before the first."""

import os
import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec
import psutil

_BUSY: Final = ("user", "nice", "system", "irq", "softirq")  # guests are in user already


class Measure(msgspec.Struct):
    """What one process did between its first and its last committed transaction.

    Attributes:
        rss_bytes: the most that it had at any commit.
        began_s: the first commit, on a clock that all processes of a machine share.
        ended_s: the last one.
        machine_cpu_seconds: of all processes of the machine, the broker's among them.
        ready_s: from the start of the process to its first commit.
        verdicts: of all that it judged, the first transaction included.
        remembered: events known at the last commit.
        restored_s: for each memory that was read, from what and how long.
    """

    events: int
    seconds: float
    cpu_seconds: float
    machine_cpu_seconds: float
    rss_bytes: int
    began_s: float
    ended_s: float
    ready_s: float
    verdicts: dict[str, int]
    remembered: int
    restored_s: list[tuple[str, float]]

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds for a million events."""
        return self.cpu_seconds / self.events * 1e6

    @property
    def machine_cpu_per_million(self) -> float:
        """CPU seconds of the whole machine for a million events."""
        return self.machine_cpu_seconds / self.events * 1e6


class Stopwatch:
    """Starts with the first commit, so that starting up is not measured."""

    def __init__(self) -> None:
        self._process = psutil.Process(os.getpid())
        self._first: tuple[float, float, float] | None = None
        self._ready_s = 0.0
        self._rss_bytes = 0
        self.events = self._first_events = 0
        self.verdicts: Counter[str] = Counter()
        self.remembered = 0
        self.restored_s: list[tuple[str, float]] = []

    def committed(self, events: int, verdicts: Mapping[str, int] | None = None) -> None:
        """Count a committed transaction."""
        self.events += events
        self.verdicts.update(verdicts or {})
        self._last = (time.monotonic(), self._cpu(), _machine_cpu())
        # Not after the end: a worker that leaves has let go of its memories.
        self._rss_bytes = max(self._rss_bytes, self._process.memory_info().rss)
        if self._first is None and events:
            self._first, self._first_events = self._last, self.events
            self._ready_s = time.time() - self._process.create_time()

    def report(self) -> str:
        """Return the measure as JSON."""
        if self._first is None:
            raise RuntimeError("nothing was committed")
        measure = Measure(
            events=self.events - self._first_events,
            seconds=self._last[0] - self._first[0],
            cpu_seconds=self._last[1] - self._first[1],
            machine_cpu_seconds=self._last[2] - self._first[2],
            rss_bytes=self._rss_bytes,
            began_s=self._first[0],
            ended_s=self._last[0],
            ready_s=self._ready_s,
            verdicts=dict(self.verdicts),
            remembered=self.remembered,
            restored_s=self.restored_s,
        )
        return msgspec.json.encode(measure).decode()

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


def _machine_cpu() -> float:
    times = psutil.cpu_times()
    return float(sum(getattr(times, name, 0.0) for name in _BUSY))
