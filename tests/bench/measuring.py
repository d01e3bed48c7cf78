"""What one loop took, from its first commit to its last."""

import json
import os
import time

import msgspec
import psutil


class Measure(msgspec.Struct):
    """What one process did between its first and its last committed transaction."""

    events: int
    seconds: float
    cpu_seconds: float
    rss_bytes: int

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds for a million events."""
        return self.cpu_seconds / self.events * 1e6


class Stopwatch:
    """Starts with the first commit, so that starting up is not measured."""

    def __init__(self) -> None:
        self._process = psutil.Process(os.getpid())
        self._first: tuple[float, float] | None = None
        self.events = self._first_events = 0

    def committed(self, events: int) -> None:
        """Count a committed transaction."""
        self.events += events
        self._last = (time.perf_counter(), self._cpu())
        if self._first is None:
            self._first, self._first_events = self._last, self.events

    def report(self) -> str:
        """Return the measure as JSON."""
        if self._first is None:
            raise RuntimeError("nothing was committed")
        measure = Measure(
            events=self.events - self._first_events,
            seconds=self._last[0] - self._first[0],
            cpu_seconds=self._last[1] - self._first[1],
            rss_bytes=self._process.memory_info().rss,
        )
        return json.dumps(msgspec.to_builtins(measure))

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)
