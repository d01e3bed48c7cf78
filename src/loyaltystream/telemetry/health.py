"""How a worker is, told by what its loop tells, and by its own metrics. Does no I/O but a clock.

The loop tells facts, a probe asks from another thread; whatever stands still makes no answer green.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry

from loyaltystream.clients import poll_interval_ms
from loyaltystream.health import Condition, State
from loyaltystream.pipeline import Plan
from loyaltystream.ports import Telemetry
from loyaltystream.settings import Settings
from loyaltystream.times import DAY_MS

BEHIND_S: Final = 60.0
"""For so long more than a batch may wait before a worker counts as behind."""


class Health:
    """What is known of one worker.

    Args:
        limit_s: a loop that is silent for longer is stuck.
        registry_url: what an outage of the registry names.
        batch_records: a worker is behind while more wait than it takes at a time.
        now_s: a clock that only rises.
    """

    def __init__(
        self,
        *,
        limit_s: float,
        registry_url: str,
        batch_records: int,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.started = False
        self.metrics = CollectorRegistry()
        """The worker's, once it has some."""
        self._limit_s = limit_s
        self._registry_url = registry_url
        self._batch_records = batch_records
        self._now_s = now_s
        self._heard_s = now_s()
        self._is_built = False
        self._owned: int | None = None
        self._opening: list[int] = []
        self._awaited: str | None = None
        self._behind_since_s: float | None = None
        self._snapshots = 0.0, 0.0
        self._is_failing = False

    def built(self, metrics: CollectorRegistry) -> None:
        """Note that everything is put together, and its metrics."""
        self._heard()
        self.metrics, self._is_built, self._awaited = metrics, True, None

    def waiting(self, why: str) -> None:
        """Note that the broker or the registry is waited for."""
        self._heard()
        self._awaited = why

    def opening(self, partitions: Sequence[int]) -> None:
        """Note which partitions are being restored."""
        self._heard()
        self._opening = list(partitions)

    def owns(self, partitions: Sequence[int]) -> None:
        """Note how many partitions are ours."""
        self._heard()
        self._opening, self._owned, self.started = [], len(partitions), True

    def turned(self) -> None:
        """Note that the loop came round."""
        self._heard()
        self._awaited, self._opening = None, []

    def conditions(self) -> list[Condition]:
        """Return every state that the worker is in; called by whoever asks."""
        return [*self._loop(), *self._work()] if self._is_built else list(self._loop())

    def _heard(self) -> None:
        self._heard_s = self._now_s()

    def _loop(self) -> Iterator[Condition]:
        silent_s = self._now_s() - self._heard_s
        if silent_s > self._limit_s:
            why = f"the loop has told nothing for {silent_s:.0f} s, {self._limit_s:.0f} are allowed"
            yield Condition(State.STUCK, why)
        if (awaited := self._awaited) is not None:
            is_registry = self._registry_url in awaited
            state = State.WAITING_FOR_REGISTRY if is_registry else State.WAITING_FOR_BROKER
            yield Condition(state, awaited)
        if not self._is_built:
            yield Condition(State.STARTING, "settings, topics and definitions are looked at")
        elif self._opening:
            named = ", ".join(map(str, self._opening))
            yield Condition(State.RESTORING, f"opening {named} since {silent_s:.0f} s")
        elif self._owned is None:
            yield Condition(State.JOINING, "the group has not told yet which partitions are ours")
        elif self._owned == 0:
            yield Condition(State.NO_PARTITIONS, "others have all partitions: this one stands by")

    def _work(self) -> Iterator[Condition]:
        found = _Samples(self.metrics)
        most = max(found.values("loyaltystream_lag_records"), default=0.0)
        if most <= self._batch_records:
            self._behind_since_s = None
        elif self._behind_since_s is None:
            self._behind_since_s = self._now_s()
        elif (for_s := self._now_s() - self._behind_since_s) > BEHIND_S:
            why = f"{most:.0f} offsets of one partition wait, more than a batch for {for_s:.0f} s"
            yield Condition(State.BEHIND, why)
        if shortened := found.shortened():
            yield Condition(State.WINDOW_SHORTENED, shortened)
        if self._snapshots_fail(found):
            yield Condition(State.SNAPSHOT_FAILING, "the last snapshot could not be written")
        gap_s = max(found.values("loyaltystream_poll_gap_seconds"), default=0.0)
        if gap_s > self._limit_s / 2:
            why = f"the group was not polled for {gap_s:.0f} s, {self._limit_s:.0f} are allowed"
            yield Condition(State.POLL_GAP, why)

    def _snapshots_fail(self, found: "_Samples") -> bool:
        name = "loyaltystream_memory_snapshots_total"
        now = found.one(name, outcome="failed"), found.one(name, outcome="written")
        before, self._snapshots = self._snapshots, now
        if now[1] > before[1]:
            self._is_failing = False
        if now[0] > before[0]:
            self._is_failing = True
        return self._is_failing


def health_of(settings: Settings) -> Health:
    """Return the health of a worker that has just begun."""
    return Health(
        limit_s=poll_interval_ms(settings.kafka) / 1000,
        registry_url=settings.registry.url,
        batch_records=settings.worker.batch_records,
    )


class _Samples:
    """All samples of a registry, as of one moment."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._found = [one for metric in registry.collect() for one in metric.samples]

    def values(self, name: str) -> list[float]:
        """Return the values of a metric under all its labels."""
        return [one.value for one in self._found if one.name == name]

    def one(self, name: str, **labels: str) -> float:
        """Return the value under these labels; 0 if there is none."""
        fitting = (one.value for one in self._found if one.name == name and one.labels == labels)
        return next(fitting, 0.0)

    def shortened(self) -> str | None:
        """Return which window the memory does not reach back over, if there is one."""
        for one in self._found:
            if one.name == "loyaltystream_memory_effective_window_seconds":
                days = int(one.labels["window_days"])
                if one.value < days * DAY_MS / 1000:
                    return (
                        f"{one.labels['kind']} is known for {one.value / 86_400:.1f} of {days} "
                        f"days: older events are held as late"
                    )
        return None


class Watched:
    """Passes on what a loop tells, and tells its health as well.

    Args:
        telemetry: told everything.
        health: told what says how the worker is.
    """

    def __init__(self, telemetry: Telemetry, health: Health) -> None:
        self._telemetry = telemetry
        self._health = health
        self.submitted = telemetry.submitted
        self.aborted = telemetry.aborted
        self.renewed = telemetry.renewed

    def committed(self, plans: Sequence[Plan]) -> None:
        """Pass on a committed transaction."""
        self._telemetry.committed(plans)

    def waiting(self, why: str) -> None:
        """Note that the broker or the registry is away and waited for."""
        self._health.waiting(why)
        self._telemetry.waiting(why)

    def turned(self) -> None:
        """Note that the loop came round."""
        self._health.turned()
        self._telemetry.turned()

    def opening(self, partitions: Sequence[int]) -> None:
        """Note which partitions are being restored."""
        self._health.opening(partitions)
        self._telemetry.opening(partitions)

    def owns(self, partitions: Sequence[int]) -> None:
        """Note which partitions this worker has now."""
        self._health.owns(partitions)
        self._telemetry.owns(partitions)
