"""Runs schedules, each from one number that replays it, on as many cores as there are."""

import gc
import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from multiprocessing import get_context
from typing import Final, NamedTuple

from loyaltystream.testing import Journal
from tests.simulation.fates import Fault
from tests.simulation.law import broken_law
from tests.simulation.play import Play
from tests.simulation.quick import quick_play
from tests.simulation.real import real_play
from tests.simulation.worker import Parts
from tests.simulation.world import FAULTS, World

PLAYS: Final[dict[str, Callable[[int], Play]]] = {"quick": quick_play, "real": real_play}


class Outcome(NamedTuple):
    """What one schedule came to.

    Attributes:
        law: which one it broke, if any.
        faults: what really happened, by kind and step.
        journal: everything that the ports did, in order.
    """

    law: str | None
    faults: Counter[Fault]
    journal: Journal

    @property
    def mark(self) -> str:
        """The hash of the journal: two runs of one seed have the same."""
        return sha256("\n".join(self.journal.entries).encode()).hexdigest()


def world_of(seed: int, play: str = "quick", parts: Parts | None = None) -> World:
    """Return the world of a seed, in which nothing has happened yet."""
    return World(seed, PLAYS[play](seed), parts or Parts())


def run(seed: int, play: str = "quick", parts: Parts | None = None) -> Outcome:
    """Run one schedule."""
    world = world_of(seed, play, parts)
    law = broken_law(world)
    return Outcome(law, world.weather.seen, world.journal)


def mark_of(seed: int, play: str) -> str:
    """Return the mark of a schedule, wherever it is run."""
    return run(seed, play).mark


def replay_command(seed: int, *options: str) -> str:
    """Return the command that runs a schedule again and prints what happened."""
    return shlex.join(["python", "-m", "tests.simulation", str(seed), *options])


def profile(seed: int) -> str:
    """Return what a schedule's workers are like."""
    play = quick_play(seed)
    dedup = "off" if play.blind else "on"
    return f"dedup {dedup}, {'lasting' if play.lasting_ids else 'new'} ids"


class Report(NamedTuple):
    """What many schedules came to.

    Attributes:
        schedules: how many counted: those with enough faults.
        cpu_s: the seconds of one core that they took.
        faults: what really happened, by kind and step.
        broken: how to see again each schedule that broke a law, and which.
        doubled: batches that were counted twice, by a worker that the group had gone on without.
    """

    schedules: int
    cpu_s: float
    faults: Counter[Fault]
    broken: list[str]
    doubled: int

    def __add__(self, other: object) -> "Report":
        if not isinstance(other, Report):
            return NotImplemented
        return Report(
            self.schedules + other.schedules,
            self.cpu_s + other.cpu_s,
            self.faults + other.faults,
            self.broken + other.broken,
            self.doubled + other.doubled,
        )


NOTHING: Final = Report(0, 0.0, Counter(), [], 0)


def run_many(seeds: range, play: str = "quick") -> Report:
    """Run schedules one after the other, in this process."""
    began = time.process_time()
    schedules = doubled = 0
    faults: Counter[Fault] = Counter()
    broken: list[str] = []
    for seed in collecting(seeds):
        world = world_of(seed, play)
        if law := broken_law(world):
            broken.append(f"{law}: {replay_command(seed, '--play', play)}")
        schedules += world.weather.seen.total() >= FAULTS
        doubled += world.observer.doubled
        faults.update(world.weather.seen)
        del world
    return Report(schedules, time.process_time() - began, faults, broken, doubled)


def collecting(seeds: Iterable[int]) -> Iterator[int]:
    """Yield seeds; what is left of each one's world is collected once, and not while it is used.

    What was there before is never searched again, as in a worker.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for seed in seeds:
            yield seed
            gc.collect(0)
    finally:
        gc.enable()


@contextmanager
def processes() -> Iterator[Executor]:
    """Yield processes to run schedules in, one a core; forking a threaded process is no way."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield pool


def run_all(count: int, play: str = "quick", chunk: int = 500) -> Report:
    """Run schedules 0 to `count` on all cores; a dot for each 500 that are done."""
    chunks = [range(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    total = NOTHING
    with processes() as pool:
        for report in pool.map(run_many, chunks, [play] * len(chunks)):
            total += report
            sys.stdout.write(".")
            sys.stdout.flush()
    return total
