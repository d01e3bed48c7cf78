"""Two workers of the real stage on the broker in memory, and whatever happens to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from loyaltystream.errors import BrokerError, FatalBrokerError
from loyaltystream.events import Record
from loyaltystream.memory.units import Unit
from loyaltystream.pipeline import Memory, Plan
from loyaltystream.runner import Runner
from loyaltystream.stage import IngestStage
from loyaltystream.testing import (
    Journal,
    KilledError,
    MemoryBroker,
    MemoryChangelog,
    MemorySink,
    MemorySource,
    MemoryTelemetry,
)
from tests.core import DEFINITIONS, NOW_MS, TOPICS, ingest, layout
from tests.simulation.fates import RandomFates
from tests.simulation.story import PARTITIONS, Sent

GROUP: Final = "ingest"
NAMES: Final = ("first", "second")
PATIENCE: Final = 400
ALL_TOPICS: Final = (
    TOPICS.ingest,
    TOPICS.emf,
    TOPICS.ei,
    TOPICS.duplicates,
    TOPICS.dead_letter,
    TOPICS.changelog,
)


JUDGE: Final = ingest(partitions=PARTITIONS)


class StuckError(Exception):
    """Work is left that nobody does, though nothing goes wrong any more."""


class BlindMemory:
    """A memory that has never seen anything: what is done twice shows."""

    def __init__(self, memory: Memory) -> None:
        self.next_offset = memory.next_offset
        self.clock_ms = memory.clock_ms
        self.covers_from_ms = memory.covers_from_ms

    def find(self, unit: Unit, ids: Sequence[bytes], clocks_ms: Sequence[int]) -> list[int]:
        del unit, clocks_ms
        return [-1] * len(ids)


class BlindStage(IngestStage):
    """A stage whose verdicts ask no memory; dedup would hide that an offset is wrong."""

    def plan(self, partition: int, records: Sequence[Record], generation: int) -> Plan:
        return self._ingest.judge(
            records,
            memory=BlindMemory(self._memories[partition]),
            definitions=self._definitions,
            generation=generation,
        )


@dataclass(frozen=True)
class Parts:
    """What a worker is made of; a mutant replaces one of them."""

    runner: Callable[..., Runner] = Runner
    source: Callable[..., MemorySource] = MemorySource
    sink: Callable[..., MemorySink] = MemorySink
    stage: Callable[..., IngestStage] = IngestStage
    changelog: Callable[..., MemoryChangelog] = MemoryChangelog


class World:
    """A broker, two workers, their ghosts, and a story that is sent bit by bit."""

    def __init__(self, random: Random, story: Sequence[Sent], parts: Parts) -> None:
        self.random = random
        self.broker = MemoryBroker(dict.fromkeys(ALL_TOPICS, PARTITIONS), now_ms=NOW_MS)
        self.group = self.broker.group(GROUP, TOPICS.ingest)
        self.fates = RandomFates(random)
        self.journal = Journal()
        self._story = list(story)
        self._parts = parts
        self._workers = {name: self._make(name) for name in NAMES}
        self._ghosts: list[Runner] = []
        self._haunted: set[str] = set()

    def suffer(self, steps: int) -> None:
        """Let things happen at random, among them all that goes wrong."""
        happenings: list[tuple[int, Callable[[], None]]] = [
            (60, lambda: self._step(self.random.choice(NAMES))),
            (20, partial(self._send, 4)),
            (4, lambda: self._restart(self.random.choice(NAMES))),
            (2, lambda: self._stop(self.random.choice(NAMES))),
            (4, lambda: self.group.evict(self.random.choice(NAMES))),
            (4, self.group.rebalance),
            (3, lambda: self.broker.expire(self.random.choice(NAMES))),
            (6, self._haunt),
        ]
        weights, acts = zip(*happenings, strict=True)
        for act in self.random.choices(acts, weights, k=steps):
            act()

    def rest(self) -> None:
        """Send what is left, and work until all is done; nothing goes wrong any more.

        Raises:
            StuckError: if it never is.
        """
        self.fates.calm = True
        for name in self._haunted:
            self.broker.expire(name)  # what a ghost left open and nobody takes over
        self._send(len(self._story))
        for _ in range(PATIENCE):
            for name in NAMES:
                self._step(name)
            if not self.broker.transactions and all(map(self._is_done, range(PARTITIONS))):
                break
        else:
            raise StuckError
        for name in NAMES:
            self._stop(name)

    def _is_done(self, partition: int) -> bool:
        start = self.group.offsets.get(partition, 0)
        return not any(self.broker.records(TOPICS.ingest, partition, start))

    def _make(self, name: str) -> Runner:
        parts, ports = self._parts, {"fates": self.fates, "journal": self.journal}
        source = parts.source(
            self.broker,
            topic=TOPICS.ingest,
            group=GROUP,
            member=name,
            batch_records=self.random.choice([1, 3, 8]),
            **ports,
        )
        stage = parts.stage(
            JUDGE,
            definitions=DEFINITIONS,
            layout=layout(PARTITIONS),
            changelog=parts.changelog(self.broker, TOPICS.changelog, self.fates),
            fresh=lambda _partition: 0,
        )
        telemetry = MemoryTelemetry(self.journal)
        return parts.runner(
            source, parts.sink(self.broker, name, **ports), stage, telemetry=telemetry
        )

    def _send(self, count: int) -> None:
        for partition, value in self._story[:count]:
            self.broker.append(TOPICS.ingest, value, partition=partition)
        del self._story[:count]

    def _step(self, name: str) -> None:
        try:
            self._workers[name].step()
        except KilledError:
            self._restart(name, haunting=False)
        except FatalBrokerError:
            self._leave(self._workers[name])
            self._restart(name, haunting=False)

    def _stop(self, name: str) -> None:
        self._leave(self._workers[name])
        self._restart(name, haunting=False)

    def _leave(self, runner: Runner) -> None:
        try:
            runner.run(lambda: True)
        except (BrokerError, KilledError):
            self.journal.note("left in a hurry")

    def _restart(self, name: str, *, haunting: bool = True) -> None:
        if haunting and self.random.random() < 0.5:
            self._ghosts.append(self._workers[name])  # it was only frozen, and thaws later
            self._haunted.add(name)
        self._workers[name] = self._make(name)

    def _haunt(self) -> None:
        if not self._ghosts:
            return
        ghost = self.random.choice(self._ghosts)
        try:
            ghost.step()
        except (KilledError, FatalBrokerError):
            self._ghosts.remove(ghost)
