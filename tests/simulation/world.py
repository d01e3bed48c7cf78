"""A broker, two slots for workers, the ghosts of those that were replaced, and their bad days."""

from collections.abc import Callable
from functools import partial
from typing import Final

from loyaltystream.errors import BrokerError, StateError
from loyaltystream.testing import Journal, KilledError, MemoryBroker, MemoryDisk
from tests.core import NOW_MS, TOPICS
from tests.simulation.fates import ROUGH, Happening, Weather, WorkerFates
from tests.simulation.oracle import Fold
from tests.simulation.play import Play, dice
from tests.simulation.watch import ALL_TOPICS, Observer
from tests.simulation.worker import Parts, Worker

GROUP: Final = "ingest"
SLOTS: Final = ("first", "second")
FAULTS: Final = 3
"""How many have to happen before a schedule may come to rest."""

TURNS: Final = 44
PATIENCE: Final = 100
"""How many turns each worker gets to finish, once nothing goes wrong any more."""


class World:
    """Everything that one schedule happens to, all of it drawn by the seed.

    Attributes:
        rested_from: where the changelog ended, by partition, when nothing went wrong any more.
    """

    def __init__(self, seed: int, play: Play, parts: Parts) -> None:
        self.random = dice(seed, "world")
        self.play = play
        self.broker = MemoryBroker(dict.fromkeys(ALL_TOPICS, play.partitions), now_ms=NOW_MS)
        self.group = self.broker.group(GROUP, TOPICS.ingest)
        self.weather = Weather(self.random)
        self.journal = Journal()
        truth = [Fold(play, self.broker, number) for number in range(play.partitions)]
        self.observer = Observer(self.broker, self.group, truth)
        self.rested_from: dict[int, int] = {}
        self._story = list(play.story)
        self._parts = parts
        self._starts = 0
        self._acting: list[Worker] = []
        self._ghosts: list[Worker] = []
        self._gone: list[str] = []
        # On one machine workers find each other's snapshots, on two each its own of long ago, and
        # where nothing outlives a process there is the changelog alone.
        self._machines = self.random.choice([0, 0, 1, 2])
        self._disks = [MemoryDisk() for _ in range(max(self._machines, 1))]
        self.workers = {slot: self._start(slot) for slot in SLOTS}

    def suffer(self) -> None:
        """Let things happen at random, and on until enough of them have gone wrong."""
        happenings: list[tuple[int, Callable[[], None]]] = [
            (66, lambda: self._turn(self._choose())),
            (15, partial(self._send, 6)),
            (2, lambda: self._leave(self._choose())),
            (6, self._haunt),
            (5, self._lapse),
            (1, self.observer.look),
            (1, self._rot),
        ]
        weights, acts = zip(*happenings, strict=True)
        for act in self.random.choices(acts, weights, k=TURNS):
            act()
        while self.weather.seen.total() < FAULTS:
            self.weather.chances = ROUGH
            self.random.choices(acts, weights)[0]()

    def rest(self) -> bool:
        """Send what is left, work until all is done; return whether it ever was."""
        self.weather.calm = True
        for ghost in self._ghosts:
            self._note_gone(ghost)  # once more, for it may have come back
        while self._gone or self.broker.on_the_way:
            self._lapse()
        for ghost in self._ghosts:
            self.broker.expire(ghost.identity)  # what it left open and nobody takes over
        self.rested_from = {
            number: self.broker.end(TOPICS.changelog, number)
            for number in range(self.play.partitions)
        }
        self._send(len(self._story))
        return self._work(PATIENCE, self._is_done) and self._work(PATIENCE, self._is_learnt)

    def befall(self, worker: Worker, happening: Happening) -> bool:
        """Let something befall a worker from outside; return whether it did."""
        if happening == "frozen":
            return self._freeze(worker)
        if happening == "evicted":
            return self.group.evict(worker.identity)
        if happening == "expired":
            return self.broker.expire(worker.identity)
        self.group.rebalance()
        return True

    def _work(self, turns: int, done: Callable[[], bool]) -> bool:
        for _ in range(turns):
            if done():
                return True
            for slot in SLOTS:
                self._turn(self.workers[slot])
        return False

    def _is_learnt(self) -> bool:
        """Say whether every partition has an owner that knows all that is committed."""
        if any(worker.runner._open for worker in self.workers.values()):
            return False
        known = [
            (number, worker.stage.next_offset(number))
            for worker in self.workers.values()
            for number in worker.runner._owned
        ]
        offsets = self.group.offsets
        return sorted(known) == [(n, offsets.get(n, 0)) for n in range(self.play.partitions)]

    def _is_done(self) -> bool:
        """Say whether every record there is lies before the committed offsets."""
        if self.broker.transactions:
            return False
        offsets = self.group.offsets
        return not any(
            self.broker.records(TOPICS.ingest, number, offsets.get(number, 0))
            for number in range(self.play.partitions)
        )

    def _start(self, slot: str) -> Worker:
        self._starts += 1
        identity = slot if self.play.lasting_ids else f"{slot} {self._starts}"
        place = SLOTS.index(slot) % len(self._disks)
        if not self._machines:
            self._disks[place] = MemoryDisk()
        worker = Worker(
            slot, identity, self._disks[place], batch_records=self.random.choice([3, 6, 15])
        )
        worker.start(
            self.broker,
            self.play,
            self._parts,
            fates=WorkerFates(self.weather, partial(self.befall, worker)),
            watch=self.observer,
            journal=self.journal,
            group=GROUP,
        )
        return worker

    def _choose(self) -> Worker:
        """Return a worker that can act; one that is frozen inside of a call can't."""
        workers, acting = self.workers.values(), self._acting
        return self.random.choice([w for w in workers if w not in acting] if acting else [*workers])

    def _send(self, count: int) -> None:
        for partition, said, pause_ms in self._story[:count]:
            self.broker.now_ms += pause_ms
            value = said(self.broker.now_ms + 1) if callable(said) else said
            self.broker.append(TOPICS.ingest, value, partition=partition)
        del self._story[:count]

    def _turn(self, worker: Worker) -> None:
        self._act(worker, worker.runner.step)

    def _leave(self, worker: Worker) -> None:
        """End a worker as an operator does; another is started in its slot."""
        self._act(worker, lambda: worker.runner.run(lambda: True))
        self._bury(worker)

    def _act(self, worker: Worker, act: Callable[[], None]) -> None:
        """Let a process do something, and start another if that ends it."""
        self._acting.append(worker)
        try:
            act()
        except KilledError:
            self.journal.note("killed", worker.identity)
            self._bury(worker)
        except BrokerError as error:
            self.journal.note("died:", error)
            self._close(worker)
            self._bury(worker)
        except StateError as error:
            self.journal.note("refused:", error)
            # One that the group went on without while it restored finds the log ahead of it.
            if self.group.has(worker.source.group().metadata):
                self.observer.violations.append("nobody refuses to work")
            self._bury(worker)
        finally:
            self._acting.remove(worker)

    def _close(self, worker: Worker) -> None:
        try:
            worker.runner.run(lambda: True)
        except (BrokerError, StateError, KilledError):
            self.journal.note("left in a hurry")

    def _bury(self, worker: Worker) -> None:
        if self.workers[worker.slot] is worker:
            self._replace(worker)
        elif worker in self._ghosts:
            self._ghosts.remove(worker)
            self._note_gone(worker)

    def _replace(self, worker: Worker) -> None:
        self._note_gone(worker)
        self.workers[worker.slot] = self._start(worker.slot)

    def _note_gone(self, worker: Worker) -> None:
        if not self.play.lasting_ids:
            self._gone.append(worker.identity)

    def _freeze(self, worker: Worker) -> bool:
        """Stop a process inside of its call; the world goes on, and then it thaws."""
        if len(self._acting) > 1:
            return False
        if self.workers[worker.slot] is worker and self.random.random() < 0.5:
            self._ghosts.append(worker)
            self._replace(worker)
        else:
            self.group.evict(worker.identity)
        for _ in range(self.random.randrange(2, 8)):
            self._turn(self._choose())
        self.journal.note("thaws", worker.identity)
        return True

    def _haunt(self) -> None:
        """Let a process go on whose place was taken."""
        if self._ghosts:
            self._turn(self.random.choice(self._ghosts))

    def _rot(self) -> None:
        """Let a byte of a snapshot turn into another one."""
        disk = self.random.choice(self._disks)
        names = [(number, name) for number, held in disk.sealed.items() for name in held]
        if names:
            number, name = self.random.choice(names)
            content = bytearray(disk.sealed[number][name])
            content[self.random.randrange(len(content))] ^= self.random.randrange(1, 256)
            disk.sealed[number][name] = bytes(content)
            self.journal.note("rotten", number, name)

    def _lapse(self) -> None:
        """Let the broker notice who is gone, and hear what was on its way."""
        if self._gone:
            identity = self._gone.pop(0)
            self.group.evict(identity)
            self.broker.expire(identity)
        if self.broker.on_the_way:
            self.broker.arrive()
