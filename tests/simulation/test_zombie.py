"""A worker that the group went on without, and that looks while its successor works."""

from collections.abc import Callable
from typing import Final

import pytest

from loyaltystream.errors import StateError
from loyaltystream.runner import Runner
from loyaltystream.testing import (
    Commit,
    Ending,
    Fates,
    Journal,
    MemoryBroker,
    Step,
)
from tests.core import NOW_MS, TOPICS, event, raw
from tests.simulation.watch import ALL_TOPICS
from tests.simulation.worker import runner_on

GROUP: Final = "ingest"


class Meanwhile(Fates):
    """At one step of one worker something else happens, once it was asked for.

    Attributes:
        act: what happens; None: nothing.
    """

    def __init__(self, step: Step, endings: list[Ending]) -> None:
        self.act: Callable[[], object] | None = None
        self._step = step
        self._endings = endings

    def at(self, step: Step) -> None:
        if step == self._step and self.act is not None:
            act, self.act = self.act, None
            act()

    def ending(self) -> Ending:
        return self._endings.pop(0) if self._endings else Ending()


class Shop:
    """One partition, a worker that becomes a zombie, and its successor."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(dict.fromkeys(ALL_TOPICS, 1), now_ms=NOW_MS)
        self.group = self.broker.group(GROUP, TOPICS.ingest)
        self.fates = Meanwhile("restore", [Ending(), Ending(Commit.ABORTED)])
        self.zombie = self._worker("zombie", self.fates)
        self.successor = self._worker("successor", Fates())
        self._count = 0

    def send(self) -> None:
        self._count += 1
        self.broker.append(TOPICS.ingest, raw(event(eventId=f"event-{self._count}")), partition=0)

    def work(self, worker: Runner) -> None:
        """Take a record all the way: one turn to send it, one to learn its outcome."""
        self.send()
        worker.step()
        worker.step()

    def waits(self) -> bool:
        return self.fates.act is not None

    def accepted(self) -> int:
        return len(list(self.broker.records(TOPICS.emf, 0)))

    def _worker(self, name: str, fates: Fates) -> Runner:
        return runner_on(self.broker, GROUP, name, fates=fates, journal=Journal())


def test_a_zombie_does_not_take_its_successors_work_for_damage() -> None:
    """While it reads the log again its successor goes on, and that is no state to end for."""
    shop = Shop()
    shop.work(shop.zombie)
    shop.work(shop.zombie)  # aborted: it has to read again
    shop.group.evict("zombie")
    shop.work(shop.successor)
    shop.fates.act = lambda: shop.work(shop.successor)
    shop.zombie.step()
    assert not shop.waits()
    for _ in range(3):
        shop.work(shop.successor)
        shop.zombie.step()
    assert shop.accepted() == shop._count


def test_a_log_that_is_really_ahead_still_ends_a_worker() -> None:
    """An offset that somebody set back, and nobody moves on, is refused."""
    shop = Shop()
    shop.work(shop.zombie)
    shop.work(shop.zombie)
    shop.group.offsets[0] -= 1
    with pytest.raises(StateError, match="set back"):
        shop.zombie.step()
