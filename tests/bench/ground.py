"""What every part of the benchmark stands on: a broker, shops, the same story, processes."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import psutil
from rich.console import Console
from rich.progress import track

from loyaltystream.platform import Addresses
from loyaltystream.story import Recipe, Sent, generate
from tests.bench.copying import ROLES
from tests.bench.measuring import Measure
from tests.shop import Shop

SEED: Final = 1
console = Console()


class InexactError(Exception):
    """What came out is not what has to come out: its rate means nothing."""


def recipe(events: int, partitions: int) -> Recipe:
    """Return what is measured: 2 % resends, half of them from far back, and 1 % bad events."""
    return Recipe(
        events=events,
        customers=events // 10,
        partitions=partitions,
        resends=0.02,
        rewritten=0,
        conflicts=0,
        unique_duplicates=0,
        wrong_keys=0,
        malformed=0.005,
        invalid=0.005,
        tombstones=0,
    )


def describe_machine() -> str:
    """Return what a reader has to know to compare."""
    gigabytes = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {gigabytes:.0f} GiB, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}"
    )


def start(shop: Shop, loop: str, *given: int | Path) -> subprocess.Popen[str]:
    """Start a loop in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.loops", loop, *map(str, given)],
        env={**os.environ, **shop.environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Measure:
    """Wait for a loop's end; return its measure."""
    said, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return msgspec.json.decode(said.splitlines()[-1], type=Measure)


@contextmanager
def ended(*processes: subprocess.Popen[str]) -> Iterator[None]:
    """Kill what still runs in the end."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def run(shop: Shop, loop: str, *given: int | Path) -> Measure:
    """Run a loop in a process of its own."""
    console.print(f"running {loop} ...")
    process = start(shop, loop, *given)
    with ended(process):
        return finish(process)


def demand_exact(shop: Shop) -> int:
    """Audit every record; return how many events were accepted.

    Raises:
        InexactError: if anything is not exact.
    """
    console.print("auditing every record ...")
    findings = shop.audit()
    if not findings.exact:
        console.print_json(findings.to_json())
        raise InexactError("the audit found faults")
    stages = (one for one in findings.partitions if one.stage == "ingest")
    return sum(partition.judged.get("accepted", 0) for partition in stages)


def counts(shop: Shop) -> dict[str, int]:
    """Return how many records each topic has that INGEST writes to."""
    topics = shop.deployment.topics
    return {role: len(shop.read(getattr(topics, role))) for role in ROLES}


class Ground:
    """One broker, and one story for all shops on it.

    Args:
        cluster: where the broker is.
        directory: for the shops' states.
        events: how many the story has.
        partitions: of every topic.
    """

    def __init__(
        self, cluster: Addresses, directory: Path, *, events: int, partitions: int
    ) -> None:
        self._cluster = cluster
        self._directory = directory
        self.events = events
        self.partitions = partitions
        self.now_ms = int(time.time() * 1000)
        self.capacity = 0.0
        """The best rate of INGEST alone that was measured here; 0: none was."""

    def shop(self, name: str) -> Shop:
        """Return a new deployment, its topics empty."""
        settings = {"worker__instance": "bench"}
        return Shop(self._cluster, self._directory / name, self.partitions, settings)

    def story(self, events: int, seed: int = SEED) -> Iterator[Sent]:
        """Return seeded events, the same in every shop."""
        return generate(recipe(events, self.partitions), seed, now_ms=self.now_ms)

    def filled(self, name: str) -> Shop:
        """Return a new deployment, the story in its ingest topic."""
        shop = self.shop(name)
        self.fill(shop, self.events)
        return shop

    def fill(self, shop: Shop, events: int, seed: int = SEED) -> None:
        """Send a story of that many events."""
        what = f"filling the topic with {events:,} events"
        shop.send(track(islice(self.story(events, seed), events), what, total=events))

    def ingest(self, shop: Shop) -> Measure:
        """Run INGEST alone over the story."""
        measure = run(shop, "ingest", self.events)
        self.capacity = max(self.capacity, measure.rate)
        return measure
